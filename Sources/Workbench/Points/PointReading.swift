import Checkpoints
import LinearAlgebra
import Provenance
import Statistics

/// A file of points that is read in part or as a whole.
package struct PointReading {
    /// Points that were read from a file, with the number of their coordinates that are NaN or infinite.
    package struct Result {
        package let points: Points
        package let nonFinite: Int
        /// The row and column of the first NaN or infinity, counting only the rows that were read; nil if there is
        /// none.
        package let firstNonFinite: (row: Int, column: Int)?
    }

    private let file: PointFile

    /// Opens a file of points.
    ///
    /// - Parameters:
    ///   - path: The path of the file.
    ///   - dataset: The name of the dataset to read, for a file that holds several.
    /// - Throws: An error if the file or the dataset can't be read as points.
    package init(_ path: String, dataset: String?) throws { file = try PointFile.open(path, dataset: dataset) }

    package var name: String { file.name }
    package var rows: Int { file.rows }
    package var columns: Int { file.columns }

    /// Returns the bytes of memory that reading a number of the file's rows takes, or nil if that overflows an integer.
    package func memory(rows: Int) -> Int? { file.memory(rows: rows) }

    package func read(_ range: Range<Int>, _ context: RunContext) throws -> Result {
        result(try file.matrix(rows: range, control: context.control))
    }

    /// Reads `count` points of a range of the file's rows, drawn with the context's seed and kept in the file's order.
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
