/// Expressions by which a user names one or more sites (named places in the model): `resid_post[12]`, `attn.z[*]`,
/// `blocks.*.hook_resid_mid`.
package enum SiteExpression {
    /// Returns the sites that an expression names in a model with `layers` layers, in the order of computation.
    ///
    /// Layers stand in brackets: a number (`-1` is the last), a range `2..5` with both ends, `*`, or a list of these
    /// separated by commas. A name without brackets that exists in every layer means every layer. In a full name `*`
    /// matches any characters and `?` one character; logits and attention patterns are not matched in this way.
    /// - Throws: `SiteError.badSite`, naming what is wrong and what would be right.
    package static func parse(_ text: String, layers: Int) throws -> [Site] {
        let everything = Site.all(layers: layers)
        if let exact = everything.first(where: { $0.fullName == text }) { return [exact] }
        let (name, brackets) = try split(text)
        if let kind = Site.Kind.allCases.first(where: { $0.shortName == name || $0.fullName == name }) {
            if kind.isLayered {
                return try parseLayers(brackets ?? "*", layers: layers, text: text).map { Site(kind, layer: $0) }
            }
            guard brackets == nil else {
                throw SiteError.badSite(
                    text: text, problem: "there is one \(name), not one a layer; leave out the brackets")
            }
            return [Site(kind)]
        }
        if brackets == nil, text.contains(where: { $0 == "*" || $0 == "?" }) {
            let pattern = Array(text.utf8)
            let found = everything.filter {
                $0.kind != .logits && !$0.kind.isPattern && matches(Array($0.fullName.utf8), pattern)
            }
            if !found.isEmpty { return found }
        }
        throw SiteError.badSite(text: text, problem: try problem(name, text: text, layers: layers))
    }

    /// Splits a list at its commas; a comma inside brackets belongs to a list of layers.
    package static func list(_ text: String) -> [String] {
        var parts = [""]
        var depth = 0
        for character in text {
            if character == "[" { depth += 1 }
            if character == "]" { depth -= 1 }
            if character == ",", depth <= 0 { parts.append("") } else { parts[parts.count - 1].append(character) }
        }
        return parts
    }

    private static func problem(_ name: String, text: String, layers: Int) throws -> String {
        if text.hasPrefix("blocks."), let layer = text.split(separator: ".").dropFirst().first.flatMap({ Int($0) }),
            !(0..<layers).contains(layer)
        {
            return "this model has layers 0 to \(layers - 1)"
        }
        if let dot = text.lastIndex(of: "."), text[dot...].hasPrefix(".h"), text.contains("]") {
            return "a single head can't be used here; name the whole site"
        }
        let known = Site.Kind.allCases.map { $0.isLayered ? "\($0.shortName)[L]" : $0.shortName }
        return "no such site; known: \(known.joined(separator: ", ")) (see help sites)"
    }

    private static func split(_ text: String) throws -> (name: String, brackets: String?) {
        guard let open = text.firstIndex(of: "[") else { return (text, nil) }
        guard text.last == "]" else {
            guard let close = text.lastIndex(of: "]") else {
                throw SiteError.badSite(text: text, problem: "a ] is missing")
            }
            return (String(text[..<open]) + text[text.index(after: close)...], nil)
        }
        return (String(text[..<open]), String(text[text.index(after: open)...].dropLast()))
    }

    private static func parseLayers(_ list: String, layers: Int, text: String) throws -> [Int] {
        var result: Set<Int> = []
        for item in list.split(separator: ",", omittingEmptySubsequences: false) {
            let item = item.filter { $0 != " " }
            if item == "*" {
                result.formUnion(0..<layers)
            } else if let dot = item.firstIndex(of: "."), item[dot...].hasPrefix("..") {
                let first = try layer(String(item[..<dot]), layers: layers, text: text)
                let last = try layer(String(item[dot...].dropFirst(2)), layers: layers, text: text)
                guard first <= last else {
                    throw SiteError.badSite(text: text, problem: "the range \(item) runs backwards")
                }
                result.formUnion(first...last)
            } else {
                result.insert(try layer(item, layers: layers, text: text))
            }
        }
        return result.sorted()
    }

    private static func layer(_ item: String, layers: Int, text: String) throws -> Int {
        guard let number = Int(item) else {
            throw SiteError.badSite(
                text: text, problem: "\"\(item)\" is not a layer; write a number, a range such as 0..5, or *")
        }
        let layer = number < 0 ? layers + number : number
        guard number >= -layers, (0..<layers).contains(layer) else {
            throw SiteError.badSite(text: text, problem: "this model has layers 0 to \(layers - 1)")
        }
        return layer
    }

    /// Returns whether `pattern`, in which `*` stands for any characters and `?` for one, matches all of `name`.
    package static func matches(_ name: [UInt8], _ pattern: [UInt8]) -> Bool {
        var i = 0
        var p = 0
        var star: (pattern: Int, name: Int)?
        while i < name.count {
            if p < pattern.count, pattern[p] == UInt8(ascii: "*") {
                star = (p, i)
                p += 1
            } else if p < pattern.count, pattern[p] == name[i] || pattern[p] == UInt8(ascii: "?") {
                i += 1
                p += 1
            } else if let back = star {
                star = (back.pattern, back.name + 1)
                p = back.pattern + 1
                i = back.name + 1
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
