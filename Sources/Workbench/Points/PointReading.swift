import Checkpoints
import LinearAlgebra
import Provenance
import Statistics

/// A file of points that is read in part or whole.
package struct PointReading {
    /// Points, and how many of their numbers are NaN or infinite.
    package struct Result {
        package let points: Points
        package let nonFinite: Int
        /// The first NaN or infinity, in rows as they were read.
        package let firstNonFinite: (row: Int, column: Int)?
    }

    private let file: PointFile

    /// - Parameter dataset: of a file that holds several.
    package init(_ path: String, dataset: String?) throws { file = try PointFile.open(path, dataset: dataset) }

    package var name: String { file.name }
    package var rows: Int { file.rows }
    package var columns: Int { file.columns }

    /// Bytes that so many rows take while they are read; nil for more than can be counted.
    package func memory(rows: Int) -> Int? { file.memory(rows: rows) }

    package func read(_ range: Range<Int>, _ context: RunContext) throws -> Result {
        result(try file.matrix(rows: range, control: context.control))
    }

    /// Some rows of a range, drawn with the context's seed, in the file's order.
    package func sample(_ count: Int, of range: Range<Int>, _ context: RunContext) throws -> Result {
        var random = SeededRandom(seed: context.seed)
        let chosen = random.sample(count, of: range.count).map { range.lowerBound + $0 }
        return result(try file.matrix(rows: chosen, control: context.control))
    }

    private func result(_ matrix: Matrix) -> Result {
        let digest = matrix.values.withUnsafeBytes { Digest.sha256($0) }
        return Result(
            points: Points(
                name: file.name, matrix: matrix, rounding: file.rounding, input: .init(name: file.name, sha256: digest)),
            nonFinite: matrix.nonFiniteCount, firstNonFinite: matrix.firstNonFinite.map { ($0.row, $0.column) })
    }
}
