package import ArgumentParser
import Geometry
import LinearAlgebra
import Models
import Reports
import TerminalText

package struct PCACommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "pca", abstract: "Principal components of a capture: variance by component, linear dimensions.",
        discussion: """
            Eigenvalues of the covariance of the rows, in float64. The noise column is what as many independent Gaussian rows
            of the same width give (drawn with the session's seed): a share that is not above it says nothing. Participation
            ratio: (sum l)^2 / sum l^2; d90, d95, d99: components that hold so much of the variance.
            """)
    package static let traits = CommandTraits(
        .activations, makesValue: true, kinds: ["capture": .capture, "site": .site, "plot": .file],
        optionalValues: ["plot": PlotOption.isFile],
        examples: [
            "corpus = prompts Scripts/prompts/open.txt --limit 50", "acts = capture resid_post[*] --prompts corpus",
            "pca acts --site resid_post[-1] --plot",
        ])

    @Argument(help: "A capture.") var capture: String
    @Option(help: "One of its sites; needed if it has several.") var site: String?
    @Option(name: [.customShort("k"), .long], help: "Components to show.") var components = 10
    @OptionGroup var plotting: PlotOption

    /// Rows or columns, whichever are fewer; 8,192 take about 512 MB and five minutes.
    private static let sizeLimit = 8192

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let capture = try session.capture(named: capture)
        let picture = try plotting.prepare(session)
        let name = try capture.resolve(site)
        let all = try capture.matrix(name)
        let points = all.distinctRows
        guard points.rows > 1 else {
            throw CommandError("all \(all.rows) rows are the same", remedy: "capture more prompts, or another position")
        }
        let shown = try checkedCount(components, "--components")
        guard min(points.rows, points.columns) <= Self.sizeLimit else {
            throw CommandError(
                "\(points.rows) rows of width \(points.columns) would need an eigenproblem larger than \(Self.sizeLimit)",
                remedy: "capture fewer rows, for example with prompts --sample")
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
        var notes = ["noise: independent Gaussian rows, N and D the same, seed \(session.settings.seed)"]
        if points.rows <= points.columns {
            notes.append("N is not above D: no linear dimension can exceed \(points.rows - 1).")
        }
        return try plotting.outcome(
            Report(
                title: "\(name), N = \(points.rows), D = \(points.columns)",
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
                series: [curve, noise], notes: notes, recipe: session.recipe()), picture, session)
    }
}

extension Capture {
    /// The site that a user names, in full or in short form; the only one when none is named.
    func resolve(_ site: String?) throws -> String {
        let list = sites
        guard !list.isEmpty else {
            throw CommandError(
                "the capture holds attention patterns and no rows", remedy: "read them in Python; see help capture")
        }
        guard let site else {
            guard list.count == 1 else {
                throw CommandError(
                    "the capture has \(list.count) sites", remedy: "choose one with --site, such as \(list.last ?? "")")
            }
            return list[0]
        }
        if list.contains(site) { return site }
        let layers = list.compactMap { $0.split(separator: ".").dropFirst().first.flatMap { Int($0) } }
        let heads = list.compactMap { SiteSelection(fullName: $0)?.head }
        let names = try SiteExpression.parse(site, layers: (layers.max() ?? 0) + 1) {
            $0.heads == nil ? nil : (heads.max() ?? 0) + 1
        }.map(\.fullName)
        let found = names.filter(list.contains)
        guard found.count == 1 else {
            throw CommandError(
                found.isEmpty
                    ? "the capture does not hold \(site.escapedForTerminal)"
                    : "\(site.escapedForTerminal) names several sites",
                remedy: "it has \(list.prefix(4).joined(separator: ", "))\(list.count > 4 ? ", ..." : "")")
        }
        return found[0]
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
