package import Control
package import LinearAlgebra
import Statistics

/// Whether a subspace R lies in the principal subspace of a set of points M: C = |V_m'U_R|_F² / dim R, the mean squared
/// cosine of R's directions with their parts in M's first m principal directions, beside what other subspaces of R's
/// dimension have.
///
/// Of three nulls one is of chance, m/D, and two are of directions that activations do vary along: differences of two
/// random halves' means, and of the means of k-means clusters (topics), both of points that M was not fitted to.
package struct ContainmentMeasurement: Sendable {
    /// What a null's draws have.
    package struct Null: Sendable, Equatable {
        /// Ascending.
        package let values: [Double]

        init(_ values: [Double]) { self.values = values.sorted() }

        /// Interpolated between neighbours.
        package func quantile(_ share: Double) -> Double {
            let place = share * Double(values.count - 1)
            let index = min(Int(place), values.count - 2)
            return values[index] + (place - Double(index)) * (values[index + 1] - values[index])
        }
    }

    /// C at one number of principal directions.
    package struct Level: Sendable {
        /// How m was chosen: `d90`, `d99`, `PR`.
        package let name: String
        package let dimensions: Int
        package let value: Double
        /// Its standard error, from halves of M's points; nil where half of them span too little.
        package let spread: Double?
        /// Mean and standard deviation over random subspaces of R's dimension.
        package let haar: (mean: Double, spread: Double)
        package let noise: Null
        package let topics: Null

        /// Whether R is no less in M than one topic contrast in twenty.
        package var isContained: Bool { value >= topics.quantile(0.05) }
    }

    /// d90, d99, and PR where there is one.
    package let levels: [Level]
    /// Points that M was fitted to, and points that contrasts were made of.
    package let counts: (fitted: Int, heldOut: Int)
    package let clusters: Int
    package let draws: Int

    package static let draws = 200
    private static let clusterings = 10
    private static let halves = 20

    /// Clusters for a subspace of k directions: eight, or enough for their means to span as many.
    package static func clusters(for dimension: Int) -> Int { max(8, dimension + 4) }

    /// - Parameters:
    ///   - basis: of R, [k, D], orthonormal rows.
    ///   - fitted: M's points, [N, D].
    ///   - heldOut: others like them, [N', D], at least four a cluster.
    ///   - groups: of each row of both, such as its prompt; rows of one stay together in halves.
    /// - Throws: `GeometryError`; `LinearAlgebraError`; `CancellationError`.
    package init(
        basis: [[Double]], fitted: Matrix, heldOut: Matrix, groups: (fitted: [Int], heldOut: [Int])? = nil,
        draws: Int = Self.draws, seed: UInt64, pool: ThreadPool, control: RunControl
    ) throws {
        precondition(!basis.isEmpty && draws >= 2, "no directions, or too few draws")
        let (k, width) = (basis.count, fitted.columns)
        for columns in [basis[0].count, heldOut.columns] where columns != width {
            throw GeometryError.widthsDiffer(columns, width)
        }
        let clusters = Self.clusters(for: k)
        let others = try CentredRows(heldOut)
        guard others.count >= 4 * clusters else {
            throw GeometryError.tooFewPoints(found: others.count, needed: 4 * clusters)
        }
        let whole = try CentredRows(fitted)
        let spectrum = try PrincipalComponents(of: fitted, components: 0)
        var sizes = [("d90", spectrum.dimensions(holding: 0.90)), ("d99", spectrum.dimensions(holding: 0.99))]
        // Points that are all but equally far apart have no participation ratio; the others stand.
        if let ratio = try? CentredKernel(whole).debiasedParticipationRatio() {
            sizes.append(("PR", max(1, min(Int(ratio.rounded()), min(fitted.rows - 1, width)))))
        }
        let most = sizes.map(\.1).max() ?? 1
        let directions = try PrincipalComponents(of: fitted, components: most).components
        try control.checkCancellation()
        let energies = Self.energies(basis, directions)
        let labels = try Self.clusterings(others, clusters, seed, pool, control)
        let splits = Halves(count: others.count, groups: groups?.heldOut)
        var drawn = [(noise: [Double], topics: [Double])](repeating: ([], []), count: draws)
        try drawn.withUnsafeMutableBufferPointer { buffer in
            nonisolated(unsafe) let results = buffer
            try pool.run(tasks: draws) { task, _ in
                try control.checkCancellation()
                var random = SeededRandom(seed: seed, .containment, 1, task)
                let noise = (0..<k).map { _ in
                    let half = splits.draw(&random)
                    return Self.difference(Self.mean(others, half.rows), Self.mean(others, half.others))
                }
                let means = labels[task % labels.count]
                let order = random.permutation(means.count)
                let topics = (1...k).map { Self.difference(means[order[$0]], means[order[0]]) }
                let bases = (Self.orthonormal(noise), Self.orthonormal(topics))
                guard !bases.0.isEmpty, !bases.1.isEmpty else {
                    throw GeometryError.tooFewDistinct(found: 1, rows: others.count, needed: clusters)
                }
                results[task] = (Self.energies(bases.0, directions), Self.energies(bases.1, directions))
            }
        }
        let parts = try Self.parts(basis, fitted, groups?.fitted, most: most, seed, pool, control)
        levels = sizes.map { name, m in
            func share(_ energies: [Double]) -> Double { min(1, energies.prefix(m).reduce(0, +)) }
            let (d, size, kept) = (Double(width), Double(k), Double(m))
            let variance =
                width > 1 ? 2 * kept * (d - kept) * (d - size) / (size * d * d * (d - 1) * (d + 2)) : 0
            let spread = parts.allSatisfy { $0.count >= m } ? Halves.spread(parts.map(share)) : nil
            return Level(
                name: name, dimensions: m, value: share(energies), spread: spread,
                haar: (kept / d, max(0, variance).squareRoot()), noise: Null(drawn.map { share($0.noise) }),
                topics: Null(drawn.map { share($0.topics) }))
        }
        counts = (fitted.rows, heldOut.rows)
        self.clusters = clusters
        self.draws = draws
    }

    /// Of each principal direction v, Σ (v'u)² / k over the basis. [directions]
    private static func energies(_ basis: [[Double]], _ directions: [[Double]]) -> [Double] {
        directions.map { direction in
            basis.reduce(0) { sum, unit in
                var product = 0.0
                for column in unit.indices { product += unit[column] * direction[column] }
                return sum + product * product
            } / Double(max(1, basis.count))
        }
    }

    /// The same with M fitted to halves of its points; [] where a half spans too few directions.
    private static func parts(
        _ basis: [[Double]], _ fitted: Matrix, _ groups: [Int]?, most: Int, _ seed: UInt64, _ pool: ThreadPool,
        _ control: RunControl
    ) throws -> [[Double]] {
        let halves = Halves(count: fitted.rows, groups: groups)
        guard halves.canBeDrawn else { return [] }
        var parts = [[Double]](repeating: [], count: Self.halves)
        try parts.withUnsafeMutableBufferPointer { buffer in
            nonisolated(unsafe) let results = buffer
            try pool.run(tasks: Self.halves) { task, _ in
                try control.checkCancellation()
                var random = SeededRandom(seed: seed, .containment, 2, task)
                let rows = halves.draw(&random).rows
                let part = fitted.selecting(rows.map(Int32.init))
                let wanted = min(most, rows.count - 1)
                guard wanted > 0 else { return }
                results[task] = energies(basis, try PrincipalComponents(of: part, components: wanted).components)
            }
        }
        return parts
    }

    /// Cluster means of several clusterings. [clusterings][clusters][D]
    private static func clusterings(
        _ points: CentredRows, _ clusters: Int, _ seed: UInt64, _ pool: ThreadPool, _ control: RunControl
    ) throws -> [[[Double]]] {
        var found = [[[Double]]](repeating: [], count: clusterings)
        try found.withUnsafeMutableBufferPointer { buffer in
            nonisolated(unsafe) let results = buffer
            try pool.run(tasks: clusterings) { task, _ in
                var random = SeededRandom(seed: seed, .containment, 0, task)
                results[task] = try KMeans(points, k: clusters, random: &random, control: control).means
            }
        }
        return found
    }

    private static func mean(_ points: CentredRows, _ rows: [Int]) -> [Double] {
        var sums = [Double](repeating: 0, count: points.width)
        for row in rows {
            for column in 0..<points.width { sums[column] += points.values[row * points.width + column] }
        }
        return sums.map { $0 / Double(max(1, rows.count)) }
    }

    private static func difference(_ a: [Double], _ b: [Double]) -> [Double] { zip(a, b).map { $0 - $1 } }

    /// Gram-Schmidt, each vector twice; what lies in the span of those before it is left out.
    private static func orthonormal(_ vectors: [[Double]]) -> [[Double]] {
        var basis: [[Double]] = []
        for vector in vectors {
            func length(_ x: [Double]) -> Double { x.reduce(0) { $0 + $1 * $1 }.squareRoot() }
            var rest = vector
            for _ in 0..<2 {
                for unit in basis {
                    let product = zip(rest, unit).reduce(0) { $0 + $1.0 * $1.1 }
                    for column in rest.indices { rest[column] -= product * unit[column] }
                }
            }
            let size = length(rest)
            if size > 1e-9 * length(vector), size > 0 { basis.append(rest.map { $0 / size }) }
        }
        return basis
    }
}
