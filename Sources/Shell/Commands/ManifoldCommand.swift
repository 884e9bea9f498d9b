package import ArgumentParser
import Geometry
import LinearAlgebra
import Reports

package struct ManifoldCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "manifold", abstract: "The dimension of the manifold that points lie on, calibrated.",
        discussion: "x")
    package static let traits = CommandTraits(
        .activations, makesValue: true, kinds: ["points": .points, "site": .site, "plot": .file])

    @Argument(help: "A capture, or points.") var points: String
    @Option(help: "One or several of a capture's sites, such as resid_post[*]; all if left out.") var site: String?

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let sources = try session.pointSources(named: points, site: site)
        var table = Table("estimators", columns: ["estimator", "raw", "calibrated", "white noise"])
        var scalars: [Scalar] = []
        for source in sources {
            let set = try PointSet(source.finiteMatrix())
            let pool = try session.pool()
            let calibration = try session.calibrations.calibration(
                count: set.count, width: set.width, pool: pool, control: session.control)
            let profile = try DimensionProfile(set, pool: pool, control: session.control)
            let test = try SurrogateTest(
                set, twoNN: profile.values[.twoNN] ?? 1, repetitions: 3, seed: 0, pool: pool, control: session.control)
            for estimator in DimensionEstimator.all {
                let raw = profile.values[estimator]
                table.append([
                    .text(estimator.name), Cell(raw), Cell(raw.flatMap { calibration.dimension(estimator, raw: $0) }),
                    Cell(calibration.whiteNoise(estimator, width: set.width)),
                ])
            }
            for (name, value) in [
                ("ratio", test.ratio), ("null", test.nullRatio), ("nullsd", test.nullDeviation), ("d90", Double(profile.spectrum!.linear.d90)),
                ("d95", Double(profile.spectrum!.linear.d95)), ("rank", Double(profile.spectrum!.variances.count { $0 > 1e-7 * profile.spectrum!.variances[0] })),
                ("N", Double(set.count)), ("D", Double(set.width)),
                ("loc100", profile.locality[100] ?? -1),
            ] {
                scalars.append(Scalar(name, .number(value)))
            }
        }
        return Outcome(Report(title: points, scalars: scalars, tables: [table]))
    }
}
