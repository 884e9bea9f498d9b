package import Models
package import Provenance
package import Sites

/// The edits of a checkpoint's runs, in the order in which they were made and are applied.
package struct EditStack: Sendable {
    /// What one command changes.
    package struct Entry: Sendable {
        /// What the prompt shows: `-r`, `+2r`, `zero attn.z[3].h1`.
        package let label: String
        /// What is done, where.
        package let summary: String
        /// The line that made it.
        package let command: String
        package let edits: [any Edit]
        /// A digest of the numbers that it works with.
        package let digest: String
        package var isOn = true
        /// How to do the same with other directions; nil for edits that are not of directions.
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

    /// The same edit with other directions in the place of its own.
    package struct Control: Sendable {
        /// The edit's own.
        package let directions: Subspace
        /// Where they were found: the covariance there is what random ones are drawn from.
        package let site: Site
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

    /// The edits in force.
    package var active: [any Edit] { entries.filter(\.isOn).flatMap(\.edits) }

    /// Lines that made the edits in force, for recipes.
    package var commands: [String] { entries.filter(\.isOn).map(\.command) }

    /// The numbers of the edits in force, for recipes.
    package var inputs: [Recipe.Input] {
        entries.filter(\.isOn).map { Recipe.Input(name: "edit \($0.label)", sha256: $0.digest) }
    }

    /// What tells the edits in force from others.
    package var identity: String {
        entries.filter(\.isOn).map { "\($0.summary) \($0.digest)" }.joined(separator: "; ")
    }

    /// `[-r,+2s]`; empty if none is in force.
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
