import Geometry
import Language
import LinearAlgebra
import Models
import Sites

/// What was found at one site of two checkpoints, or why nothing was.
struct MeasuredSite<Measurement> {
    let site: Site
    let result: Result<Measurement, GeometryError>

    var measurement: Measurement? { try? result.get() }
}

extension PairedActivations {
    /// Measures the rows of both checkpoints site by site.
    ///
    /// - Parameter body: is given the rows of A and of B, and what ends it early.
    /// - Returns: one a site; at least one of them measured.
    /// - Throws: `CommandError` if none can be measured; `CancellationError`.
    func measured<Measurement: Sendable>(
        in session: Session, _ body: @escaping @Sendable (Matrix, Matrix, RunControl) throws -> Measurement
    ) throws -> [MeasuredSite<Measurement>] {
        let control = session.control
        var found: [MeasuredSite<Measurement>] = []
        for (index, site) in sites.enumerated() {
            control.report(done: index, total: sites.count, unit: "sites")
            let rows = try rows(at: site)
            do {
                let measurement = try Interruptible.run(control) { try body(rows.a, rows.b, $0) }
                found.append(MeasuredSite(site: site, result: .success(measurement)))
            } catch let error as GeometryError {
                found.append(MeasuredSite(site: site, result: .failure(error)))
            }
        }
        if found.allSatisfy({ $0.measurement == nil }), case .failure(let error)? = found.first?.result {
            throw CommandError("\(found[0].site.shortName): \(error)")
        }
        return found
    }

    /// How alike the rows of both are.
    func similarities(in session: Session) throws -> [MeasuredSite<SimilarityMeasurement>] {
        let (pool, seed, groups) = (try session.pool(), session.settings.seed, groups)
        return try measured(in: session) {
            try SimilarityMeasurement($0, $1, groups: groups, seed: seed, pool: pool, control: $2)
        }
    }

    /// Whether they have one shape.
    func shapes(in session: Session) throws -> [MeasuredSite<ShapeMeasurement>] {
        let (pool, seed, groups) = (try session.pool(), session.settings.seed, groups)
        return try measured(in: session) {
            try ShapeMeasurement($0, $1, groups: groups, seed: seed, pool: pool, control: $2)
        }
    }
}
