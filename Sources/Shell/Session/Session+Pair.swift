import Workbench

extension Session {
    /// Returns two open checkpoints by name, each with the edits that are in force on it. The command's report says in
    /// what the models differ apart from their weights.
    func pair(_ a: String, _ b: String) throws -> CheckpointPair {
        try pair(NamedCheckpoint(a, checkpoint(named: a)), NamedCheckpoint(b, checkpoint(named: b)))
    }

    func pair(_ a: NamedCheckpoint, _ b: NamedCheckpoint) throws -> CheckpointPair {
        let pair = CheckpointPair(a: a, b: b)
        try pair.premises.forEach(add)
        return pair
    }
}
