import Control
import Geometry
import LinearAlgebra
import Models
package import Sites
import TerminalText
package import Workbench

/// A search for the directions of the differences between two sets at a site (a named place in the model); it also
/// tells how many of them stand out from contrasts within a class.
package struct SubspaceSearch {
    package let sets: ContrastedSets
    package let site: Site
    /// Whether the rows of the positive set are already differences of two checkpoints, so that no pairs are formed.
    package let isTuning: Bool
    /// The number of directions that was asked for; nil takes as many as stand out from contrasts within a class.
    package let size: Int?
    /// The test of how many directions the differences have beyond those by which rows of one class differ.
    package let null: DeflatedContrastNull
    /// The principal directions of the differences between the two sets; nil if no number of directions was asked for.
    package let principal: PairedPrincipalDirections?
    /// The number of classes of rows (labels of one set) from which contrasts within a class are drawn.
    package let classes: Int
    /// The weights of the rows whose directions are looked for: differences of pairs, or of two checkpoints.
    package let weighed: WeighedRows
    private let negativeMean: [Float]?

    /// - Throws: `DirectionsError` or `SubspaceError` for rows that don't allow the search; `CancellationError`.
    package init(
        _ sets: ContrastedSets, site: Site, isTuning: Bool, size: Int?, contrasts: ContrastSource, limit: Int,
        draws: Int, level: Double = DeflatedContrastNull.level, in context: RunContext
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
        var weighed = WeighedRows()
        weighed.add(differences, name: "differences at \(site.shortName)")
        self.weighed = weighed
        // A pair has the noise of a positive and of a negative row; a row of differences has only that of its own set.
        let sides = [(sets.positives, positives), (sets.negatives, negatives)]
        let (classes, shares) = try Self.classes(
            contrasts == .negatives ? sides.suffix(1) : sides.prefix(isTuning ? 1 : 2))
        self.classes = classes.count
        let (seed, pool) = (context.seed, context.pool)
        let scale = isTuning ? 0.5.squareRoot() : 1
        null = try DeflatedContrastNull(
            differences: differences, classes: classes, shares: shares, scale: scale, limit: limit, draws: draws,
            level: level, seed: seed, pool: pool, control: context.control)
        let width = differences.columns
        if let size, size > min(differences.rows, width) {
            throw DirectionsError.tooManyDirections(size, rows: differences.rows, width: width)
        }
        principal = try size.map { count in
            let values = differences.values.map(Double.init)
            return try Interruptible.run(context.control) {
                try PairedPrincipalDirections(differences: values, width: width, count: count)
            }
        }
        negativeMean = isTuning ? nil : DifferenceInMeans(rows).negativeMean.map(Float.init)
    }

    /// Returns, for each label of each set, its rows of activations, with shares by which the two sets weigh the same.
    /// Labels with one row make no contrast.
    private static func classes(_ sides: some Collection<(ContrastedSets.Side, Matrix)>) throws -> (
        [Matrix], shares: [Double]
    ) {
        var classes: [Matrix] = []
        var shares: [Double] = []
        for (side, matrix) in sides {
            let groups = Dictionary(grouping: 0..<matrix.rows) { side.labels[$0] }.sorted { $0.key < $1.key }
                .map(\.value).filter { $0.count > 1 }
            guard !groups.isEmpty else {
                throw DirectionsError.noContrasts(side.name)
            }
            let total = groups.reduce(0) { $0 + $1.count }
            for group in groups {
                classes.append(matrix.selecting(group.map { Int32($0) }))
                shares.append(Double(group.count) / Double(total))
            }
        }
        return (classes, shares)
    }

    /// The number of directions of the search's result: the number asked for, else the number that stands out.
    package var dimension: Int { size ?? null.rank }

    /// Returns the directions found, each as long as the root mean square of the differences' projections on it; nil if
    /// there are none.
    package func subspace(recipe: String) throws -> Subspace? {
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
}

/// The sets whose rows are paired within a class to make contrasts: both sets (of differences of two checkpoints only
/// the positives), or the negatives.
package enum ContrastSource: String, CaseIterable {
    case both, negatives
}
