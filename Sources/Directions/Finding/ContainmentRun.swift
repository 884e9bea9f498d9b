import Control
package import Geometry
import LinearAlgebra
import Models
import Statistics
import TerminalText
package import Workbench

/// Measures whether directions lie in the principal subspace of a set of points (rows of activations).
package struct ContainmentRun {
    package let context: RunContext
    package let subspace: Subspace
    package let source: PointSource
    /// The texts of the prompts on which the directions were found; the points of these prompts are left out.
    package let apart: Set<String>

    package init(
        context: RunContext, subspace: Subspace, source: PointSource, apart: Set<String>
    ) {
        self.context = context
        self.subspace = subspace
        self.source = source
        self.apart = apart
    }

    /// The measured containment of directions in a set of points, with the numbers of rows (points) behind it.
    package struct Found {
        package let measurement: ContainmentMeasurement
        /// The number of rows (points) that were left out because the directions were found on their prompts.
        package let leftOut: Int
        /// The number of rows (points) on which the containment was measured.
        package let used: Int
        /// The number of rows (points) from which the sample of measured rows was drawn.
        package let total: Int
        /// The number of prompts of the measured rows, which is smaller if a prompt has several rows.
        package let prompts: Int
    }

    /// The largest number of rows (points) on which a containment is measured; of more, a sample is drawn.
    package static let rowLimit = 4096

    /// Measures how far the directions lie in the points' principal subspace, on two halves of the rows: one is fitted,
    /// the other held out.
    ///
    /// - Throws: `DirectionsError` for points of another width and for too few rows or prompts; `WorkbenchError` for
    ///   NaN; `CancellationError`.
    package func run() throws -> Found {
        guard source.width == subspace.width else {
            throw DirectionsError.otherWidth(points: source.name, source.width, directions: subspace.width)
        }
        let matrix = try source.finiteMatrix()
        var kept = (0..<matrix.rows).filter { row in
            source.row(row).map { !apart.contains($0.text) } ?? true
        }
        let leftOut = matrix.rows - kept.count
        let total = kept.count
        var random = SeededRandom(seed: context.seed, .containmentRows)
        if kept.count > Self.rowLimit {
            kept = random.sample(Self.rowLimit, of: kept.count).map { kept[$0] }
        }
        context.weigh(
            kept.count == matrix.rows ? matrix : matrix.selecting(kept.map(Int32.init)), name: source.shortName)
        let groups = kept.map { source.row($0)?.prompt ?? $0 }
        let clusters = ContainmentMeasurement.clusters(for: subspace.dimension)
        // Each half needs four rows for each cluster.
        let needed = 8 * clusters
        guard kept.count >= needed else {
            throw DirectionsError.fewPoints(
                source.name, count: kept.count, needed: needed, topics: clusters, isPart: leftOut > 0)
        }
        guard Set(groups).count >= 2 * Halves.fewest else {
            throw DirectionsError.fewGroups(source.name, count: Set(groups).count, needed: 2 * Halves.fewest)
        }
        let halves = Halves(count: kept.count, groups: groups).draw(&random)
        let parts = [halves.rows, halves.others].map { rows in
            (matrix.selecting(rows.map { Int32(kept[$0]) }), rows.map { groups[$0] })
        }
        let (seed, pool) = (context.seed, context.pool)
        let basis = try Subspace.orthonormalRows(subspace.vectors)
        do {
            let measurement = try Interruptible.run(context.control) { inner in
                try ContainmentMeasurement(
                    basis: basis, fitted: parts[0].0, heldOut: parts[1].0, groups: (parts[0].1, parts[1].1),
                    seed: seed, pool: pool, control: inner)
            }
            return Found(
                measurement: measurement, leftOut: leftOut, used: kept.count, total: total,
                prompts: Set(groups).count)
        } catch let error as GeometryError {
            throw DirectionsError.notContained(source.name, reason: "\(error)")
        }
    }
}
