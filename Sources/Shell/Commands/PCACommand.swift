package import ArgumentParser
import Geometry
import LinearAlgebra
import Models
import Reports
import TerminalText

package struct PCACommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "pca", abstract: "Principal components of points: variance by component, linear dimensions.",
        discussion: """
            Eigenvalues of the covariance of the rows, in float64. The noise column is what as many independent Gaussian rows
            of the same width give (drawn with the session's seed): a share that is not above it says nothing. Participation
            ratio: (sum l)^2 / sum l^2; d90, d95, d99: components that hold so much of the variance.
            """)
    package static let traits = CommandTraits(
        .activations, makesValue: true, kinds: ["points": .points, "site": .site, "plot": .file],
        optionalValues: ["plot": PlotOption.isFile],
        examples: [
            "corpus = prompts Scripts/prompts/open.txt --limit 50", "acts = capture resid_post[*] --prompts corpus",
            "pca acts --site resid_post[-1] --plot",
        ])

    @Argument(help: "A capture, or points.") var points: String
    @Option(help: "One of a capture's sites; needed if it has several.") var site: String?
    @Option(name: [.customShort("k"), .long], help: "Components to show.") var components = 10
    @OptionGroup var plotting: PlotOption

    /// Rows or columns, whichever are fewer; 8,192 take about 512 MB and five minutes.
    private static let sizeLimit = 8192

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let source = try session.pointSource(named: points, site: site)
        let picture = try plotting.prepare(session)
        let all = try source.finiteMatrix()
        let points = all.distinctRows
        guard points.rows > 1 else {
            throw CommandError(
                "all \(all.rows) rows are the same", remedy: "take more points, or another position of the prompts")
        }
        let shown = try checkedCount(components, "--components")
        guard min(points.rows, points.columns) <= Self.sizeLimit else {
            throw CommandError(
                "\(points.rows) rows of width \(points.columns) would need an eigenproblem larger than \(Self.sizeLimit)",
                remedy: "take fewer rows, for example with prompts --sample or points --sample")
        }
        let seed = session.settings.seed
        let (found, null) = try Interruptible.run(session.control) {
            let found = try PrincipalComponents(of: points, components: 0)
            var random = SeededRandom(seed: seed)
            let noise = Matrix(
                rows: points.rows, columns: points.columns,
                values: random.normal(count: points.values.count).map(Float.init))
            return (found, try PrincipalComponents(of: noise, components: 0))
        }
        var table = Table("components", columns: ["component", "variance", "share", "cumulative", "noise share"])
        let axis = Series.Axis("cumulative share of variance", range: 0...1)
        var curve = Series("activations", x: .init("components"), y: axis)
        var noise = Series("noise", x: .init("components"), y: axis)
        var sum = 0.0
        var noiseSum = 0.0
        for index in 0..<min(shown, found.variances.count) {
            let share = found.variances[index] / found.totalVariance
            sum += share
            table.append([
                .integer(index + 1), .number(found.variances[index]), .number(share), .number(sum),
                .number(null.variances[index] / null.totalVariance),
            ])
            noiseSum += null.variances[index] / null.totalVariance
            curve.points.append(.init(x: Double(index + 1), y: sum))
            noise.points.append(.init(x: Double(index + 1), y: noiseSum))
        }
        var recipe = session.recipe()
        recipe.inputs += source.inputs
        var notes = ["noise: independent Gaussian rows, N and D the same, seed \(session.settings.seed)"]
        if points.rows <= points.columns {
            notes.append("N is not above D: no linear dimension can exceed \(points.rows - 1).")
        }
        return try plotting.outcome(
            Report(
                title: "\(source.name), N = \(points.rows), D = \(points.columns)",
                scalars: [
                    Scalar(
                        "participation ratio", .number(found.participationRatio),
                        note: "noise \(NumberFormat.significant(null.participationRatio))",
                        null: null.participationRatio)
                ]
                    + [90, 95, 99].map { percent in
                        let share = Double(percent) / 100
                        let noise = null.dimensions(holding: share)
                        return Scalar(
                            "d\(percent)", .integer(found.dimensions(holding: share)), note: "noise \(noise)",
                            null: Double(noise))
                    } + [Scalar("exact duplicates dropped", .integer(all.rows - points.rows))], tables: [table],
                series: [curve, noise], notes: notes, recipe: recipe), picture, session)
    }
}

extension Matrix {
    /// The rows without exact repetitions, in their order.
    fileprivate var distinctRows: Matrix {
        var seen = Set<[Float]>()
        let kept = (0..<rows).filter { seen.insert(Array(row($0))).inserted }
        return kept.count == rows
            ? self : Matrix(rows: kept.count, columns: columns, values: kept.flatMap { row($0) })
    }
}
