internal import Checkpoints
package import LinearAlgebra
package import Models
package import Sites

/// Direct logit attribution: the contribution of each part of a model to a logit at one position, through the final
/// norm with its scale frozen. (Elhage et al. 2021, "A Mathematical Framework for Transformer Circuits";
/// TransformerLens, `decompose_resid` and `stack_head_results`.)
///
/// The residual stream is a sum of vectors x_c, one from each part c; with the norm's scale σ known a logit is linear:
/// logit = Σ x_c · d / σ + b · u. Here u is the token's row of the output matrix, d is u times the norm's gain (centred
/// for a layer norm), b is the norm's bias. The effect of a part on later parts is not included.
package struct LogitAttribution: Sendable {
    /// A part of the model that adds to the residual stream, or the bias of the final norm.
    package enum Component: Hashable, Sendable {
        case embedding, positions
        case attention(layer: Int)
        case head(layer: Int, head: Int)
        /// The bias of the attention's output matrix, which belongs to no head.
        case attentionBias(layer: Int)
        /// The MLP of a layer, with its bias.
        case mlp(layer: Int)
        /// The rest of the residual stream that no part of the model has added: edits of the stream.
        case edits
        /// The bias of the model's final norm.
        case finalBias
    }

    private let model: Decoder
    private let hasHeads: Bool
    /// The parts of the model whose contributions to a logit are told apart, in the order of computation.
    package let components: [Component]
    /// The sites (named places in the model) whose activations a run must collect to attribute a logit.
    package let sites: [Site]

    /// - Parameters:
    ///   - hasHeads: whether attention is divided into its heads and the output matrix's bias.
    ///   - hasEdits: whether activations are edited, so that the stream is not the sum of its parts.
    /// - Throws: `DirectionsError.headsBehindNorm` if the sum of the heads goes through a norm of its own.
    package init(_ model: Decoder, hasHeads: Bool, hasEdits: Bool = false) throws {
        let c = model.configuration
        if hasHeads, !model.addsProductsOnly { throw DirectionsError.headsBehindNorm(architecture: c.modelType) }
        self.model = model
        self.hasHeads = hasHeads
        var components: [Component] = []
        var sites: [Site] = []
        for writer in model.residualWriters {
            switch writer.part {
            case .embedding:
                components.append(.embedding)
                sites.append(Site(.embed))
            case .positions:
                components.append(.positions)
                sites.append(Site(.posEmbed))
            case .attention(let layer) where hasHeads:
                components += (0..<c.heads).map { .head(layer: layer, head: $0) }
                if writer.weight.bias != nil { components.append(.attentionBias(layer: layer)) }
                sites.append(Site(.z, layer: layer))
            case .attention(let layer):
                components.append(.attention(layer: layer))
                sites.append(Site(.attnOut, layer: layer))
            case .mlp(let layer):
                components.append(.mlp(layer: layer))
                sites.append(Site(.mlpOut, layer: layer))
            }
        }
        if hasEdits { components.append(.edits) }
        if model.finalNormHasBias { components.append(.finalBias) }
        self.components = components
        self.sites = sites + [Site(.residPost, layer: c.layers - 1)]
    }

    /// Returns the row of the output matrix that gives a token's logit, [hidden].
    package func unembedding(_ token: Int32) -> [Double] { model.unembedding.row(Int(token)) }

    /// Returns the final residual stream of one collected row (a token), divided into what each part of the model
    /// added.
    ///
    /// - Parameter collected: for each of `sites` its activations, [rows, width] (the width is the site's own).
    package func parts(_ collected: [Site: Matrix], row: Int) -> Parts {
        func values(_ site: Site) -> [Double] {
            guard let matrix = collected[site] else { preconditionFailure("\(site.fullName) was not collected") }
            return matrix.row(row).map(Double.init)
        }
        var vectors: [[Double]] = []
        for writer in model.residualWriters {
            switch writer.part {
            case .embedding: vectors.append(values(Site(.embed)))
            case .positions: vectors.append(values(Site(.posEmbed)))
            case .attention(let layer) where hasHeads:
                vectors += writer.weight.products(
                    values(Site(.z, layer: layer)), groups: model.configuration.heads)
                if let bias = writer.weight.bias { vectors.append(bias.map(Double.init)) }
            case .attention(let layer): vectors.append(values(Site(.attnOut, layer: layer)))
            case .mlp(let layer): vectors.append(values(Site(.mlpOut, layer: layer)))
            }
        }
        let stream = values(Site(.residPost, layer: model.configuration.layers - 1))
        if components.contains(.edits) {
            var rest = stream
            for vector in vectors { for index in rest.indices { rest[index] -= vector[index] } }
            vectors.append(rest)
        }
        return Parts(
            model: model, vectors: vectors, scale: model.finalNormScale(stream), hasBias: model.finalNormHasBias)
    }

    /// The final residual stream at one token, divided into what each part of the model added.
    package struct Parts: Sendable {
        fileprivate let model: Decoder
        /// The vector that each part of the model added to the stream, [components without the final bias, hidden].
        fileprivate let vectors: [[Double]]
        /// The scale σ by which the final norm divides this residual stream.
        fileprivate let scale: Double
        fileprivate let hasBias: Bool

        /// Returns the contribution of each component, in the order of `components`, to the logit or difference of
        /// logits that `unembedding` reads. Their sum is the logit before any soft cap.
        ///
        /// - Parameter unembedding: a row of the output matrix or a difference of two, [hidden].
        package func contributions(to unembedding: [Double]) -> [Double] {
            let (direction, bias) = model.frozenReadout(of: unembedding)
            let products = vectors.map { Self.product($0, direction) / scale }
            return hasBias ? products + [bias] : products
        }

        private static func product(_ a: [Double], _ b: [Double]) -> Double {
            a.withUnsafeBufferPointer { a in
                b.withUnsafeBufferPointer { b in
                    var sum = 0.0
                    for index in 0..<a.count { sum += a[index] * b[index] }
                    return sum
                }
            }
        }
    }
}

extension Weight {
    /// Returns a row of the weight, a table such as the output matrix, in float64, [inputs].
    fileprivate func row(_ index: Int) -> [Double] {
        [Double](unsafeUninitializedCapacity: inputs) { buffer, count in
            view.copyDoubles(
                from: index * inputs, into: UnsafeMutableBufferPointer(rebasing: buffer[..<inputs]))
            count = inputs
        }
    }

    /// Divides an input x into equal groups and returns what each group gives through its columns of the weight,
    /// without bias: [groups][outputs].
    fileprivate func products(_ x: [Double], groups: Int) -> [[Double]] {
        precondition(x.count == inputs && inputs % groups == 0, "\(x.count) values for \(inputs) inputs")
        let size = inputs / groups
        let isTransposed = storesInputsAsRows
        var result = [[Double]](repeating: [Double](repeating: 0, count: outputs), count: groups)
        withUnsafeTemporaryAllocation(of: Double.self, capacity: isTransposed ? outputs : inputs) { line in
            if isTransposed {
                for input in 0..<inputs {
                    view.copyDoubles(from: input * outputs, into: line)
                    result[input / size].withUnsafeMutableBufferPointer { sums in
                        for output in 0..<outputs { sums[output] += x[input] * line[output] }
                    }
                }
                return
            }
            for output in 0..<outputs {
                view.copyDoubles(from: output * inputs, into: line)
                for group in 0..<groups {
                    var sum = 0.0
                    for index in group * size..<(group + 1) * size { sum += x[index] * line[index] }
                    result[group][output] = sum
                }
            }
        }
        return result
    }
}
