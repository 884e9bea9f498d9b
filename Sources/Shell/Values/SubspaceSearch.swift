import Directions
import Geometry
import Language
import LinearAlgebra
import Models
import Reports
import Sites
import TerminalText
import Workbench

/// The directions that differences of two sets have at a site, and how many of them stand out of contrasts.
struct SubspaceSearch {
    let sets: ContrastedSets
    let site: Site
    /// Whether rows are differences of two checkpoints already, and not pairs.
    let isTuning: Bool
    /// A size that was asked for.
    let size: Int?
    let null: DeflatedContrastNull
    let principal: PairedPrincipalDirections?
    let classes: Int
    private let negativeMean: [Float]?

    /// - Throws: `DirectionsError`, `CommandError`, `CancellationError`.
    init(
        _ sets: ContrastedSets, site: Site, isTuning: Bool, size: Int?, contrasts: ContrastSource, limit: Int,
        draws: Int, level: Double = DeflatedContrastNull.level, in session: Session
    ) throws {
        self.sets = sets
        self.site = site
        self.isTuning = isTuning
        self.size = size
        let (positives, negatives) = (try sets.positives.matrix(site), try sets.negatives.matrix(site))
        let rows = try LabelledRows(positives: positives, negatives: negatives)
        let differences =
            isTuning
            ? positives
            : Matrix(
                rows: positives.rows, columns: positives.columns, values: try rows.pairedDifferences().map(Float.init))
        // A pair has the noise of a positive and of a negative row; a row of differences only that of its own set.
        let sides = [(sets.positives, positives), (sets.negatives, negatives)]
        let (classes, shares) = try Self.classes(
            contrasts == .negatives ? sides.suffix(1) : sides.prefix(isTuning ? 1 : 2))
        self.classes = classes.count
        let (seed, pool) = (session.settings.seed, try session.pool())
        let scale = isTuning ? 0.5.squareRoot() : 1
        null = try DeflatedContrastNull(
            differences: differences, classes: classes, shares: shares, scale: scale, limit: limit, draws: draws,
            level: level, seed: seed, pool: pool, control: session.control)
        let width = differences.columns
        if let size, size > min(differences.rows, width) {
            throw CommandError(
                "--k \(size) is too much: \(counted(differences.rows, "row")) of width \(width) have at most"
                    + " \(counted(min(differences.rows, width), "direction"))", remedy: "give less", exitCode: 2)
        }
        principal = try size.map { count in
            let values = differences.values.map(Double.init)
            return try Interruptible.run(session.control) {
                try PairedPrincipalDirections(differences: values, width: width, count: count)
            }
        }
        negativeMean = isTuning ? nil : DifferenceInMeans(rows).negativeMean.map(Float.init)
    }

    /// The rows of each label of each side, the two sides weighing the same. Labels of one row make no contrast.
    private static func classes(_ sides: some Collection<(ContrastedSets.Side, Matrix)>) throws -> (
        [Matrix], shares: [Double]
    ) {
        var classes: [Matrix] = []
        var shares: [Double] = []
        for (side, matrix) in sides {
            let groups = Dictionary(grouping: 0..<matrix.rows) { side.labels[$0] }.sorted { $0.key < $1.key }
                .map(\.value).filter { $0.count > 1 }
            guard !groups.isEmpty else {
                throw CommandError(
                    "no label of \(side.name) has two rows, so there are no contrasts within a class",
                    remedy: "give prompts without labels, or more of each: prompts FILE --label-field ''")
            }
            let total = groups.reduce(0) { $0 + $1.count }
            for group in groups {
                classes.append(matrix.selecting(group.map { Int32($0) }))
                shares.append(Double(group.count) / Double(total))
            }
        }
        return (classes, shares)
    }

    var dimension: Int { size ?? null.rank }

    func subspace(recipe: String) throws -> Subspace? {
        guard dimension > 0 else { return nil }
        let directions = principal?.directions ?? null.directions
        let sizes =
            principal.map { found in found.singularValues.map { $0 / Double(found.pairs).squareRoot() } } ?? null.sizes
        let values = zip(directions, sizes).flatMap { direction, size in direction.map { Float($0 * size) } }
        var subspace = try Subspace(
            vectors: Matrix(rows: directions.count, columns: directions[0].count, values: values), site: site,
            position: sets.position, recipe: recipe)
        subspace.negativeMean = negativeMean
        return subspace
    }

    // MARK: Report

    func report() -> Report {
        let first = null.steps.first
        var table = Table(
            "steps",
            columns: ["step", "sigma1", "null median", "null 99 %", "signal to noise", "null reaches", "verdict"])
        for (index, step) in null.steps.enumerated() {
            table.append([
                .integer(index + 1), .number(step.sigma), .number(step.nullMedian), .number(step.nullBound),
                Cell(step.signalToNoise), Cell(step.reached), .text(step.isAbove ? "above" : "not above: stop"),
            ])
        }
        var tables = [table]
        if let principal {
            var forced = Table("directions", columns: ["direction", "sigma", "share of squares", "agreeing"])
            for (index, sigma) in principal.singularValues.enumerated() {
                forced.append([
                    .integer(index + 1), .number(sigma), .number(principal.shares[index]),
                    Cell(principal.agreeing[index]),
                ])
            }
            tables.append(forced)
        }
        return Report(
            title: "subspace \(sets.positives.name) \(sets.negatives.name) at \(site.shortName)"
                + ", N = \(null.rows) \(isTuning ? "rows" : "pairs")",
            scalars: [
                Scalar(
                    "rank", .integer(null.rank),
                    note: "by the deflated contrast null, \(counted(null.draws, "draw"))", null: 0),
                Scalar("dimension", .integer(dimension), note: size == nil ? "the rank" : "as asked for"),
                Scalar(
                    "signal to noise", Cell(first?.signalToNoise),
                    note: "of the first step, squared sigma1 over that of the null's median", null: 1),
            ], tables: tables, series: series, notes: notes)
    }

    private var series: [Series] {
        let axis = Series.Axis("sigma1")
        let steps = null.steps.enumerated()
        return [
            Series(
                "differences", x: .init("step"), y: axis, points: steps.map { .init(x: Double($0 + 1), y: $1.sigma) }),
            Series(
                "contrasts, 99 %", x: .init("step"), y: axis,
                points: steps.map { .init(x: Double($0 + 1), y: $1.nullBound) }),
        ]
    }

    private var notes: [String] {
        let contrast =
            "Null: sigma1 of as many differences of two rows of one of \(counted(classes, "class", "classes"))"
            + (isTuning ? ", over the root of 2." : ".")
        var notes = [contrast]
        if null.endedAtLimit { notes.append("The search ended at \(null.limit) directions: there may be more.") }
        if let size, size > null.rank {
            notes.append("Of the \(size) directions \(size - null.rank) do not stand out of the null.")
        }
        return notes + sets.notes
    }
}

/// Which rows contrasts are made of.
enum ContrastSource: String, CaseIterable {
    case both, negatives
}
