package import Control
package import LinearAlgebra
package import Statistics

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// The shapes of two sets of paired points side by side: their dimensions over the same points, and whether they may be
/// called the same.
///
/// "Unchanged" is an equivalence: two one-sided tests (Schuirmann 1987) at 5 % with margins of 0.1 in ln of a dimension,
/// and a one-sided test of CKA above 0.95. Errors come from halves of the points, the same in both sets.
package struct ShapeMeasurement: Sendable {
    /// One estimator on both sets.
    package struct Dimension: Sendable {
        package let name: String
        package let x: Double
        package let y: Double
        /// Standard errors; nil where there were no halves.
        package let spreads: (x: Double, y: Double)?
        /// Of ln(y / x).
        package let ratioSpread: Double?

        package var logRatio: Double { log(y / x) }
    }

    /// Their principal subspaces of one dimension, beside those of halves of each set.
    package struct Subspaces: Sendable {
        package let dimension: Int
        package let width: Int
        package let angles: PrincipalAngles
        /// Mean over halves: one half of the first set with the other half of the second.
        package let across: Double
        /// Mean over halves: one half of a set with the other half of the same set; the smaller of both sets'. What
        /// `across` would be if nothing had changed.
        package let ceiling: Double
        /// Largest angle between halves of one set, in radians: median over halves, the larger of both sets'.
        package let ceilingAngle: Double

        package var random: Double { Double(dimension) / Double(width) }
    }

    package enum Finding: String, Sendable, CaseIterable {
        case unchanged
        case changed
        case notShown = "not shown"

        /// Whether the shape is the same.
        package var verdict: Verdict {
            switch self {
            case .unchanged: .supported
            case .changed: .notSupported
            case .notShown: .notDistinguishable
            }
        }
    }

    /// Points that are distinct in both sets.
    package let count: Int
    /// Debiased participation ratio, TwoNN, d90.
    package let dimensions: [Dimension]
    package let cka: MeasuredSimilarity
    /// Nil where the sets have different widths.
    package let subspaces: Subspaces?
    package let finding: Finding

    package static let ratioMargin = 0.1
    package static let similarityMargin = 0.95
    /// One-sided 5 %.
    package static let z = 1.6448536269514722
    /// One-sided 1 %: 5 % over the five ends of margins that a change may lie beyond.
    private static let zOfFive = 2.3263478740408408
    /// Fewer say nothing of TwoNN.
    package static let fewest = 20
    package static let draws = 40
    private static let splits = 6

    /// - Parameters:
    ///   - first: [N, D], N at least `fewest`.
    ///   - second: [N, D'], row by row what is to be compared.
    ///   - groups: of each row, such as its prompt: rows of one group stay together in halves.
    /// - Throws: `GeometryError`; `LinearAlgebraError`; `CancellationError`.
    package init(
        _ first: Matrix, _ second: Matrix, groups: [Int]? = nil, draws: Int = Self.draws, seed: UInt64,
        pool: ThreadPool, control: RunControl
    ) throws {
        guard first.rows == second.rows else { throw GeometryError.rowsDiffer(first.rows, second.rows) }
        guard first.rows >= Self.fewest else {
            throw GeometryError.tooFewPoints(found: first.rows, needed: Self.fewest)
        }
        let kept = Set(try PointSet(first.rescaled).rows).intersection(try PointSet(second.rescaled).rows).sorted()
        guard kept.count >= Self.fewest else {
            throw GeometryError.tooFewDistinct(found: kept.count, rows: first.rows, needed: Self.fewest)
        }
        let (x, y) = (first.rescaled.selecting(kept), second.rescaled.selecting(kept))
        let halves = Halves(count: kept.count, groups: groups.map { groups in kept.map { groups[Int($0)] } })
        let drawn = halves.canBeDrawn ? draws : 0
        let rows = (0..<drawn).map { draw in
            var random = SeededRandom(seed: seed, .shapeHalves, draw)
            return halves.draw(&random)
        }
        let sides = try [x, y].map { try Side($0) }
        let everything = Array(0..<kept.count)
        let whole = try sides.map { try $0.numbers(everything, pool, control) }
        var parts: [[[Double?]]] = [[], []]
        for (index, side) in sides.enumerated() {
            parts[index] = try side.numbers(halves: rows.map(\.rows), pool, control)
        }
        dimensions = Self.names.indices.compactMap { place -> Dimension? in
            guard let a = whole[0][place], let b = whole[1][place], a > 0, b > 0 else { return nil }
            let pairs = (0..<drawn).compactMap { draw -> (Double, Double)? in
                guard let a = parts[0][draw][place], let b = parts[1][draw][place], a > 0, b > 0 else { return nil }
                return (a, b)
            }
            let spreads = Halves.spread(pairs.map(\.0)).flatMap { one in
                Halves.spread(pairs.map(\.1)).map { (x: one, y: $0) }
            }
            return Dimension(
                name: Self.names[place], x: a, y: b, spreads: spreads,
                ratioSpread: Halves.spread(pairs.map { log($0.1 / $0.0) }))
        }
        let alignments = rows.compactMap { half in
            try? LinearCKA(sides[0].kernel.selecting(half.rows), sides[1].kernel.selecting(half.rows)).value
        }
        cka = MeasuredSimilarity(
            value: try LinearCKA(sides[0].kernel, sides[1].kernel).value, spread: Halves.spread(alignments), floor: nil)
        count = kept.count
        let top = dimensions.first { $0.name == Self.names[0] }?.x ?? 1
        subspaces =
            x.columns == y.columns && drawn > 0
            ? try Self.subspaces(
                x, y, dimension: Int(top.rounded()), splits: rows.prefix(Self.splits).map { $0 }, pool, control) : nil
        finding = Self.finding(dimensions.filter { $0.name != Self.names[2] }, cka)
    }

    private static let names = ["PR", "TwoNN", "d90"]

    /// What is tested: the participation ratio and TwoNN; d90 is a whole number, and too coarse.
    private static func finding(_ dimensions: [Dimension], _ cka: MeasuredSimilarity) -> Finding {
        var intervals: [(low: Double, high: Double, margin: ClosedRange<Double>)] = []
        for dimension in dimensions {
            guard let spread = dimension.ratioSpread else { return .notShown }
            let half = z * spread
            intervals.append(
                (dimension.logRatio - half, dimension.logRatio + half, -ratioMargin...ratioMargin))
        }
        guard let spread = cka.spread, dimensions.count == 2 else { return .notShown }
        intervals.append((cka.value - z * spread, cka.value + z * spread, similarityMargin...Double.infinity))
        if intervals.allSatisfy({ $0.low > $0.margin.lowerBound && $0.high < $0.margin.upperBound }) {
            return .unchanged
        }
        // One of five tails: a margin must be left behind by more than one of them alone would have to be.
        let isChanged = intervals.contains { interval in
            let more = (zOfFive / z - 1) * (interval.high - interval.low) / 2
            return interval.high + more < interval.margin.lowerBound || interval.low - more > interval.margin.upperBound
        }
        return isChanged ? .changed : .notShown
    }

    private static func subspaces(
        _ x: Matrix, _ y: Matrix, dimension: Int, splits: [(rows: [Int], others: [Int])], _ pool: ThreadPool,
        _ control: RunControl
    ) throws -> Subspaces? {
        let smallest = splits.map { min($0.rows.count, $0.others.count) }.min() ?? 0
        let m = min(max(1, dimension), x.columns, smallest - 1)
        guard m >= 1 else { return nil }
        @Sendable func basis(_ points: Matrix, _ rows: [Int]? = nil) throws -> [Double] {
            let part = rows.map { points.selecting($0.map(Int32.init)) } ?? points
            return try PrincipalComponents(of: part, components: m).components.flatMap(\.self)
        }
        let angles = try PrincipalAngles(between: basis(x), and: basis(y), width: x.columns)
        typealias Part = (across: [Double], ceilings: [PrincipalAngles])
        var parts = [Part](repeating: ([], []), count: splits.count)
        try parts.withUnsafeMutableBufferPointer { buffer in
            nonisolated(unsafe) let results = buffer
            try pool.run(tasks: splits.count) { task, _ in
                try control.checkCancellation()
                let split = splits[task]
                let bases = try [x, y].map { (try basis($0, split.rows), try basis($0, split.others)) }
                func between(_ a: [Double], _ b: [Double]) throws -> PrincipalAngles {
                    try PrincipalAngles(between: a, and: b, width: x.columns)
                }
                results[task] = (
                    [
                        try between(bases[0].0, bases[1].1).overlap, try between(bases[0].1, bases[1].0).overlap,
                    ], [try between(bases[0].0, bases[0].1), try between(bases[1].0, bases[1].1)]
                )
            }
        }
        func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
        func median(_ values: [Double]) -> Double {
            let sorted = values.sorted()
            return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
        }
        let ceilings = (0..<2).map { side in parts.map { $0.ceilings[side] } }
        return Subspaces(
            dimension: m, width: x.columns, angles: angles, across: mean(parts.flatMap(\.across)),
            ceiling: ceilings.map { mean($0.map(\.overlap)) }.min() ?? 0,
            ceilingAngle: ceilings.map { median($0.map { $0.radians.last ?? 0 }) }.max() ?? 0)
    }
}

/// One of the two sets.
private struct Side: Sendable {
    let points: Matrix
    let rows: CentredRows
    let kernel: CentredKernel

    init(_ points: Matrix) throws {
        self.points = points
        rows = try CentredRows(points)
        kernel = CentredKernel(rows)
    }

    /// Debiased participation ratio, TwoNN, d90 of some rows; nil where one has no solution.
    func numbers(_ places: [Int], _ pool: ThreadPool, _ control: RunControl) throws -> [Double?] {
        let (ratio, linear) = spectral(places)
        return [ratio, try twoNN(places, pool, control), linear]
    }

    func numbers(halves: [[Int]], _ pool: ThreadPool, _ control: RunControl) throws -> [[Double?]] {
        var spectra = [(Double?, Double?)](repeating: (nil, nil), count: halves.count)
        try spectra.withUnsafeMutableBufferPointer { buffer in
            nonisolated(unsafe) let results = buffer
            try pool.run(tasks: halves.count) { task, _ in
                try control.checkCancellation()
                results[task] = spectral(halves[task])
            }
        }
        return try halves.indices.map { [spectra[$0].0, try twoNN(halves[$0], pool, control), spectra[$0].1] }
    }

    private func spectral(_ places: [Int]) -> (Double?, Double?) {
        let part = places.count == kernel.count ? kernel : kernel.selecting(places)
        let ratio = try? part.debiasedParticipationRatio()
        let eigenvalues: [Double]?
        if places.count <= rows.width {
            eigenvalues = try? SymmetricEigen(of: part.values, size: part.count, vectors: false).values
        } else {
            eigenvalues = (try? rows.selecting(places)).flatMap { rows in
                try? SymmetricEigen(
                    of: Gram.columns(rows.values, rows: rows.count, columns: rows.width), size: rows.width,
                    vectors: false
                ).values
            }
        }
        let linear = eigenvalues.flatMap { try? LinearDimensions(eigenvalues: $0.map { max(0, $0) }) }
        return (ratio, linear.map { Double($0.d90) })
    }

    private func twoNN(_ places: [Int], _ pool: ThreadPool, _ control: RunControl) throws -> Double? {
        let set = try PointSet(points.selecting(places.map(Int32.init)))
        let neighbours = try NeighbourSearch(set, k: 2, pool: pool, control: control.silent).neighbours
        return try? TwoNN.estimate(neighbours).slope
    }
}
