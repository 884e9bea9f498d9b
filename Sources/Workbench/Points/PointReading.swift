import Checkpoints
import LinearAlgebra
import Provenance
import Statistics

/// A file of points that is read in part or as a whole.
package struct PointReading {
    /// The points, with the number of their numbers that are NaN or infinite.
    package struct Result {
        package let points: Points
        package let nonFinite: Int
        /// The place of the first NaN or infinity. Its row is counted among the rows that were read.
        package let firstNonFinite: (row: Int, column: Int)?
    }

    private let file: PointFile

    /// Opens a file of points.
    ///
    /// - Parameters:
    ///   - path: The path of the file.
    ///   - dataset: The dataset in a file that holds several.
    /// - Throws: An error if the file or the dataset can't be read as points.
    package init(_ path: String, dataset: String?) throws { file = try PointFile.open(path, dataset: dataset) }

    package var name: String { file.name }
    package var rows: Int { file.rows }
    package var columns: Int { file.columns }

    /// Returns the number of bytes that some rows take while they are read, or nil if the number is too large to be
    /// represented.
    package func memory(rows: Int) -> Int? { file.memory(rows: rows) }

    package func read(_ range: Range<Int>, _ context: RunContext) throws -> Result {
        result(try file.matrix(rows: range, control: context.control))
    }

    /// Reads some rows of a range, which are drawn with the context's seed and kept in the file's order.
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
