import Control
package import Geometry
import LinearAlgebra
import Statistics

/// The principal components of a set of points, beside those of Gaussian noise of the same size.
package struct PCARun {
    package struct Result {
        package let found: PrincipalComponents
        /// The principal components of as many independent Gaussian rows of the same width as the points.
        package let noise: PrincipalComponents
        /// The coordinates of every given row along the principal components, including repeated rows; nil if not
        /// requested.
        package let scores: [[Float]]?
    }

    /// The largest size of the eigenproblem, which is the number of points or of coordinates, whichever is smaller. A
    /// size of 8,192 takes about 512 MB and five minutes.
    package static let sizeLimit = 8192

    private let context: RunContext
    private let source: PointSource
    private let kept: PointSet
    private let dropped: [Int]

    /// Takes the points of which principal components are computed, without some of their coordinates.
    ///
    /// - Parameters:
    ///   - context: The context of the run.
    ///   - source: The points as they were given, including repeated rows.
    ///   - whole: The distinct points of `source`.
    ///   - dropped: The coordinates that are left out.
    /// - Throws: `WorkbenchError`, and `GeometryError` if all rows are the same without these coordinates.
    package init(_ context: RunContext, _ source: PointSource, _ whole: PointSet, without dropped: [Int]) throws {
        self.context = context
        self.source = source
        self.dropped = dropped
        kept = dropped.isEmpty ? whole : try whole.without(coordinates: dropped)
        context.weigh(kept.points, name: source.shortName)
    }

    /// The number of distinct points whose principal components are computed. `width` is the number of their
    /// coordinates.
    package var count: Int { kept.points.rows }
    package var width: Int { kept.points.columns }

    /// Computes the principal components of the points and of noise of the same size.
    ///
    /// - Parameter components: The number of principal components along which each row's coordinates are returned, or
    ///   0.
    /// - Throws: `GeometryError`, `CancellationError`.
    package func run(scores components: Int) throws -> Result {
        let rows = components > 0 ? try rows() : nil
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

    /// Returns every row that was given, repeated ones too, without the coordinates that are left out.
    private func rows() throws -> Matrix {
        let whole = try source.matrix()
        guard !dropped.isEmpty else { return whole }
        return whole.selecting(columns: Set(0..<whole.columns).subtracting(dropped).sorted())
    }
}
