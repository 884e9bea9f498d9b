import Control
package import Geometry
import LinearAlgebra
import Statistics

/// Principal components of points, beside those of noise of the same size.
package struct PCARun {
    package struct Result {
        package let found: PrincipalComponents
        /// Of independent Gaussian rows, as many and as wide.
        package let noise: PrincipalComponents
        /// The coordinates of every row that was given, repeated ones too; nil where none were asked for.
        package let scores: [[Float]]?
    }

    /// The most of rows and columns, whichever is less: an eigenproblem of that size takes minutes.
    package static let sizeLimit = 8192

    private let context: RunContext
    private let source: PointSource
    private let kept: PointSet
    private let dropped: [Int]

    /// - Parameter dropped: coordinates that are left out.
    /// - Throws: `WorkbenchError`; `GeometryError` if all rows are the same without these coordinates.
    package init(_ context: RunContext, _ source: PointSource, _ whole: PointSet, without dropped: [Int]) throws {
        self.context = context
        self.source = source
        self.dropped = dropped
        kept = dropped.isEmpty ? whole : try whole.without(coordinates: dropped)
    }

    /// Distinct points, and their coordinates.
    package var count: Int { kept.points.rows }
    package var width: Int { kept.points.columns }

    /// - Parameter components: how many coordinates of each row are given.
    package func run(scores components: Int) throws -> Result {
        let rows = components > 0 ? try source.matrix().without(columns: dropped) : nil
        let (points, seed) = (kept.points, context.seed)
        let (found, noise, places) = try Interruptible.run(context.control) {
            let found = try PrincipalComponents(of: points, components: components)
            var random = SeededRandom(seed: seed)
            let noise = Matrix(
                rows: points.rows, columns: points.columns,
                values: random.normal(count: points.values.count).map(Float.init))
            return (found, try PrincipalComponents(of: noise, components: 0), rows.map(found.project))
        }
        return Result(
            found: found, noise: noise,
            scores: places.map { matrix in (0..<matrix.rows).map { matrix.row($0).map { Float($0) } } })
    }
}

extension Matrix {
    fileprivate func without(columns dropped: [Int]) -> Matrix {
        guard !dropped.isEmpty else { return self }
        let kept = Set(0..<columns).subtracting(dropped).sorted()
        return Matrix(
            rows: rows, columns: kept.count,
            values: (0..<rows).flatMap { row in kept.map { values[row * columns + $0] } })
    }
}
