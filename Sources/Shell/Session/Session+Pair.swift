import Workbench

extension Session {
    /// Returns two open checkpoints by name, each with the edits that are in force on it. The command's report says in
    /// what the models differ apart from their weights.
    func pair(_ a: String, _ b: String) throws -> CheckpointPair {
        pair(NamedCheckpoint(a, try checkpoint(named: a)), NamedCheckpoint(b, try checkpoint(named: b)))
    }

    func pair(_ a: NamedCheckpoint, _ b: NamedCheckpoint) -> CheckpointPair {
        let pair = CheckpointPair(a: a, b: b)
        pair.premises.forEach(add)
        return pair
    }
}
