package import Sites

/// What a run costs, from the sizes of the model's tensors.
package struct RunCost: Sendable, Equatable {
    /// Floating-point operations of matrix products, attention's included.
    package let operations: Double
    /// Bytes of the weights that one sweep reads.
    package let weightBytes: Int

    /// One tensor of a checkpoint.
    package struct Tensor {
        package let name: String
        package let shape: [Int]
        package let byteCount: Int

        package init(name: String, shape: [Int], byteCount: Int) {
            self.name = name
            self.shape = shape
            self.byteCount = byteCount
        }
    }

    /// - Parameters:
    ///   - tensors: all of the checkpoint; a layer's carry its number as a part of their name, as in `layers.3.mlp`.
    ///   - last: the last site that is asked for, where the run ends.
    ///   - logitRows: rows whose logits are computed.
    package init(
        _ c: ModelConfiguration, tensors: [Tensor], sequences: TokenSequences, last: Site, logitRows: Int
    ) {
        var weightBytes = 0
        var perToken = 0.0
        let reached = last < Site(.residPre) ? -1 : last.kind.isLayered ? last.layer : c.layers - 1
        let endsBefore = last.kind.isLayered && last < Site(.ln2Normalized, layer: last.layer)
        let endsAtStart = last.kind == .residPre
        for tensor in tensors {
            let parts = tensor.name.split(separator: ".")
            guard let layer = parts.lazy.compactMap({ Int($0) }).first, layer <= reached else { continue }
            if layer == reached, endsAtStart || (endsBefore && parts.contains("mlp")) { continue }
            weightBytes += tensor.byteCount
            if tensor.shape.count == 2 { perToken += 2 * Double(tensor.shape[0]) * Double(tensor.shape[1]) }
        }
        let attending = reached < 0 ? 0 : endsAtStart ? reached : reached + 1
        // Scores and weighted values of all pairs of a query and a key that is not after its block of 64.
        let pairs = (0..<sequences.count).reduce(0.0) { sum, prompt in
            let length = Double(sequences.rows(of: prompt).count)
            return sum + length * (length + min(length, 64)) / 2
        }
        let attention = 4 * pairs * Double(c.heads * c.headDimension) * Double(attending)
        var operations = perToken * Double(sequences.tokens.count) + attention
        if logitRows > 0 {
            operations += 2 * Double(logitRows) * Double(c.hiddenSize) * Double(c.vocabularySize)
            weightBytes += tensors.first { $0.shape == [c.vocabularySize, c.hiddenSize] }?.byteCount ?? 0
        }
        self.operations = operations
        self.weightBytes = weightBytes
    }
}
