package import Control
package import Geometry
package import LinearAlgebra
import Models
package import Sites
package import Workbench

/// The measurement that compares two checkpoints at one site (a named place in the model), or the error that prevented
/// it.
package struct MeasuredSite<Measurement> {
    package let site: Site
    package let result: Result<Measurement, GeometryError>

    package var measurement: Measurement? { try? result.get() }
}

extension PairedActivations {
    /// Applies a measurement to both checkpoints' activations, site by site (named places in the model).
    ///
    /// - Parameter body: measures the activations of A and of B, each [positions, width], and stops early when its
    ///   control is cancelled.
    /// - Returns: one result for each site, at least one of them a measurement.
    /// - Throws: `ComparisonError` if no site can be measured; `CancellationError`.
    package func measured<Measurement: Sendable>(
        in context: RunContext, _ body: @escaping @Sendable (Matrix, Matrix, RunControl) throws -> Measurement
    ) throws -> [MeasuredSite<Measurement>] {
        let control = context.control
        var found: [MeasuredSite<Measurement>] = []
        var weighed = WeighedRows()
        for (index, site) in sites.enumerated() {
            control.report(done: index, total: sites.count, unit: "sites")
            let rows = try rows(at: site)
            weighed.add(rows.a, name: "\(site.shortName) of \(pair.a.name)")
            if pair.a.checkpoint !== pair.b.checkpoint {
                weighed.add(rows.b, name: "\(site.shortName) of \(pair.b.name)")
            }
            do {
                let measurement = try Interruptible.run(control) { try body(rows.a, rows.b, $0) }
                found.append(MeasuredSite(site: site, result: .success(measurement)))
            } catch let error as GeometryError {
                found.append(MeasuredSite(site: site, result: .failure(error)))
            }
        }
        weighed.tell(in: context)
        if found.allSatisfy({ $0.measurement == nil }), case .failure(let error)? = found.first?.result {
            throw ComparisonError.notMeasured(found[0].site, reason: "\(error)")
        }
        return found
    }

    /// Measures, at each site, how similar the activations of both checkpoints are.
    package func similarities(in context: RunContext) throws -> [MeasuredSite<SimilarityMeasurement>] {
        let (pool, seed, groups) = (context.pool, context.seed, groups)
        return try measured(in: context) {
            try SimilarityMeasurement($0, $1, groups: groups, seed: seed, pool: pool, control: $2)
        }
    }

    /// Measures, at each site, whether the activations of both checkpoints form point clouds of the same shape.
    package func shapes(in context: RunContext) throws -> [MeasuredSite<ShapeMeasurement>] {
        let (pool, seed, groups) = (context.pool, context.seed, groups)
        return try measured(in: context) {
            try ShapeMeasurement($0, $1, groups: groups, seed: seed, pool: pool, control: $2)
        }
    }
}
