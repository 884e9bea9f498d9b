package import ArgumentParser
import Geometry
import Language
import Provenance
import Reports
import TerminalText
import Workbench

package struct PCACommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "pca", abstract: "Principal components of points: variance by component, linear dimensions.",
        discussion: """
            Eigenvalues of the covariance of the rows, in float64. The noise column is what as many independent Gaussian rows
            of the same width give (drawn with the session's seed): a share that is not above it says nothing. Participation
            ratio: (sum l)^2 / sum l^2; d90, d95, d99: components that hold so much of the variance.

            Rogue coordinates are the three of largest variance: in some models a few hold most of it, and whatever counts
            variances counts them (Timkey and van Schijndel 2021). --without-rogue leaves them out of everything.

            --scores C lists each row's place along the first C components, about the mean of the distinct rows, with its
            label and text; the largest entry of a component is positive.
            """)
    package static let traits = CommandTraits(
        .activations, makesValue: true, kinds: ["points": .points, "site": .site],
        examples: [
            "corpus = prompts Scripts/prompts/open.txt --limit 50", "acts = capture resid_post[*] --prompts corpus",
            "pca acts --site resid_post[-1] --plot", "pca acts --site resid_post[-1] --scores 2 --without-rogue",
        ])

    @Argument(help: "A capture, or points.") var points: String
    @Option(help: "One of a capture's sites; needed if it has several.") var site: String?
    @Option(name: [.customShort("k"), .long], help: "Components to show.") var components = 10
    @Option(help: "List each row's place along the first so many components.") var scores: Int?
    @Flag(help: "Leave out the three coordinates of largest variance.") var withoutRogue = false
    @OptionGroup var plotting: PlotOption

    /// The number of rogue coordinates, which are those of largest variance.
    private static let rogueCount = 3

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let source = try session.pointSource(named: points, site: site)
        let picture = try plotting.prepare(session)
        let whole = try source.pointSet()
        let rogue = whole.rogueCoordinates(Self.rogueCount)
        let run = try run(session, source, whole, without: withoutRogue ? rogue : [])
        let shown = try checkedCount(components, "--components")
        guard min(run.count, run.width) <= PCARun.sizeLimit else {
            throw CommandError(
                "\(run.count) rows of width \(run.width) would need an eigenproblem larger than \(PCARun.sizeLimit)",
                remedy: "take fewer rows, for example with prompts --sample or points --sample")
        }
        let result = try run.run(scores: checkedScores(run))
        let (found, null) = (result.found, result.noise)
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
        if run.count <= run.width {
            notes.append("N is not above D: no linear dimension can exceed \(run.count - 1).")
        }
        return try plotting.outcome(
            Report(
                title: "\(source.name), N = \(run.count), D = \(run.width)"
                    + (withoutRogue ? ", without rogue coordinates" : ""),
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
                    } + [Scalar("exact duplicates dropped", .integer(source.count - run.count))],
                tables: [table, Self.table(rogue, whole)] + (result.scores.map { [scoreTable($0, source)] } ?? []),
                series: [curve, noise], notes: notes, recipe: recipe), picture, session)
    }

    private func run(
        _ session: Session, _ source: PointSource, _ set: PointSet, without rogue: [Int]
    ) throws -> PCARun {
        guard set.width > rogue.count else {
            throw CommandError(
                "the points have \(counted(set.width, "coordinate")), and none are left without the rogue ones",
                remedy: "leave out --without-rogue", exitCode: 2)
        }
        do {
            return try PCARun(session.context(), source, set, without: rogue)
        } catch GeometryError.allTheSame(let rows) {
            throw CommandError(
                "all \(rows) rows are the same without the rogue coordinates", remedy: "leave out --without-rogue")
        }
    }

    private func checkedScores(_ run: PCARun) throws -> Int {
        guard let scores else { return 0 }
        let most = min(run.count - 1, run.width)
        guard scores <= most else {
            throw CommandError(
                "--scores \(scores) is too much: \(counted(run.count, "point")) of width \(run.width) \(agreeing(run.count, "has", "have"))"
                    + " \(counted(most, "component"))", remedy: "give less", exitCode: 2)
        }
        return try checkedCount(scores, "--scores")
    }

    private static func table(_ rogue: [Int], _ set: PointSet) -> Table {
        Table(
            "rogue coordinates", columns: ["coordinate", "variance", "share of all"],
            rows: rogue.map {
                [.integer($0), .number(set.variances[$0]), .number(set.varianceShare(of: [$0]))]
            })
    }

    /// Returns a table with the coordinates of every row that was given, including repeated rows.
    private func scoreTable(_ places: [[Float]], _ source: PointSource) -> Table {
        let rows = places.indices.map { source.row($0) }
        let hasLabels = rows.contains { $0?.label.isEmpty == false }
        let hasPositions = Set(rows.compactMap { $0?.prompt }).count < rows.count && source.hasTexts
        var columns = ["row"] + (hasPositions ? ["token"] : []) + (hasLabels ? ["label"] : [])
        columns += (1...(places.first?.count ?? 1)).map { "component \($0)" } + (source.hasTexts ? ["text"] : [])
        var table = Table("scores", columns: columns.map { .init($0) })
        for (index, row) in rows.enumerated() {
            var cells: [Cell] = [.integer(index)]
            if hasPositions { cells.append(row?.position.map(Cell.integer) ?? .missing) }
            if hasLabels { cells.append(PromptSet.cell(label: row?.label ?? "")) }
            cells += places[index].map { .number(Double($0)) }
            if source.hasTexts { cells.append(.text(row?.text ?? "")) }
            table.append(cells)
        }
        return table
    }
}
