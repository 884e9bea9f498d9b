import Synchronization

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// The rotary embedding of a model: a table that grows to the longest prompt seen.
final class Rotary: Sendable {
    private let dimension: Int
    private let theta: Double
    private let current = Mutex<RotaryTable?>(nil)

    init(dimension: Int, theta: Double) {
        self.dimension = dimension
        self.theta = theta
    }

    /// A table for at least `positions` positions.
    func table(positions: Int, limit: Int) -> RotaryTable {
        current.withLock { table in
            if let table, table.positions >= positions { return table }
            var size = 256
            while size < positions { size *= 2 }
            let grown = RotaryTable(dimension: dimension, theta: theta, positions: max(positions, min(size, limit)))
            table = grown
            return grown
        }
    }
}

/// Cosines and sines of rotary embedding for every position up to a limit.
final class RotaryTable: Sendable {
    let dimension: Int
    let positions: Int
    private let cosines: [Float]
    private let sines: [Float]

    /// - Parameter positions: positions to tabulate.
    ///
    /// Frequencies and angles are rounded to f32 where `transformers` rounds them.
    init(dimension: Int, theta: Double, positions: Int) {
        self.dimension = dimension
        self.positions = positions
        let half = dimension / 2
        let frequencies = (0..<half).map { 1 / powf(Float(theta), Float(2 * $0) / Float(dimension)) }
        var cosines: [Float] = []
        var sines: [Float] = []
        cosines.reserveCapacity(positions * half)
        sines.reserveCapacity(positions * half)
        for position in 0..<positions {
            for frequency in frequencies {
                let angle = Double(Float(position) * frequency)
                cosines.append(Float(cos(angle)))
                sines.append(Float(sin(angle)))
            }
        }
        self.cosines = cosines
        self.sines = sines
    }

    func withPointers(_ body: (UnsafePointer<Float>, UnsafePointer<Float>) throws -> Void) rethrows {
        try cosines.withUnsafeBufferPointer { cosines in
            try sines.withUnsafeBufferPointer { sines in try body(cosines.baseAddress!, sines.baseAddress!) }
        }
    }
}
