package import JSON
import Tokenizers

/// Checked access to the keys of a config.json.
package struct ConfigurationReader {
    let json: JSONValue
    /// generation_config.json, if there is one.
    let generation: JSONValue?
    let file: String

    package init(_ json: JSONValue, generation: JSONValue? = nil, file: String) {
        self.json = json
        self.generation = generation
        self.file = file
    }

    func problem(_ key: String, _ problem: String) -> ModelError {
        .badConfiguration(file: file, key: key, problem: problem)
    }

    func unsupported(_ what: String) -> ModelError { .unsupported(file: file, what: what) }

    /// Whether a key stands in the file with a value.
    func has(_ key: String) -> Bool { json[key].map { !$0.isNull } ?? false }

    /// Whether a key stands in the file, be its value null.
    func mentions(_ key: String) -> Bool { json[key] != nil }

    func string(_ key: String) throws -> String {
        guard let value = json[key]?.string else { throw problem(key, "missing, or not a text") }
        return value
    }

    func count(_ key: String, limit: Int = 1 << 24) throws -> Int {
        guard let value = try optionalCount(key, limit: limit) else { throw problem(key, "missing") }
        return value
    }

    func optionalCount(_ key: String, limit: Int = 1 << 24) throws -> Int? {
        guard let value = json[key], !value.isNull else { return nil }
        guard let number = value.int, (1...limit).contains(number) else {
            throw problem(key, "must be a whole number from 1 to \(limit)")
        }
        return number
    }

    func number(_ key: String, default standard: Double, above bound: Double) throws -> Double {
        try optionalNumber(key, above: bound) ?? standard
    }

    func optionalNumber(_ key: String, above bound: Double) throws -> Double? {
        guard let value = json[key], !value.isNull else { return nil }
        guard let number = value.double, number.isFinite, number > bound else {
            throw problem(key, "must be a number above \(NumberText.short(bound))")
        }
        return number
    }

    func flag(_ key: String, default standard: Bool) throws -> Bool {
        guard let value = json[key], !value.isNull else { return standard }
        guard let flag = value.bool else { throw problem(key, "must be true or false") }
        return flag
    }

    /// Refuses an option that would change the numbers.
    func refuse(_ key: String, unless expected: Bool) throws {
        guard try flag(key, default: expected) != expected else { return }
        throw unsupported("\(key) = \(!expected)")
    }

    /// The reader of an object inside; nil if the key is missing or null.
    func object(_ key: String) throws -> ConfigurationReader? {
        guard let value = json[key], !value.isNull else { return nil }
        guard value.object != nil else { throw problem(key, "must be an object") }
        return ConfigurationReader(value, file: file)
    }

    /// A list of positive numbers.
    func numbers(_ key: String) throws -> [Double] {
        guard let list = json[key]?.array else { throw problem(key, "missing, or not a list") }
        return try list.map {
            guard let number = $0.double, number.isFinite, number > 0 else {
                throw problem(key, "must hold numbers above 0 only")
            }
            return number
        }
    }
}

enum NumberText {
    /// `0`, `1`, `0.5`: a bound as a person would write it.
    static func short(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value)
    }
}
