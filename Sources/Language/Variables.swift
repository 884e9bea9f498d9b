/// The text variables of a session, which `let` sets and `$NAME` stands for.
package struct Variables: Sendable {
    private var texts: [String: String] = [:]
    /// The number of bytes of all names and texts.
    private var byteCount = 0

    /// The largest number of bytes of all names and texts together.
    package static let mostBytes = 16 << 20

    package init() {}

    package subscript(name: String) -> String? { texts[name] }

    /// The variables in the order of their names.
    package var sorted: [(name: String, text: String)] {
        texts.sorted { $0.key < $1.key }.map { (name: $0.key, text: $0.value) }
    }

    /// Gives a text a name.
    ///
    /// - Returns: False, and nothing is changed, if all names and texts would have more than `mostBytes`.
    package mutating func set(_ name: String, to text: String) -> Bool {
        let before = texts[name].map { name.utf8.count + $0.utf8.count } ?? 0
        let after = byteCount - before + name.utf8.count + text.utf8.count
        guard after <= Self.mostBytes else { return false }
        texts[name] = text
        byteCount = after
        return true
    }
}
