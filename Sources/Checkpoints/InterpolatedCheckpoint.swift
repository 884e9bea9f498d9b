package import LinearAlgebra
internal import Models

/// A checkpoint in memory whose tensors are weighted sums of those of others: θ = Σ w_i θ_i.
///
/// With the weights 1 - λ and λ it is the straight line between two checkpoints (Goodfellow, Vinyals and Saxe 2015,
/// section 3); with 1, λ and -λ task arithmetic, A + λ(B - C) (Ilharco et al. 2023, eq. 1). Sums are in float64 and
/// rounded once, to f32, or to f64 where the first has that. A weight of exactly 0 leaves its checkpoint unread, so that
/// the ends of a line are bit by bit what they should be. Tensors of integers are those of the first.
package struct InterpolatedCheckpoint: Sendable {
    package struct Term: Sendable {
        package let weight: Double
        package let checkpoint: Checkpoint

        package init(_ weight: Double, _ checkpoint: Checkpoint) {
            self.weight = weight
            self.checkpoint = checkpoint
        }
    }

    /// Open, with the configuration, the tokenizer and the names of the first term's.
    package let checkpoint: Checkpoint

    /// - Parameters:
    ///   - terms: at least one; their weights finite.
    ///   - label: what messages call the result.
    /// - Throws: `CheckpointError` for tensors that do not match, and for a sum that is not finite, by the name of the first;
    ///   `HDF5Error` where there is no memory; `CancellationError`.
    package init(
        _ terms: [Term], label: String, recipeJSON: [UInt8], pool: ThreadPool, control: RunControl
    ) throws {
        precondition(!terms.isEmpty && terms.allSatisfy(\.weight.isFinite), "terms with finite weights")
        let first = terms[0].checkpoint
        for term in terms.dropFirst() { try Self.checkSameTensors(first, term.checkpoint) }
        var derivation = Derivation(of: first, recipeJSON: recipeJSON)
        let summed = terms.filter { $0.weight != 0 }
        let tensors = first.tensors.filter(\.type.isFloatingPoint)
        for (index, info) in tensors.enumerated() {
            control.report(done: index, total: tensors.count, unit: "tensors interpolated")
            let parts = try summed.map { (weight: $0.weight, source: $0.checkpoint) }
                .map { (weight: $0.weight, view: try Self.view(info.name, of: $0.source), label: $0.source.label) }
            derivation.tensors.append(
                try ComputedTensor.make(
                    info.name, like: info, file: label, sources: parts.map { ($0.view, $0.label) }, pool, control
                ) { range, sum in
                    let values = UnsafeMutableBufferPointer<Double>.allocate(capacity: range.count)
                    defer { values.deallocate() }
                    for part in parts {
                        part.view.copyDoubles(from: range.lowerBound, into: values)
                        for place in 0..<range.count { sum[place] += part.weight * values[place] }
                    }
                })
        }
        checkpoint = try Checkpoint(derivation, label: label)
    }

    /// Whether every tensor of one has a tensor of the same name and shape in the other, and the other no more.
    ///
    /// - Throws: `CheckpointError` that names the first, in order of name, that does not match or can't be read.
    package static func checkSameTensors(_ a: Checkpoint, _ b: Checkpoint) throws {
        let remedy = "give checkpoints of one model, such as a base and what was tuned from it"
        for name in Set(a.tensors.map(\.name)).union(b.tensors.map(\.name)).sorted() {
            guard let one = a.info(name) else {
                throw CheckpointError(
                    .inconsistent, file: a.label, object: name,
                    problem: "there is no such tensor; \(b.label) has one", remedy: remedy)
            }
            guard let other = b.info(name) else {
                throw CheckpointError(
                    .inconsistent, file: b.label, object: name,
                    problem: "there is no such tensor; \(a.label) has one", remedy: remedy)
            }
            guard one.shape == other.shape else {
                throw CheckpointError(
                    .inconsistent, file: b.label, object: name,
                    problem: "its shape is \(Self.text(other.shape)); in \(a.label) it is \(Self.text(one.shape))",
                    remedy: remedy)
            }
            guard one.type.isFloatingPoint == other.type.isFloatingPoint else {
                throw CheckpointError(
                    .inconsistent, file: b.label, object: name,
                    problem: "its elements are \(other.typeName); in \(a.label) they are \(one.typeName)",
                    remedy: remedy)
            }
        }
    }

    /// Bytes of memory that a sum like this checkpoint takes.
    package static func byteCount(like checkpoint: Checkpoint) -> Int {
        checkpoint.tensors.lazy.filter(\.type.isFloatingPoint).reduce(0) {
            $0 + $1.count * ($1.type == .f64 ? 8 : 4)
        }
    }

    private static func text(_ shape: [Int]) -> String {
        shape.isEmpty ? "one number" : shape.map(String.init).joined(separator: " x ")
    }

    static func view(_ name: String, of checkpoint: Checkpoint) throws -> TensorView {
        guard let view = try checkpoint.tensor(name) else { preconditionFailure("\(name) was there") }
        return view
    }
}
