/// What decides a capture's values, part by part: model, prompts, sites, positions, version.
///
/// Two commands of one identity make the same values, whatever their settings of memory and threads.
package struct CaptureIdentity: Sendable, Equatable {
    package struct Part: Sendable, Equatable {
        /// "model", "sites".
        package let name: String
        /// A digest, or a short text.
        package let value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    package let parts: [Part]

    package init(_ parts: [Part]) { self.parts = parts }

    /// What another identity has different: "sites: hook_embed, not ln_final.hook_normalized"; "prompts".
    package func differences(from other: CaptureIdentity) -> [String] {
        let names = parts.map(\.name) + other.parts.map(\.name).filter { name in !parts.contains { $0.name == name } }
        return names.compactMap { name in
            let mine = parts.first { $0.name == name }?.value
            let theirs = other.parts.first { $0.name == name }?.value
            if mine == theirs { return nil }
            // A digest says nothing to a reader.
            guard let mine, let theirs, !Self.isDigest(mine), !Self.isDigest(theirs) else { return name }
            return "\(name) (\(Self.short(theirs)) there, \(Self.short(mine)) here)"
        }
    }

    private static func isDigest(_ text: String) -> Bool { text.utf8.count == 64 && text.allSatisfy(\.isHexDigit) }

    private static func short(_ text: String) -> String { text.count > 60 ? text.prefix(57) + "..." : text }
}
