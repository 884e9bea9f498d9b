import Geometry
import LinearAlgebra
import Models

/// Compares the shapes of two checkpoints' activations, site by site.
struct ShapeRun {
    let session: Session
    let activations: PairedActivations

    /// What was found at one site, or why nothing was.
    struct Site {
        let site: Models.Site
        let result: Result<ShapeMeasurement, GeometryError>

        var measurement: ShapeMeasurement? { try? result.get() }
    }

    /// - Returns: one a site; at least one of them measured.
    /// - Throws: `CommandError` if none can be measured; `CancellationError`.
    func run() throws -> [Site] {
        let pool = try session.pool()
        let (seed, groups, control) = (session.settings.seed, activations.groups, session.control)
        var sites: [Site] = []
        for (index, site) in activations.sites.enumerated() {
            control.report(done: index, total: activations.sites.count, unit: "sites")
            let rows = try activations.rows(at: site)
            do {
                let measurement = try Interruptible.run(control) { inner in
                    try ShapeMeasurement(rows.a, rows.b, groups: groups, seed: seed, pool: pool, control: inner)
                }
                sites.append(Site(site: site, result: .success(measurement)))
            } catch let error as GeometryError {
                sites.append(Site(site: site, result: .failure(error)))
            }
        }
        if sites.allSatisfy({ $0.measurement == nil }), case .failure(let error)? = sites.first?.result {
            throw CommandError("\(sites[0].site.shortName): \(error)")
        }
        return sites
    }
}
