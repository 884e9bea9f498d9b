package import Models

/// An open checkpoint with the name that reports call it by.
package struct NamedCheckpoint {
    package let name: String
    package let checkpoint: LoadedCheckpoint
    /// The edits (changes to activations) that runs under this name apply; nil means those in force on the checkpoint.
    package var edits: [any Edit]?

    package init(name: String, checkpoint: LoadedCheckpoint, edits: [any Edit]? = nil) {
        self.name = name
        self.checkpoint = checkpoint
        self.edits = edits
    }

    /// Names a checkpoint, and shows in the name its edits (changes to activations) in force, as in `tuned[-r]`.
    package init(_ name: String, _ checkpoint: LoadedCheckpoint) {
        self.init(name: name + checkpoint.edits.label, checkpoint: checkpoint)
    }
}
