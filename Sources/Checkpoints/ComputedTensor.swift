import Control
internal import LinearAlgebra
internal import Models
internal import Synchronization

/// A tensor whose values are computed in float64, piece by piece, and rounded once.
enum ComputedTensor {
    /// Elements of a piece: the pieces depend on the shape alone, and so do the bits.
    private static let pieceCount = 1 << 15

    /// - Parameters:
    ///   - info: name, type and shape; f64 stays f64, all else becomes f32.
    ///   - sources: what the values come from, to say which of them is to blame for one that is not finite.
    ///   - compute: adds its values to a piece, which begins as zeros.
    /// - Throws: `CheckpointError` for a value that is not finite.
    static func make(
        _ name: String, like info: TensorInfo, file: String, sources: [(view: TensorView, label: String)],
        _ pool: ThreadPool, _ control: RunControl,
        compute: (_ range: Range<Int>, _ piece: UnsafeMutableBufferPointer<Double>) throws -> Void
    ) throws -> MemoryTensor {
        let type: ElementType = info.type == .f64 ? .f64 : .f32
        let count = info.count
        let bad = Mutex<Int?>(nil)
        let tensor = try MemoryTensor(name: name, type: type, shape: info.shape, file: file) { target in
            nonisolated(unsafe) let target = target
            try forEachPiece(count, pool, control) { range, piece in
                try compute(range, piece)
                for (place, value) in zip(range, piece) {
                    let isFinite: Bool
                    if type == .f64 {
                        target.storeBytes(of: value, toByteOffset: place * 8, as: Double.self)
                        isFinite = value.isFinite
                    } else {
                        let rounded = Float(value)
                        target.storeBytes(of: rounded, toByteOffset: place * 4, as: Float.self)
                        isFinite = rounded.isFinite
                    }
                    if !isFinite { bad.withLock { $0 = min($0 ?? place, place) } }
                }
            }
        }
        if let place = bad.withLock({ $0 }) { throw failure(name, at: place, file, sources) }
        return tensor
    }

    /// Gives `body` each range of elements with zeros for them, on the threads of a pool.
    static func forEachPiece(
        _ count: Int, _ pool: ThreadPool, _ control: RunControl,
        _ body: (_ range: Range<Int>, _ piece: UnsafeMutableBufferPointer<Double>) throws -> Void
    ) throws {
        try pool.run(tasks: (count + pieceCount - 1) / pieceCount) { task, _ in
            try control.checkCancellation()
            let range = task * pieceCount..<min((task + 1) * pieceCount, count)
            let piece = UnsafeMutableBufferPointer<Double>.allocate(capacity: range.count)
            defer { piece.deallocate() }
            piece.initialize(repeating: 0)
            try body(range, piece)
        }
    }

    private static func failure(
        _ name: String, at place: Int, _ file: String, _ sources: [(view: TensorView, label: String)]
    ) -> CheckpointError {
        for source in sources {
            var value = 0.0
            withUnsafeMutablePointer(to: &value) {
                source.view.copyDoubles(from: place, into: UnsafeMutableBufferPointer(start: $0, count: 1))
            }
            guard !value.isFinite else { continue }
            return CheckpointError(
                .inconsistent, file: source.label, object: name, problem: "element \(place) is \(value)",
                remedy: "verify lists all such tensors; make the file again")
        }
        return CheckpointError(
            .inconsistent, file: file, object: name, problem: "element \(place) is more than f32 can hold",
            remedy: "give smaller weights")
    }
}
