package import Checkpoints
package import Control
package import LinearAlgebra
import Models
import Synchronization

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// A checkpoint M in memory that combines checkpoints A, B and C with a factor l: A + l (B - C), tensor by tensor,
/// computed in float64.
///
/// With C = A, M lies on the line from A (l = 0) to B (l = 1), or beyond; with another C it is A with a task's
/// difference added (Ilharco et al. 2023, task arithmetic).
package struct Merge: Sendable {
    /// The merged checkpoint, open in memory.
    package let checkpoint: Checkpoint
    /// The number of tensors that keep A's own bytes, because B and C have the same bytes or the factor l is 0.
    package let kept: Int
    /// The number of tensors of the merged checkpoint with newly computed values.
    package let changed: Int
    /// The number of tensors of the merged checkpoint that are copies of B's.
    package let copied: Int
    /// The relative distance |M - A|_F / |A|_F of the merged checkpoint M from A, over all changed and copied tensors.
    package let fromA: Double
    /// The relative distance |M - B|_F / |B|_F of the merged checkpoint M from B, over all changed and copied tensors.
    package let fromB: Double
    /// The element types of the tensors with newly computed values, each once.
    package let types: [ElementType]

    /// Merges checkpoints a, b and C into a + l (b - C).
    ///
    /// - Parameters:
    ///   - pairs: the paired tensors of a and b.
    ///   - minus: C, with the name in C of each pair's tensor; nil means that C is a itself.
    ///   - weight: the factor l.
    ///   - label: the merged checkpoint's name in messages.
    /// - Throws: `CheckpointError` for values that are not finite, and for tensors of other than floating-point types
    ///   that differ; `HDF5Error` if there is not enough memory; `CancellationError`.
    package init(
        _ pairs: [TensorPairs.Pair], _ a: Checkpoint, _ b: Checkpoint,
        minus: (checkpoint: Checkpoint, names: [String])?,
        weight: Double, label: String, recipeJSON: [UInt8], pool: ThreadPool, control: RunControl
    ) throws {
        var derivation = Derivation(of: a, recipeJSON: recipeJSON)
        var total = Part()
        var (kept, copied) = (0, 0)
        var types: [ElementType] = []
        for (index, pair) in pairs.enumerated() {
            try control.checkCancellation()
            control.report(done: index, total: pairs.count, unit: "tensors")
            guard let one = try a.tensor(pair.a.name), let two = try b.tensor(pair.b.name) else { continue }
            let base = try minus.map { try $0.checkpoint.tensor($0.names[index]) } ?? one
            guard let base, weight != 0, !Self.isSame(two, base) else {
                kept += 1
                continue
            }
            let isFloating = [one, two, base].allSatisfy(\.type.isFloatingPoint)
            guard isFloating else {
                throw CheckpointError(
                    .type, file: a.label, object: pair.name,
                    problem: "its \(one.type.rawValue) numbers differ between the checkpoints, and can't be mixed",
                    remedy: "merge checkpoints that differ in floating-point weights only")
            }
            if minus == nil, weight == 1, one.type == two.type {
                derivation.tensors.append(
                    try MemoryTensor(name: pair.name, type: two.type, shape: two.shape, file: label) {
                        $0.copyMemory(from: two.bytes)
                    })
                copied += 1
                let sums = DifferenceSums.measure(one, two, 0..<one.count)
                guard sums.isFinite else { throw Self.notFinite(pair.name, two.type, file: a.label) }
                total.add(Part(toA: sums.squares, a: sums.a.squares, b: sums.b.squares))
                continue
            }
            let (tensor, part) = try Self.mix(
                one, two, base, weight, isLine: minus == nil, named: pair.name, file: a.label, pool, control)
            derivation.tensors.append(tensor)
            total.add(part)
            if !types.contains(tensor.type) { types.append(tensor.type) }
        }
        (self.kept, self.copied, self.types) = (kept, copied, types)
        changed = pairs.count - kept - copied
        fromA = total.a > 0 ? (total.toA / total.a).squareRoot() : 0
        fromB = total.b > 0 ? (total.toB / total.b).squareRoot() : 0
        checkpoint = try Checkpoint(derivation, label: label)
    }

    /// Returns the most bytes of memory that merging takes: the size in f32 (f64 if one of them is f64) of all
    /// floating-point tensors of B whose digests don't show that they equal C's (or A's, if no C is given).
    package static func byteCount(
        _ pairs: [TensorPairs.Pair], minus: [TensorInfo]?, weight: Double
    ) -> Int {
        guard weight != 0 else { return 0 }
        return pairs.enumerated().reduce(0) { sum, entry in
            let (index, pair) = entry
            let base = minus?[index] ?? pair.a
            let isSame = base.digest != nil && base.digest == pair.b.digest && base.type == pair.b.type
            let size = [pair.a.type, pair.b.type, base.type].contains(.f64) ? 8 : 4
            return isSame || !pair.b.type.isFloatingPoint ? sum : sum + pair.b.count * size
        }
    }

    private static func isSame(_ a: TensorView, _ b: TensorView) -> Bool {
        guard a.type == b.type, let one = a.bytes.baseAddress, let two = b.bytes.baseAddress else {
            return a.type == b.type && a.count == 0
        }
        return one == two || memcmp(one, two, a.bytes.count) == 0
    }

    /// Sums over some elements of a merged tensor M, beside the tensors A and B.
    private struct Part {
        /// The sum Σ(M - A)² over the elements of the merged tensor M and of A.
        var toA = 0.0
        /// The sum Σ(M - B)² over the elements of the merged tensor M and of B.
        var toB = 0.0
        /// The sum ΣA² over the elements of the tensor A.
        var a = 0.0
        /// The sum ΣB² over the elements of the tensor B.
        var b = 0.0
        var isFinite = true

        mutating func add(_ other: Part) {
            toA += other.toA
            toB += other.toB
            a += other.a
            b += other.b
            isFinite = isFinite && other.isFinite
        }
    }

    /// Computes one merged tensor a + weight (b - base), with the sums of its squared distances from a and b.
    ///
    /// - Parameter isLine: whether `base` is `a`, so that the weight 1 gives exactly `b`.
    private static func mix(
        _ a: TensorView, _ b: TensorView, _ base: TensorView, _ weight: Double, isLine: Bool, named name: String,
        file: String, _ pool: ThreadPool, _ control: RunControl
    ) throws -> (MemoryTensor, Part) {
        let type: ElementType = [a, b, base].contains { $0.type == .f64 } ? .f64 : .f32
        let step = 1 << 16
        let tasks = (a.count + step - 1) / step
        let parts = Mutex([Part](repeating: Part(), count: tasks))
        // At the end of the line the values are B's own, whatever rounding the difference would bring.
        let isEnd = isLine && weight == 1
        let tensor = try MemoryTensor(name: name, type: type, shape: a.shape, file: file) { target in
            try pool.run(tasks: tasks) { task, _ in
                try control.checkCancellation()
                let range = task * step..<min((task + 1) * step, a.count)
                var part = Part()
                withUnsafeTemporaryAllocation(of: Double.self, capacity: 3 * range.count) { scratch in
                    let x = UnsafeMutableBufferPointer(rebasing: scratch[0..<range.count])
                    let y = UnsafeMutableBufferPointer(rebasing: scratch[range.count..<2 * range.count])
                    let z = UnsafeMutableBufferPointer(rebasing: scratch[2 * range.count..<3 * range.count])
                    a.copyDoubles(from: range.lowerBound, into: x)
                    b.copyDoubles(from: range.lowerBound, into: y)
                    base.copyDoubles(from: range.lowerBound, into: z)
                    for index in 0..<range.count {
                        let exact = isEnd ? y[index] : x[index] + weight * (y[index] - z[index])
                        let stored: Double
                        if type == .f64 {
                            stored = exact
                            target.storeBytes(of: exact, toByteOffset: (range.lowerBound + index) * 8, as: Double.self)
                        } else {
                            let rounded = Float(exact)
                            stored = Double(rounded)
                            target.storeBytes(of: rounded, toByteOffset: (range.lowerBound + index) * 4, as: Float.self)
                        }
                        part.isFinite = part.isFinite && stored.isFinite
                        part.toA += (stored - x[index]) * (stored - x[index])
                        part.toB += (stored - y[index]) * (stored - y[index])
                        part.a += x[index] * x[index]
                        part.b += y[index] * y[index]
                    }
                }
                let result = part
                parts.withLock { $0[task] = result }
            }
        }
        var total = Part()
        for part in parts.withLock({ $0 }) { total.add(part) }
        guard total.isFinite else { throw notFinite(name, type, file: file) }
        return (tensor, total)
    }

    private static func notFinite(_ name: String, _ type: ElementType, file: String) -> CheckpointError {
        CheckpointError(
            .inconsistent, file: file, object: name,
            problem: "merged, it holds NaN, or numbers beyond the range of \(type.rawValue)",
            remedy: "does verify find NaN or Inf in one of them? else give smaller weights")
    }
}
