internal import Checkpoints
package import LinearAlgebra
package import Models
package import Sites

/// Direct logit attribution: what each part of a model adds to a logit at one position, through the final norm with its
/// scale frozen. (Elhage et al. 2021, "A Mathematical Framework for Transformer Circuits"; TransformerLens,
/// `decompose_resid` and `stack_head_results`.)
///
/// The residual stream is a sum of vectors, and with the norm's scale σ known a logit is linear in it: logit = Σ x_c · d / σ
/// + b · u, u the token's row of the output matrix. What a part does to later parts is not seen.
package struct LogitAttribution: Sendable {
    package enum Component: Hashable, Sendable {
        case embedding, positions
        case attention(layer: Int)
        case head(layer: Int, head: Int)
        /// The bias of the attention's output matrix, which belongs to no head.
        case attentionBias(layer: Int)
        /// Its bias included.
        case mlp(layer: Int)
        /// What is in the stream and no part has added: edits of the stream.
        case edits
        /// The final norm's bias.
        case finalBias
    }

    private let model: Decoder
    private let hasHeads: Bool
    /// In the order of computation.
    package let components: [Component]
    /// What a run must collect at the positions in question.
    package let sites: [Site]

    /// - Parameters:
    ///   - hasHeads: attention is divided into heads and the bias.
    ///   - hasEdits: activations are edited, so that the stream is not the sum of its parts.
    /// - Throws: `DirectionsError.headsBehindNorm` for heads whose sum goes through a norm of its own.
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

    /// The row of the output matrix that gives a token's logit. [hidden]
    package func unembedding(_ token: Int32) -> [Double] { model.unembedding.row(Int(token)) }

    /// The parts of the residual stream at one of the rows that were collected.
    ///
    /// - Parameter collected: for each of `sites`, [rows, width].
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

    /// A residual stream, part by part.
    package struct Parts: Sendable {
        fileprivate let model: Decoder
        /// [components without the final bias, hidden]
        fileprivate let vectors: [[Double]]
        /// σ
        fileprivate let scale: Double
        fileprivate let hasBias: Bool

        /// What each component adds to the logit, or to the difference of logits, that an unembedding reads; in the order of
        /// `components`. The sum is the logit before any soft cap.
        ///
        /// - Parameter unembedding: [hidden], a row of the output matrix or a difference of two.
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
    /// A row of a table. [inputs]
    fileprivate func row(_ index: Int) -> [Double] {
        [Double](unsafeUninitializedCapacity: inputs) { buffer, count in
            view.copyDoubles(
                from: index * inputs, into: UnsafeMutableBufferPointer(rebasing: buffer[..<inputs]))
            count = inputs
        }
    }

    /// What each of equal parts of an input gives through its columns of the weight, without bias: [groups][outputs].
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
