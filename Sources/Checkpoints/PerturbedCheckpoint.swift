package import Control
package import LinearAlgebra
internal import Models
import Statistics
internal import Synchronization

/// The null of a change of weights: A + G, where G is a Gaussian matrix for each tensor whose Frobenius norm is that of
/// B - A. What has not changed stays as it is. The values depend on the seed, the tensor's name and each element's place
/// alone.
package struct PerturbedCheckpoint: Sendable {
    /// Open, with everything else as in A.
    package let checkpoint: Checkpoint

    /// - Throws: `CheckpointError` for tensors that do not match, and for a value that is not finite, by the name of the
    ///   first; `HDF5Error` where there is no memory; `CancellationError`.
    package init(
        _ a: Checkpoint, asFarAs b: Checkpoint, seed: UInt64, draw: Int, label: String, recipeJSON: [UInt8],
        pool: ThreadPool, control: RunControl
    ) throws {
        try SameTensors.check(a, b)
        var derivation = Derivation(of: a, recipeJSON: recipeJSON)
        let tensors = a.tensors.filter(\.type.isFloatingPoint)
        for (index, info) in tensors.enumerated() {
            control.report(done: index, total: tensors.count, unit: "tensors drawn")
            let views = try [a, b].map { try SameTensors.view(info.name, of: $0) }
            let sources = [(view: views[0], label: a.label), (view: views[1], label: b.label)]
            let stream = Self.number(of: info.name)
            // Drawn once for its length and again for its values: it is never kept.
            @Sendable func noise(_ range: Range<Int>) -> [Double] {
                var random = SeededRandom(seed: seed, .perturbedWeights, draw, stream, range.lowerBound)
                return random.normal(count: range.count)
            }
            let sums = Mutex<[Int: (change: Double, noise: Double)]>([:])
            try ComputedTensor.forEachPiece(info.count, pool, control) { range, piece in
                let values = UnsafeMutableBufferPointer<Double>.allocate(capacity: range.count)
                defer { values.deallocate() }
                views[0].copyDoubles(from: range.lowerBound, into: values)
                views[1].copyDoubles(from: range.lowerBound, into: piece)
                let change = zip(piece, values).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
                let drawn = noise(range).reduce(0) { $0 + $1 * $1 }
                sums.withLock { $0[range.lowerBound] = (change, drawn) }
            }
            let parts = sums.withLock { $0 }.sorted { $0.key < $1.key }.map(\.value)
            let change = parts.reduce(0) { $0 + $1.change }
            let length = parts.reduce(0) { $0 + $1.noise }
            // What is the same in both stays.
            guard change != 0, length > 0 else { continue }
            let scale = (change / length).squareRoot()
            derivation.tensors.append(
                try ComputedTensor.make(
                    info.name, like: info, file: label, sources: sources, pool, control
                ) { range, piece in
                    views[0].copyDoubles(from: range.lowerBound, into: piece)
                    for (place, value) in noise(range).enumerated() { piece[place] += scale * value }
                })
        }
        checkpoint = try Checkpoint(derivation, label: label)
    }

    /// FNV-1a of a name: which stream of random numbers a tensor has.
    private static func number(of name: String) -> Int {
        let hash = name.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        return Int(truncatingIfNeeded: hash)
    }
}
