import Workbench

extension Session {
    /// Two open checkpoints, each with its edits in force.
    func pair(_ a: String, _ b: String) throws -> CheckpointPair {
        CheckpointPair(
            a: NamedCheckpoint(a, try checkpoint(named: a)), b: NamedCheckpoint(b, try checkpoint(named: b)))
    }
}
