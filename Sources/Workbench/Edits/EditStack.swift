package import Models
package import Provenance
package import Sites

/// The edits (changes to activations) of a checkpoint's runs, in the order in which they were made and are applied.
package struct EditStack: Sendable {
    /// The edits that one command made, with their description; they are switched on and off together.
    package struct Entry: Sendable {
        /// The short form of the edits that the shell's prompt shows, such as `-r`, `+2r` or `zero attn.z[3].h1`.
        package let label: String
        /// A phrase that describes the edits and the sites at which they act.
        package let summary: String
        /// The command line that made the edits.
        package let command: String
        package let edits: [any Edit]
        /// A digest of the edits' numbers, sites and token positions.
        package let digest: String
        /// Whether the edits are in force, that is, applied in runs.
        package var isOn = true
        /// The means to make the same edit with other directions, such as random ones; nil for edits that are not of
        /// directions.
        package var control: Control?

        package init(
            label: String, summary: String, command: String, edits: [any Edit], digest: String, isOn: Bool = true,
            control: Control? = nil
        ) {
            self.label = label
            self.summary = summary
            self.command = command
            self.edits = edits
            self.digest = digest
            self.isOn = isOn
            self.control = control
        }
    }

    /// The means to make the same edit with other directions in place of its own, which comparisons with random
    /// directions need.
    package struct Control: Sendable {
        /// The directions of the edit itself.
        package let directions: Subspace
        /// The site (a named place in the model) where the edit's directions were found. Random directions are drawn
        /// from the covariance of the activations there.
        package let site: Site
        /// Returns the same edits with the given directions in place of the edit's own.
        package let edits: @Sendable (Subspace) -> [any Edit]

        package init(directions: Subspace, site: Site, edits: @escaping @Sendable (Subspace) -> [any Edit]) {
            self.directions = directions
            self.site = site
            self.edits = edits
        }
    }

    package private(set) var entries: [Entry] = []

    package init() {}

    package var isEmpty: Bool { entries.isEmpty }

    /// The edits that are in force, in the order in which they are applied.
    package var active: [any Edit] { entries.filter(\.isOn).flatMap(\.edits) }

    /// The command lines that made the edits in force, for recipes.
    package var commands: [String] { entries.filter(\.isOn).map(\.command) }

    /// The digests of the edits in force, as a recipe (the record of how a result was made) lists its inputs.
    package var inputs: [Recipe.Input] {
        entries.filter(\.isOn).map { Recipe.Input(name: "edit \($0.label)", sha256: $0.digest) }
    }

    /// A text that differs for different edits in force, made of their summaries and digests; empty if there are none.
    package var identity: String {
        entries.filter(\.isOn).map { "\($0.summary) \($0.digest)" }.joined(separator: "; ")
    }

    /// The labels of the edits in force, such as `[-r,+2s]`. The text is empty if there are none.
    package var label: String {
        let labels = entries.filter(\.isOn).map(\.label)
        return labels.isEmpty ? "" : "[\(labels.joined(separator: ","))]"
    }

    package mutating func add(_ entry: Entry) { entries.append(entry) }

    package mutating func remove(_ places: Set<Int>) {
        entries = entries.indices.filter { !places.contains($0) }.map { entries[$0] }
    }

    package mutating func set(_ places: Set<Int>, on isOn: Bool) { for place in places { entries[place].isOn = isOn } }
}
