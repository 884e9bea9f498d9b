import Synchronization

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// The rotary embedding of a model: tables that grow to the longest prompt seen.
final class Rotary: Sendable {
    let configuration: RotaryConfiguration
    private let tables = Mutex<[Int: RotaryTable]>([:])

    init(_ configuration: RotaryConfiguration) { self.configuration = configuration }

    /// Tables kept: a model whose frequencies depend on the prompt's length needs one for each length.
    private static let capacity = 4

    /// A table for a prompt of `length` tokens.
    func table(length: Int, limit: Int) -> RotaryTable {
        let key = configuration.tableKey(length: length)
        return tables.withLock { tables in
            if let table = tables[key], table.positions >= length { return table }
            // One that serves this length alone is not made larger.
            var size = key == length ? length : 256
            while size < length { size *= 2 }
            let table = RotaryTable(configuration, length: length, positions: max(length, min(size, limit)))
            if tables.count >= Self.capacity { tables.removeAll() }
            tables[key] = table
            return table
        }
    }
}

/// Cosines and sines of rotary embedding for every position up to a limit.
final class RotaryTable: @unchecked Sendable {
    let positions: Int
    /// [position, dimension / 2]
    let cosines: UnsafePointer<Float>
    let sines: UnsafePointer<Float>

    /// Angles are rounded to f32 where `transformers` rounds them.
    init(_ configuration: RotaryConfiguration, length: Int, positions: Int) {
        self.positions = positions
        let frequencies = configuration.frequencies(length: length)
        let half = frequencies.count
        let cosines = UnsafeMutablePointer<Float>.allocate(capacity: positions * half)
        let sines = UnsafeMutablePointer<Float>.allocate(capacity: positions * half)
        let factor = Float(configuration.attentionFactor)
        for position in 0..<positions {
            for (index, frequency) in frequencies.enumerated() {
                let angle = Double(Float(position) * frequency)
                (cosines + position * half + index).initialize(to: Float(cos(angle)) * factor)
                (sines + position * half + index).initialize(to: Float(sin(angle)) * factor)
            }
        }
        self.cosines = UnsafePointer(cosines)
        self.sines = UnsafePointer(sines)
    }

    deinit {
        cosines.deallocate()
        sines.deallocate()
    }
}
