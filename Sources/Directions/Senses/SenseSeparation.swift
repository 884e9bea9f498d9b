import Comparison
package import Control
package import Geometry
package import LinearAlgebra
package import Statistics
import Workbench

/// The distance between a word's activations in two senses at one site (a named place in the model), by several
/// measures, each with its value under no difference.
package struct SenseSeparation: Sendable, Equatable {
    /// The mean distance between rows (activations) of different senses over that between rows of one sense.
    package let ratio: DistanceRatio
    /// The 95 % interval of the separation: 1.96 of its standard deviations over random halves of either sense. A half
    /// that is drawn without replacement varies about the whole as much as the whole varies about the truth (Politis
    /// and Romano 1994).
    package let interval: ClosedRange<Double>
    /// The separations of random splits of all rows into classes of the two senses' sizes, ascending.
    package let null: [Double]
    /// Fisher's ratio for the rows of the two senses.
    package let fisher: Double
    /// The median of Fisher's ratio over random splits of the rows.
    package let fisherNull: Double
    /// The mean silhouette of the rows, with the two senses as the clusters.
    package let silhouette: Double
    /// The median of the mean silhouette over random splits of the rows.
    package let silhouetteNull: Double
    /// The cosine between the two senses' mean activations after a common centre is subtracted; nil without a centre.
    package let cosine: Double?
    /// The share of held-out rows whose sense a logistic probe tells right.
    package let probe: Proportion
    /// The share of held-out rows that a logistic probe made with shuffled sense labels tells right.
    package let shuffledProbe: Proportion
    /// The share of held-out rows that lie nearer to the mean of their own sense than to that of the other.
    package let nearerMean: Proportion
    /// The number of rows of the first sense.
    package let firstCount: Int
    /// The number of rows of the second sense.
    package let secondCount: Int
    /// Whether all rows of both senses are the same, so that nothing can be distinguished.
    package let isConstant: Bool

    package var separation: Double { ratio.separation }
    /// The 95th percentile of the separation over random splits of the rows.
    package var nullBound: Double { Quantiles(null)?[0.95] ?? 0 }
    package var nullMedian: Double { Quantiles(null)?[0.5] ?? 0 }
    package var isAboveNull: Bool { separation > nullBound }
    /// The p value: the share of splits of the rows, including that into senses, whose classes are at least as far
    /// apart. (Davison and Hinkley 1997, eq. 4.11.)
    package var p: Double {
        Double(1 + null.count { $0 >= separation }) / Double(1 + null.count)
    }

    /// The number of random halves of the rows that are drawn for the separation's interval.
    private static let halves = 100

    /// - Parameters:
    ///   - first: the activations in one sense, [n, width], n at least 4.
    ///   - second: the activations in the other sense, [m, width], m at least 4.
    ///   - centre: the mean of all words, [width], that is subtracted before the cosine of the senses' means; nil for
    ///     no cosine.
    ///   - splits: the number of random splits of the rows with which the senses are compared.
    /// - Throws: `DirectionsError` for too few rows; `SubspaceError` for widths that differ and for NaN;
    ///   `LinearAlgebraError`; `CancellationError`.
    package init(
        _ first: Matrix, _ second: Matrix, centre: [Double]?, splits: Int = 200, seed: UInt64, control: RunControl
    ) throws {
        precondition(splits > 0, "no splits")
        for (name, rows) in [("first", first), ("second", second)] {
            guard rows.rows >= 4 else { throw DirectionsError.tooFewRows(name, found: rows.rows, needed: 4) }
            if let bad = rows.firstNonFinite { throw SubspaceError.notFiniteRow(name, row: bad.row) }
        }
        guard first.columns == second.columns else {
            throw SubspaceError.differentWidths(first.columns, second.columns)
        }
        let (n, m) = (first.rows, second.rows)
        (firstCount, secondCount) = (n, m)
        let all = Matrix(rows: n + m, columns: first.columns, values: first.values + second.values)
        let labels = (0..<n + m).map { $0 < n ? 0 : 1 }
        let distances = LabelledDistances(all)
        func measured(_ labels: [Int]) -> (ratio: DistanceRatio, fisher: Double, silhouette: Double) {
            let sums = distances.sums(labels, classes: 2)
            guard let ratio = DistanceRatio(sums), let silhouette = Silhouette(sums) else {
                preconditionFailure("two classes of several rows")
            }
            return (ratio, FisherRatio(sums).value, silhouette.value)
        }
        let own = measured(labels)
        ratio = own.ratio
        fisher = own.fisher
        silhouette = own.silhouette
        try control.checkCancellation()

        var random = SeededRandom(seed: seed, .senseSplits)
        var (null, fishers, silhouettes) = ([Double](), [Double](), [Double]())
        for _ in 0..<splits {
            try control.checkCancellation()
            let split = measured(labels.shuffled(using: &random))
            null.append(split.ratio.separation)
            fishers.append(split.fisher)
            silhouettes.append(split.silhouette)
        }
        self.null = null.sorted()
        fisherNull = Quantiles(fishers)?[0.5] ?? 0
        silhouetteNull = Quantiles(silhouettes)?[0.5] ?? 0
        interval = Self.interval(own.ratio.separation, distances, n, m, seed: seed)
        isConstant = !distances.distances.contains { $0 != 0 }
        cosine = centre.map { Self.cosine(first.columnMeans(from: first.row(0)), second, first.row(0), centre: $0) }
        try control.checkCancellation()

        (probe, shuffledProbe, nearerMean) = try Self.heldOut(first, second, seed: seed, control: control)
    }

    /// Returns of how many held-out rows a probe tells the sense right, of how many a probe made with shuffled labels,
    /// and of how many the nearer mean.
    private static func heldOut(
        _ first: Matrix, _ second: Matrix, seed: UInt64, control: RunControl
    ) throws -> (Proportion, Proportion, Proportion) {
        // If all rows are alike any rule gives them one answer, which is right for the larger class.
        let none = Proportion(successes: max(first.rows, second.rows), trials: first.rows + second.rows)
        do {
            let rows = try LabelledRows(positives: first, negatives: second)
            let held = try LogisticProbe(rows, seed: seed, control: control).heldOut
            let means = try DifferenceInMeans.heldOut(rows, seed: seed, shuffles: false, control: control)
            return (held.accuracy, held.shuffledAccuracy ?? none, means.accuracy)
        } catch DirectionsError.identicalClasses {
            return (none, none, none)
        }
    }

    private static func interval(
        _ value: Double, _ distances: LabelledDistances, _ n: Int, _ m: Int, seed: UInt64
    ) -> ClosedRange<Double> {
        var random = SeededRandom(seed: seed, .senseHalves)
        var deviations: [Double] = []
        for _ in 0..<halves {
            let rows = random.sample(n / 2, of: n) + random.sample(m / 2, of: m).map { n + $0 }
            let sums = distances.subset(rows).sums(rows.map { $0 < n ? 0 : 1 }, classes: 2)
            if let half = DistanceRatio(sums)?.separation, half.isFinite { deviations.append(half - value) }
        }
        guard value.isFinite, !deviations.isEmpty else { return value...value }
        let variance = deviations.reduce(0) { $0 + $1 * $1 } / Double(deviations.count)
        // With an odd number of rows a half is a little less than half.
        let (kept, left) = (Double(n / 2 + m / 2), Double(n + m - n / 2 - m / 2))
        let half = Proportion.z95 * (variance * kept / left).squareRoot()
        return value - half...value + half
    }

    /// Returns the cosine between the mean rows of two senses after a centre is subtracted; exactly 1 if the two means
    /// are the same.
    private static func cosine(
        _ mean: [Double], _ second: Matrix, _ origin: ArraySlice<Float>, centre: [Double]
    ) -> Double {
        let other = second.columnMeans(from: origin)
        if mean == other { return 1 }
        let a = zip(mean, centre).map { $0 - $1 }
        let b = zip(other, centre).map { $0 - $1 }
        let lengths = Arithmetic.norm(a) * Arithmetic.norm(b)
        return lengths > 0 ? min(1, max(-1, Arithmetic.dot(a, 0, b) / lengths)) : 0
    }
}

extension Matrix {
    /// Returns the mean of each column of the matrix, summed in float64 as offsets from the row `origin`, so that equal
    /// rows give exactly that row.
    fileprivate func columnMeans(from origin: ArraySlice<Float>) -> [Double] {
        let start = origin.map(Double.init)
        var sums = [Double](repeating: 0, count: columns)
        for row in 0..<rows {
            for (column, value) in self.row(row).enumerated() { sums[column] += Double(value) - start[column] }
        }
        return zip(sums, start).map { $0 / Double(max(1, rows)) + $1 }
    }
}

extension SenseSeparation {
    /// The probe's held-out accuracy minus that with shuffled labels, with Newcombe's hybrid score interval (1998,
    /// Stat. Med. 17, method 10); exactly 0 where there is nothing to tell apart.
    package var gain: Estimate {
        guard !isConstant, let a = probe.value, let b = shuffledProbe.value,
            let first = probe.wilsonInterval(), let second = shuffledProbe.wilsonInterval()
        else { return Estimate(0, low: 0, high: 0) }
        func side(_ x: Double, _ y: Double) -> Double { (x * x + y * y).squareRoot() }
        return Estimate(
            a - b, low: a - b - side(a - first.lowerBound, second.upperBound - b),
            high: a - b + side(first.upperBound - a, b - second.lowerBound))
    }
}
