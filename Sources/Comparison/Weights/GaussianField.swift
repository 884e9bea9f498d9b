import LinearAlgebra
import Statistics

/// A matrix of independent standard normal numbers that is never held in memory: each place has its own number, in
/// whatever order they are read.
struct GaussianField: Sendable {
    let seed: UInt64
    let columns: Int

    /// The number of neighbouring columns in a row of the matrix whose random numbers are drawn together.
    private static let tile = 256

    /// Adds `scale` times the matrix's random numbers to the target, from the element with the row-major index `first`
    /// on.
    func add(to target: UnsafeMutableBufferPointer<Double>, from first: Int, scale: Double) {
        guard columns > 0 else { return }
        var place = first
        let end = first + target.count
        while place < end {
            let (row, column) = (place / columns, place % columns)
            let (tile, skipped) = (column / Self.tile, column % Self.tile)
            let width = min(Self.tile, columns - tile * Self.tile)
            var random = SeededRandom(seed: seed, stream: row, tile)
            let numbers = random.normal(count: width)
            let count = min(width - skipped, end - place)
            for index in 0..<count { target[place - first + index] += scale * numbers[skipped + index] }
            place += count
        }
    }
}
