import Directions
import Geometry
import Language
import LinearAlgebra
import Models
import Reports
import Statistics
import TerminalText
import Workbench

/// Measures whether directions lie in the principal subspace of a set of points.
struct ContainmentRun {
    let session: Session
    let subspace: Subspace
    let source: PointSource
    /// Texts of prompts that directions were found on: rows of theirs are left out.
    let apart: Set<String>

    struct Found {
        let measurement: ContainmentMeasurement
        /// Rows of prompts that directions were found on.
        let leftOut: Int
        /// Rows that were measured, and rows before a sample was drawn.
        let used: Int
        let total: Int
        /// Of the rows that were measured; fewer than they are where one has several.
        let prompts: Int
    }

    /// Rows beyond this many are drawn from those that there are.
    static let rowLimit = 4096

    /// - Throws: `CommandError` for another width, for NaN, and for too few rows; `CancellationError`.
    func run() throws -> Found {
        guard source.width == subspace.width else {
            throw CommandError(
                "\(source.name.escapedForTerminal) has rows of width \(source.width), and the directions have width"
                    + " \(subspace.width)",
                remedy: "take both from one model, or choose another site with --site", exitCode: 2)
        }
        let matrix = try source.finiteMatrix()
        var kept = (0..<matrix.rows).filter { row in
            source.row(row).map { !apart.contains($0.text) } ?? true
        }
        let leftOut = matrix.rows - kept.count
        let total = kept.count
        var random = SeededRandom(seed: session.settings.seed, stream: 0xC1)
        if kept.count > Self.rowLimit {
            kept = random.sample(Self.rowLimit, of: kept.count).map { kept[$0] }
        }
        let groups = kept.map { source.row($0)?.prompt ?? $0 }
        let clusters = ContainmentMeasurement.clusters(for: subspace.dimension)
        // Each half needs four rows a cluster.
        let needed = 8 * clusters
        guard kept.count >= needed else {
            throw CommandError(
                "\(source.name.escapedForTerminal) has \(counted(kept.count, "row"))"
                    + (leftOut > 0 ? " of prompts that the directions were not found on" : "")
                    + ", and contain needs \(needed): half to fit, half for contrasts of \(clusters) topics",
                remedy: "capture more prompts")
        }
        guard Set(groups).count >= 2 * Halves.fewest else {
            throw CommandError(
                "\(source.name.escapedForTerminal) has rows of \(counted(Set(groups).count, "prompt")), and contain needs"
                    + " \(2 * Halves.fewest): rows of one prompt stay together in halves",
                remedy: "capture more prompts")
        }
        let halves = Halves(count: kept.count, groups: groups).draw(&random)
        let parts = [halves.rows, halves.others].map { rows in
            (matrix.selecting(rows.map { Int32(kept[$0]) }), rows.map { groups[$0] })
        }
        let (seed, pool) = (session.settings.seed, try session.pool())
        let basis = try Subspace.orthonormalRows(subspace.vectors)
        do {
            let measurement = try Interruptible.run(session.control) { inner in
                try ContainmentMeasurement(
                    basis: basis, fitted: parts[0].0, heldOut: parts[1].0, groups: (parts[0].1, parts[1].1),
                    seed: seed, pool: pool, control: inner)
            }
            return Found(
                measurement: measurement, leftOut: leftOut, used: kept.count, total: total,
                prompts: Set(groups).count)
        } catch let error as GeometryError {
            throw CommandError("\(source.name.escapedForTerminal): \(error)")
        }
    }
}
