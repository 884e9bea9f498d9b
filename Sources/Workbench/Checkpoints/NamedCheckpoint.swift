package import Models

/// An open checkpoint and what it is called.
package struct NamedCheckpoint {
    package let name: String
    package let checkpoint: LoadedCheckpoint
    /// What its runs change; nil: the edits in force on it.
    package var edits: [any Edit]?

    package init(name: String, checkpoint: LoadedCheckpoint, edits: [any Edit]? = nil) {
        self.name = name
        self.checkpoint = checkpoint
        self.edits = edits
    }

    /// With its edits in force, which its name shows: `tuned[-r]`.
    package init(_ name: String, _ checkpoint: LoadedCheckpoint) {
        self.init(name: name + checkpoint.edits.label, checkpoint: checkpoint)
    }
}
