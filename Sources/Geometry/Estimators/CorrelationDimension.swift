package import Control
package import LinearAlgebra
import Statistics

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// Dimension from how the share C(r) of pairs of points nearer than r grows with r (Grassberger and Procaccia 1983,
/// Physica D 9, 189-208).
package enum CorrelationDimension {
    /// ln(C(r2)/C(r1)) / ln(r2/r1), r1 and r2 the medians of the distances to neighbours `near` and `far`
    /// (skdim.id.CorrInt).
    ///
    /// A point whose table ends beyond r2 is counted from the table; the others need distances to all points, N · D
    /// multiplications each. Where that is more than `exactWork` in all and there is a pool, these distances come from
    /// f32 products about the mean, right to 1e-6 of the points' squared norms.
    ///
    /// - Parameters:
    ///   - neighbours: of `points`, k >= `far`.
    ///   - points: [N, D].
    ///   - pool: threads for the distances.
    ///   - exactWork: multiplications up to which all distances are made in float64.
    /// - Throws: `GeometryError`; `CancellationError`.
    package static func betweenNeighbours(
        _ neighbours: NearestNeighbours, of points: Matrix, near: Int = 10, far: Int = 20, pool: ThreadPool? = nil,
        exactWork: Double = CorrelationDimension.exactWork, control: RunControl? = nil
    ) throws -> Double {
        guard near >= 1, far > near else {
            throw GeometryError.outOfRange(
                option: "neighbour ranks", value: "\(near) and \(far)", allowed: "1 or more, and a larger one")
        }
        precondition(neighbours.count == points.rows, "\(neighbours.count) neighbour rows of \(points.rows) points")
        guard neighbours.count >= 2 else { throw GeometryError.tooFewPoints(found: neighbours.count, needed: 2) }
        _ = try neighbours.logRatios(near: near, far: far)
        let r1 = median((0..<neighbours.count).map { neighbours.distance($0, rank: near) })
        let r2 = median((0..<neighbours.count).map { neighbours.distance($0, rank: far) })
        let open = (0..<neighbours.count).filter { neighbours.distance($0, rank: neighbours.k) < r2 }
        var counts = (near: 0, far: 0)
        for point in 0..<neighbours.count where neighbours.distance(point, rank: neighbours.k) >= r2 {
            for distance in neighbours.distances[point * neighbours.k..<(point + 1) * neighbours.k] {
                guard distance < r2 else { break }
                counts.far += 1
                if distance < r1 { counts.near += 1 }
            }
        }
        let work = Double(open.count) * Double(points.rows) * Double(points.columns)
        let scanned =
            if let pool, work > exactWork {
                try scanTiles(points, rows: open, r1: r1, r2: r2, pool: pool, control: control)
            } else {
                try scan(points, rows: open, r1: r1, r2: r2, pool: pool, control: control)
            }
        counts.near += scanned.near
        counts.far += scanned.far
        guard counts.near > 0, counts.far > counts.near, r2 > r1 else {
            throw GeometryError.equalDistances(near: near, far: far)
        }
        return log(Double(counts.far) / Double(counts.near)) / log(r2 / r1)
    }

    /// The slope of ln C(r) on ln r.
    package struct Slope: Sendable, Equatable {
        package let dimension: Double
        /// Shares of pairs, and their distances, between which the slope was fitted.
        package let shares: ClosedRange<Double>
        package let distances: ClosedRange<Double>
        /// Pairs that C(r) was counted over.
        package let pairs: Int
    }

    /// Grassberger and Procaccia's slope, by least squares at 20 shares C evenly spaced in ln C.
    ///
    /// - Parameters:
    ///   - points: [N, D], no two alike.
    ///   - shares: of the pair distances; the lower end is raised so that at least 20 pairs lie below it.
    ///   - pairs: all pairs are taken up to this many, otherwise so many drawn at random.
    ///   - seed: of the draw.
    /// - Throws: `GeometryError`; `CancellationError`.
    package static func slope(
        _ points: Matrix, shares: ClosedRange<Double> = 0.001...0.05, pairs wanted: Int = 2_000_000, seed: UInt64 = 0,
        control: RunControl? = nil
    ) throws -> Slope {
        guard shares.lowerBound > 0, shares.upperBound <= 1, shares.lowerBound < shares.upperBound else {
            throw GeometryError.outOfRange(
                option: "shares", value: "\(shares.lowerBound)...\(shares.upperBound)",
                allowed: "two shares of the pairs, above 0 and up to 1")
        }
        if let bad = points.values.firstIndex(where: { !$0.isFinite }) {
            throw GeometryError.notFinite(row: bad / points.columns, column: bad % points.columns)
        }
        let sorted = try pairDistances(points, wanted: wanted, seed: seed, control: control).sorted()
        let count = Double(sorted.count)
        let low = max(shares.lowerBound, 20 / count)
        guard low * 2 <= shares.upperBound else {
            // 40 pairs below the upper end.
            let needed = (80 / shares.upperBound).squareRoot().rounded(.up) + 1
            throw GeometryError.tooFewPoints(found: points.rows, needed: needed < 1e9 ? Int(needed) : Int.max)
        }
        let steps = 20
        var (xs, ys) = ([Double](), [Double]())
        for step in 0..<steps {
            let share = low * pow(shares.upperBound / low, Double(step) / Double(steps - 1))
            let rank = min(sorted.count, max(1, Int((share * count).rounded())))
            xs.append(log(sorted[rank - 1]))
            ys.append(log(Double(rank) / count))
        }
        let (meanX, meanY) = (xs.reduce(0, +) / Double(steps), ys.reduce(0, +) / Double(steps))
        let xx = xs.reduce(0) { $0 + ($1 - meanX) * ($1 - meanX) }
        let xy = zip(xs, ys).reduce(0) { $0 + ($1.0 - meanX) * ($1.1 - meanY) }
        guard xx > 0, xy / xx < largestResolvedDimension else { throw GeometryError.equalDistances(near: 1, far: 2) }
        return Slope(
            dimension: xy / xx, shares: low...shares.upperBound, distances: exp(xs[0])...exp(xs[steps - 1]),
            pairs: sorted.count)
    }

    private static func pairDistances(
        _ points: Matrix, wanted: Int, seed: UInt64, control: RunControl?
    ) throws -> [Double] {
        let n = points.rows
        guard n >= 2 else { throw GeometryError.tooFewPoints(found: n, needed: 2) }
        var result: [Double] = []
        func add(_ i: Int, _ j: Int) throws {
            let square = squaredDistance(points, i, j)
            guard square > 0 else { throw GeometryError.coincidentPoints(row: max(i, j)) }
            result.append(square.squareRoot())
            if result.count & 0xFFF == 0 { try control?.checkCancellation() }
        }
        let (product, overflows) = n.multipliedReportingOverflow(by: n - 1)
        if !overflows, product / 2 <= wanted {
            result.reserveCapacity(product / 2)
            for i in 1..<n {
                for j in 0..<i { try add(i, j) }
            }
        } else {
            var random = SeededRandom(seed: seed)
            result.reserveCapacity(max(0, wanted))
            while result.count < wanted {
                let i = Int.random(in: 0..<n, using: &random)
                let j = Int.random(in: 0..<n - 1, using: &random)
                try add(i, j < i ? j : j + 1)
            }
        }
        return result
    }

    /// Multiplications in float64 that take some ten seconds.
    package static let exactWork = 5e10

    /// As `scan`, from f32 products of tiles.
    private static func scanTiles(
        _ points: Matrix, rows: [Int], r1: Double, r2: Double, pool: ThreadPool, control: RunControl?
    ) throws -> (near: Int, far: Int) {
        let (n, d, side) = (points.rows, points.columns, 512)
        let centre = points.columnMeans.map { Float($0) }
        let tasks = (rows.count + side - 1) / side
        let (squared1, squared2) = (Float(r1 * r1), Float(r2 * r2))
        var near = [Int](repeating: 0, count: tasks)
        var far = [Int](repeating: 0, count: tasks)
        try near.withUnsafeMutableBufferPointer { near in
            try far.withUnsafeMutableBufferPointer { far in
                let (near, far) = (TaskCounts(near), TaskCounts(far))
                try pool.run(tasks: tasks) { task, worker in
                    let chosen = rows[task * side..<min(rows.count, (task + 1) * side)]
                    let a = worker.scratch(0, count: side * d)
                    let b = worker.scratch(1, count: side * d)
                    let products = worker.scratch(2, count: side * side)
                    let normsA = chosen.enumerated().map { centred(points, $1, centre, into: a + $0 * d) }
                    for first in stride(from: 0, to: n, by: side) {
                        try control?.checkCancellation()
                        let count = min(side, n - first)
                        let normsB = (0..<count).map { centred(points, first + $0, centre, into: b + $0 * d) }
                        worker.products.multiply(
                            a, rows: chosen.count, by: ProductWeight(b, .f32, .rows(stride: d)), outputs: count,
                            inputs: d, into: products)
                        for (place, row) in chosen.enumerated() {
                            let line = products + place * count
                            for other in 0..<count where first + other != row {
                                let square = normsA[place] + normsB[other] - 2 * line[other]
                                if square < squared2 { far.counts[task] += 1 }
                                if square < squared1 { near.counts[task] += 1 }
                            }
                        }
                    }
                }
            }
        }
        return (near.reduce(0, +), far.reduce(0, +))
    }

    /// A point about the centre, and its squared norm.
    private static func centred(
        _ points: Matrix, _ row: Int, _ centre: [Float], into target: UnsafeMutablePointer<Float>
    ) -> Float {
        points.values.withUnsafeBufferPointer { values in
            let source = values.baseAddress! + row * points.columns
            for column in 0..<points.columns { target[column] = source[column] - centre[column] }
        }
        return VectorMath.dot(target, target, count: points.columns)
    }

    /// Ordered pairs from `rows` to all other points nearer than r1 and r2.
    private static func scan(
        _ points: Matrix, rows: [Int], r1: Double, r2: Double, pool: ThreadPool?, control: RunControl?
    ) throws -> (near: Int, far: Int) {
        let perTask = 16
        let tasks = (rows.count + perTask - 1) / perTask
        var near = [Int](repeating: 0, count: tasks)
        var far = [Int](repeating: 0, count: tasks)
        try near.withUnsafeMutableBufferPointer { near in
            try far.withUnsafeMutableBufferPointer { far in
                let (near, far) = (TaskCounts(near), TaskCounts(far))
                func count(_ task: Int) throws {
                    try control?.checkCancellation()
                    for row in rows[task * perTask..<min(rows.count, (task + 1) * perTask)] {
                        for other in 0..<points.rows where other != row {
                            let distance = squaredDistance(points, row, other).squareRoot()
                            if distance < r2 { far.counts[task] += 1 }
                            if distance < r1 { near.counts[task] += 1 }
                        }
                    }
                }
                if let pool {
                    try pool.run(tasks: tasks) { task, _ in try count(task) }
                } else {
                    for task in 0..<tasks { try count(task) }
                }
            }
        }
        return (near.reduce(0, +), far.reduce(0, +))
    }

    /// Each task writes its own element.
    private struct TaskCounts: @unchecked Sendable {
        let counts: UnsafeMutableBufferPointer<Int>
        init(_ counts: UnsafeMutableBufferPointer<Int>) { self.counts = counts }
    }

    private static func squaredDistance(_ points: Matrix, _ i: Int, _ j: Int) -> Double {
        let d = points.columns
        return points.values.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return 0 }
            let (a, b) = (base + i * d * 4, base + j * d * 4)
            var (s, t) = (SIMD4<Double>.zero, SIMD4<Double>.zero)
            var column = 0
            while column + 8 <= d {
                let x = a.loadUnaligned(fromByteOffset: column * 4, as: SIMD8<Float>.self)
                let y = b.loadUnaligned(fromByteOffset: column * 4, as: SIMD8<Float>.self)
                let low = SIMD4<Double>(x.lowHalf) - SIMD4<Double>(y.lowHalf)
                let high = SIMD4<Double>(x.highHalf) - SIMD4<Double>(y.highHalf)
                s += low * low
                t += high * high
                column += 8
            }
            var sum = (s + t).sum()
            while column < d {
                let x = a.loadUnaligned(fromByteOffset: column * 4, as: Float.self)
                let y = b.loadUnaligned(fromByteOffset: column * 4, as: Float.self)
                let difference = Double(x) - Double(y)
                sum += difference * difference
                column += 1
            }
            return sum
        }
    }

    private static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}
