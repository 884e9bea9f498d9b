import Workbench

extension Session {
    /// Returns two open checkpoints by name, each with the edits that are in force on it.
    func pair(_ a: String, _ b: String) throws -> CheckpointPair {
        CheckpointPair(
            a: NamedCheckpoint(a, try checkpoint(named: a)), b: NamedCheckpoint(b, try checkpoint(named: b)))
    }
}
