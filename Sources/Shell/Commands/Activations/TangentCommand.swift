import Control
package import ArgumentParser
import Geometry
import Language
import Provenance
import Reports
import TerminalText
import Workbench

package struct TangentCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "tangent",
        abstract: "Tangent spaces of points, and how they turn: the curvature of what points lie on.",
        discussion: """
            About each of up to 500 evenly spaced rows, the k nearest others make a patch. The set is cut in two at random,
            and a patch is half from the one part and half from the other: each half gives a tangent space by local PCA, d
            directions. Patches are compared by halves from different parts, which never share a point, though patches that
            are near overlap. Each is compared with others at ranks from the nearest to the farthest, growing geometrically.

            largest and mean angle are principal angles; containment is |V1'V2|^2 / d, the mean squared cosine. Beside each
            stands its split-half null: the two halves of the same patch, which sampling alone turns. Random subspaces give a
            containment of d / D. In brackets: 95 % over groups of patches, with Student's t.

            curved: containment falls below its null by more than a tenth of what sampling takes from it, interval and all
            (on flat points, uneven noise takes up to a twentieth). flat within sampling noise: by less, interval and all.
            undecided: the interval holds that tenth. turns: as curved, but with d below what local PCA counts (Fukunaga and
            Olsen's rule), or patches too small for it to count: such spaces follow the density's shape too, in a flat set as
            in a curved one. Where d is above the dimension of what the points lie on, spaces take in its bends, or noise,
            and look flat; and local PCA's count errs upwards with both. So try several with --dimension. Intervals need
            8 k rows.
            """)
    package static let traits = CommandTraits(
        .activations, makesValue: true, kinds: ["points": .points, "site": .site],
        examples: [
            "ball = points Tests/Fixtures/points/ball.npy", "tangent ball --k 40 --dimension 3",
            "corpus = prompts Scripts/prompts/open.txt --limit 200",
            "acts = capture resid_post[-1] --prompts corpus", "tangent acts --k 30 --plot",
        ])

    @Argument(help: "A capture, or points.") var points: String
    @Option(help: "One of a capture's sites; needed if it has several.") var site: String?
    @Option(name: [.customShort("k"), .long], help: "Points of a patch.") var k = 100
    @Option(help: "Directions of a tangent space; local PCA's median when left out.") var dimension: Int?
    @Option(help: "Others that each patch is compared with.") var neighbours = 10
    @OptionGroup var plotting: PlotOption

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let source = try session.pointSource(named: points, site: site)
        let picture = try plotting.prepare(session)
        let set = try source.pointSet()
        let options = try checked(set, seed: session.settings.seed)
        let found = try measured(set, options, session)
        var report = TangentReport(source: source, set: set, options: options, found: found).report
        report.recipe = session.recipe()
        report.recipe?.inputs += source.inputs
        return try plotting.outcome(report, picture, session)
    }

    /// Measures the curvature in such a way that the user can give up at any time. LAPACK may take seconds for a patch
    /// of thousands of points, and a cancellation can't wait for that.
    private func measured(
        _ set: PointSet, _ options: TangentCurvature.Options, _ session: Session
    ) throws -> TangentCurvature {
        let pool = try session.context().pool
        return try Interruptible.run(session.control, isSilent: false) { inner in
            try TangentCurvature(set, options, pool: pool, control: inner)
        }
    }

    private func checked(_ set: PointSet, seed: UInt64) throws -> TangentCurvature.Options {
        let (n, width) = (set.count, set.width)
        let repeated = set.duplicates > 0 ? " without \(counted(set.duplicates, "exact duplicate"))" : ""
        guard n >= 6 else {
            throw CommandError(
                "\(counted(n, "row"))\(repeated) \(agreeing(n)) too few for tangent spaces", remedy: "take more points")
        }
        guard width >= 2 else {
            throw CommandError("points of width 1 lie on a line", remedy: "take points of two coordinates or more")
        }
        guard k >= 4 else {
            throw CommandError(
                "--k \(k) is too few for a tangent space from each half", remedy: "give 4 or more", exitCode: 2)
        }
        guard k <= n - 2 else {
            throw CommandError(
                "--k \(k) needs \(k < .max - 1 ? "\(k + 2)" : "more") rows, and there are \(n)\(repeated)",
                remedy: "give \(n - 2) or less, better \(max(4, n / 10)), or take more points", exitCode: 2)
        }
        if let dimension {
            guard dimension >= 1 else {
                throw CommandError("--dimension must be at least 1", remedy: "give more", exitCode: 2)
            }
            guard dimension < width else {
                throw CommandError(
                    "--dimension \(dimension) is all of the points' \(width) coordinates, or more: no space could turn",
                    remedy: "give \(width - 1) or less", exitCode: 2)
            }
            guard dimension < k / 2 else {
                throw CommandError(
                    "--dimension \(dimension) is too much for halves of \(k / 2) points",
                    remedy: "give \(k / 2 - 1) or less, or a --k of \(dimension <= n ? "\(2 * dimension + 2)" : "more")"
                        + " or more", exitCode: 2)
            }
        }
        return TangentCurvature.Options(
            k: k, dimension: dimension, neighbours: try checkedCount(neighbours, "--neighbours"), seed: seed)
    }
}
