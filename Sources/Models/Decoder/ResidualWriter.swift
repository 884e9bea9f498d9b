import LinearAlgebra

/// A weight whose product, or whose rows, are added to the residual stream.
package struct ResidualWriter: Sendable {
    package enum Part: Sendable, Equatable {
        case embedding, positions
        case attention(layer: Int)
        case mlp(layer: Int)
    }

    package let part: Part
    package let weight: Weight
    /// Whether a norm stands between the product and the stream. (Gemma 2 and 3, OLMo 2.)
    package let hasNormAfter: Bool

    /// The stored tensor's name.
    package var tensorName: String { weight.view.name }

    /// The name of the bias that is added with the product; nil if there is none. The binder takes it from beside the weight.
    package var biasName: String? {
        guard weight.bias != nil, tensorName.hasSuffix(".weight") else { return nil }
        return tensorName.dropLast("weight".count) + "bias"
    }

    /// Whether each row of the stored tensor is a vector of the residual stream, as in an embedding and in GPT-2's
    /// `Conv1D`; else each column is.
    package var storesVectorsAsRows: Bool {
        switch part {
        case .embedding, .positions: true
        case .attention, .mlp: weight.storesInputsAsRows
        }
    }
}

extension Weight {
    /// Whether the tensor is stored as [in, out].
    package var storesInputsAsRows: Bool {
        switch layout {
        case .rows: false
        case .columns: true
        }
    }
}

extension Decoder {
    /// Everything that writes to the residual stream, in the order of computation.
    package var residualWriters: [ResidualWriter] {
        var result = [ResidualWriter(part: .embedding, weight: embedding, hasNormAfter: false)]
        if let positionEmbedding {
            result.append(ResidualWriter(part: .positions, weight: positionEmbedding, hasNormAfter: false))
        }
        for (index, layer) in layers.enumerated() {
            result += [
                ResidualWriter(
                    part: .attention(layer: index), weight: layer.attention.output,
                    hasNormAfter: layer.attention.outputNorm != nil),
                ResidualWriter(
                    part: .mlp(layer: index), weight: layer.mlp.down, hasNormAfter: layer.mlp.outputNorm != nil),
            ]
        }
        return result
    }

    /// Whether the residual stream is the sum of products with weights alone: no norm stands before any of its additions.
    package var addsProductsOnly: Bool { residualWriters.allSatisfy { !$0.hasNormAfter } }

    /// What `unembed` reads of a residual stream whose norm has a known scale: its inner product with this.
    ///
    /// The final norm is x ↦ (x - c mean(x)) / σ · g + b, with c = 1 for a layer norm and 0 for a root-mean-square norm; with
    /// σ frozen, logit = x · d / σ + b · u. (Elhage et al. 2021, "direct path"; TransformerLens, `apply_ln_to_stack`.)
    ///
    /// - Parameter unembedding: u, [hidden]: a row of the output matrix, or a difference of two.
    /// - Returns: d [hidden], and b · u.
    package func frozenReadout(of unembedding: [Double]) -> (direction: [Double], bias: Double) {
        norm.frozenReadout(of: unembedding)
    }

    package var finalNormHasBias: Bool {
        switch norm.kind {
        case .rootMeanSquare: false
        case .layer: true
        }
    }

    /// σ of the final norm for a residual stream [hidden].
    package func finalNormScale(_ residual: [Double]) -> Double { norm.scale(residual) }
}

extension Norm {
    fileprivate func frozenReadout(of u: [Double]) -> (direction: [Double], bias: Double) {
        precondition(u.count == width, "a row of \(u.count) for a norm of width \(width)")
        var direction = zip(u, weight).map { $0 * Double($1) }
        switch kind {
        case .rootMeanSquare: return (direction, 0)
        case .layer(let bias):
            let mean = direction.reduce(0, +) / Double(width)
            for index in direction.indices { direction[index] -= mean }
            return (direction, zip(u, bias).reduce(0) { $0 + $1.0 * Double($1.1) })
        }
    }

    fileprivate func scale(_ x: [Double]) -> Double {
        let n = Double(width)
        switch kind {
        case .rootMeanSquare: return (x.reduce(0) { $0 + $1 * $1 } / n + Double(epsilon)).squareRoot()
        case .layer:
            let mean = x.reduce(0, +) / n
            return (x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / n + Double(epsilon)).squareRoot()
        }
    }
}
