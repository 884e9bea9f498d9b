package import LinearAlgebra
import TerminalText

/// Takes a model's tensors out of a source, checking names, shapes and types as it goes.
package struct WeightBinder {
    package let source: any WeightSource
    /// What stands before every name: `model.`, or nothing where a bare model was saved.
    private let prefix: String
    private let arena: PageArena

    package init(_ source: any WeightSource) {
        self.source = source
        prefix = ""
        arena = PageArena()
    }

    private init(_ source: any WeightSource, prefix: String, arena: PageArena) {
        self.source = source
        self.prefix = prefix
        self.arena = arena
    }

    /// The same tensors under a prefix; under none if the source has `sample` only without it.
    func under(_ prefix: String, sample: String) -> WeightBinder {
        let isBare = source.describe(prefix + sample) == nil && source.describe(sample) != nil
        return WeightBinder(source, prefix: isBare ? "" : self.prefix + prefix, arena: arena)
    }

    /// A matrix [outputs, inputs] named `name`.weight, with `name`.bias if asked for.
    package func matrix(_ name: String, outputs: Int, inputs: Int, bias: Bool = false) throws -> Weight {
        Weight(
            try tensor("\(name).weight", shape: [outputs, inputs]), outputs: outputs, inputs: inputs,
            bias: bias ? try vector("\(name).bias", count: outputs) : nil, arena: arena)
    }

    /// Matrices that are stored one below the other in `name`.weight. [Σ outputs, inputs]
    func stacked(_ name: String, outputs: [Int], inputs: Int) throws -> [Weight] {
        let whole = try tensor("\(name).weight", shape: [outputs.reduce(0, +), inputs])
        var first = 0
        return outputs.map { count in
            defer { first += count }
            return Weight(whole.rows(first..<first + count), outputs: count, inputs: inputs, bias: nil, arena: arena)
        }
    }

    /// Matrices stored as columns side by side in `name`.weight [inputs, Σ outputs], with biases: GPT-2's `Conv1D`.
    func columns(_ name: String, outputs: [Int], inputs: Int) throws -> [Weight] {
        let stride = outputs.reduce(0, +)
        let whole = try tensor("\(name).weight", shape: [inputs, stride])
        let bias = try vector("\(name).bias", count: stride)
        var first = 0
        return outputs.map { count in
            defer { first += count }
            return Weight(
                whole, outputs: count, inputs: inputs, bias: Array(bias[first..<first + count]),
                layout: .columns(first: first, stride: stride), arena: arena)
        }
    }

    /// A vector, widened to f32.
    package func vector(_ name: String, count: Int) throws -> [Float] {
        let view = try tensor(name, shape: [count])
        return [Float](unsafeUninitializedCapacity: count) { buffer, written in
            Widening.widen(view.bytes.baseAddress!, view.type, into: buffer.baseAddress!, count: count)
            written = count
        }
    }

    /// Refuses a source with more layers than the configuration has.
    ///
    /// - Parameter sample: a tensor that every layer has, by the layer's number.
    func checkLayers(_ count: Int, key: String = "num_hidden_layers", sample: (Int) -> String) throws {
        guard source.describe(prefix + sample(count)) != nil else { return }
        throw ModelError.badConfiguration(
            file: source.label, key: key, problem: "is \(count), but the weights have a layer \(count) (counted from 0)"
        )
    }

    func rmsNorm(_ name: String, width: Int, epsilon: Float, isOffset: Bool = false) throws -> Norm {
        Norm(rootMeanSquare: try vector("\(name).weight", count: width), epsilon: epsilon, isOffset: isOffset)
    }

    func layerNorm(_ name: String, width: Int, epsilon: Float) throws -> Norm {
        Norm(
            layer: try vector("\(name).weight", count: width), bias: try vector("\(name).bias", count: width),
            epsilon: epsilon)
    }

    private func tensor(_ name: String, shape: [Int]) throws -> TensorView {
        let name = prefix + name
        guard let found = source.describe(name) else {
            throw ModelError.missingTensor(file: source.label, name: name, shape: shape)
        }
        guard found.shape == shape else {
            throw ModelError.wrongShape(file: source.label, name: name, found: found.shape, expected: shape)
        }
        guard found.type.isFloatingPoint else {
            // A source may know better why these can't be read.
            _ = try source.tensor(name)
            throw ModelError.wrongType(file: source.label, name: name, type: found.type.rawValue)
        }
        guard let view = try source.tensor(name) else {
            throw ModelError.missingTensor(file: source.label, name: name, shape: shape)
        }
        return view
    }
}

extension TensorView {
    /// Some rows of a matrix.
    fileprivate func rows(_ range: Range<Int>) -> TensorView {
        let size = shape[1] * type.byteCount
        return TensorView(
            name: name, type: type, shape: [range.count, shape[1]],
            bytes: UnsafeRawBufferPointer(rebasing: bytes[range.lowerBound * size..<range.upperBound * size]),
            owner: owner, isFileMapping: isFileMapping)
    }
}
