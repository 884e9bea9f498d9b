package import Checkpoints

/// The names of the tensors at both ends of a model in its file.
struct ModelEnds {
    /// The name that the output matrix has where it is a tensor of its own.
    let head: String
    let embedding: String
    /// What stands before the names of all tensors but the output matrix, unless a bare model was saved.
    let bodyPrefix: String
    /// Whether the output matrix is the embedding.
    let isTied: Bool
}

extension LoadedCheckpoint {
    /// Whether the weights of some checkpoints can be held against each other only if tied ones get an output matrix of
    /// their own: one is tied, and a file has an output matrix.
    package static func needOwnHeads(_ checkpoints: [LoadedCheckpoint]) -> Bool {
        let ends = checkpoints.map { $0.ends() }
        return ends.contains { $0?.isTied ?? false }
            && zip(checkpoints, ends).contains { checkpoint, ends in
                ends.map { checkpoint.file.info($0.head) != nil } ?? false
            }
    }
}

extension RunContext {
    /// Returns the files of checkpoints whose weights are held against each other. If some have an output matrix of their
    /// own and others are tied, the embedding of the tied ones stands in their file as output matrix too, which is told.
    ///
    /// - Throws: `CheckpointError`.
    package func files(_ checkpoints: [NamedCheckpoint]) throws -> [Checkpoint] {
        guard tellOwnHeads(checkpoints) else { return checkpoints.map(\.checkpoint.file) }
        return try checkpoints.map { try $0.checkpoint.fileWithOwnHead() }
    }

    /// Tells which tied checkpoints need an output matrix of their own to be held against the others.
    ///
    /// - Returns: whether any does.
    package func tellOwnHeads(_ checkpoints: [NamedCheckpoint]) -> Bool {
        guard LoadedCheckpoint.needOwnHeads(checkpoints.map(\.checkpoint)) else { return false }
        for named in checkpoints {
            guard let ends = named.checkpoint.ends(), ends.isTied else { continue }
            tell(.premise(.tiedHead(checkpoint: named.name, head: ends.head, embedding: ends.embedding)))
        }
        return true
    }
}

extension CheckpointPair {
    /// Returns the files of both checkpoints with tensors that can be paired: see `RunContext.files`.
    ///
    /// - Throws: `CheckpointError`.
    package func files(in context: RunContext) throws -> (a: Checkpoint, b: Checkpoint) {
        let files = try context.files([a, b])
        return (files[0], files[1])
    }
}
