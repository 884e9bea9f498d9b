package import Control
import LinearAlgebra
package import Statistics
import Workbench

/// The principal directions of paired differences, uncentred: the right singular vectors of the matrix whose row i is
/// positive i - negative i. (Zou et al. 2023, Representation Engineering, 3.1.)
package struct PairedPrincipalDirections: Sendable {
    /// The k principal directions, [k, width]: unit vectors, each signed so that most pairs project on its positive
    /// side.
    package let directions: [[Double]]
    /// The singular values σ of the paired differences, [k], largest first; with n pairs, σ / √n is the root mean
    /// square of the pairs' projections.
    package let singularValues: [Double]
    /// The share of the paired differences' squared lengths that lies along each of the k directions, [k].
    package let shares: [Double]
    /// For each of the k directions, the number of pairs whose difference has a positive projection on it, [k].
    package let agreeing: [Proportion]
    package let pairs: Int

    /// - Parameters:
    ///   - rows: as many positive as negative rows, with the pairs in one order.
    ///   - count: the number of directions, at most min(pairs, width).
    /// - Throws: `SubspaceError` for classes of different sizes and for more directions than the differences have;
    ///   `DirectionsError` for pairs of equal rows.
    package init(_ rows: LabelledRows, count k: Int) throws {
        try self.init(differences: try rows.pairedDifferences(), width: rows.width, count: k)
    }

    /// - Parameter differences: the differences of n pairs, [n, width], row after row.
    /// - Throws: `SubspaceError` for more directions than the differences have; `DirectionsError` if all are 0.
    package init(differences: [Double], width: Int, count k: Int) throws {
        let n = differences.count / width
        precondition(k > 0, "\(k) directions")
        guard k <= min(n, width) else { throw SubspaceError.tooMany(vectors: k, width: min(n, width)) }
        let usesRows = n <= width
        let size = min(n, width)
        let gram =
            usesRows
            ? Gram.rows(differences, rows: n, columns: width) : Gram.columns(differences, rows: n, columns: width)
        let eigen = try SymmetricEigen(of: gram, size: size)
        let total = (0..<size).reduce(0) { $0 + gram[$1 * size + $1] }
        guard total > 0 else { throw DirectionsError.identicalClasses }
        var directions: [[Double]] = []
        var agreeing: [Proportion] = []
        for index in 0..<k {
            guard eigen.values[index] > 1e-12 * eigen.values[0] else { throw SubspaceError.dependent(vector: index) }
            let vector = Array(eigen.vectors[index * size..<(index + 1) * size])
            var direction = vector
            if usesRows {
                direction = [Double](repeating: 0, count: width)
                for row in 0..<n { Arithmetic.add(differences, row * width, times: vector[row], to: &direction) }
            }
            let norm = Arithmetic.norm(direction)
            let projections = (0..<n).map { Arithmetic.dot(differences, $0 * width, direction) }
            let scale = Self.sign(projections) / norm
            directions.append(direction.map { $0 * scale })
            agreeing.append(Proportion(projections.lazy.map { $0 * scale > 0 }))
        }
        self.directions = directions
        self.agreeing = agreeing
        singularValues = eigen.values.prefix(k).map { max(0, $0).squareRoot() }
        shares = eigen.values.prefix(k).map { max(0, $0) / total }
        pairs = n
    }

    /// Returns the sign of most projections of pairs on a direction, 1 or -1; the sign of their sum if the votes are
    /// equal.
    static func sign(_ projections: [Double]) -> Double {
        let votes = projections.reduce(0) { $0 + ($1 > 0 ? 1 : $1 < 0 ? -1 : 0) }
        if votes != 0 { return votes > 0 ? 1 : -1 }
        return projections.reduce(0, +) < 0 ? -1 : 1
    }

    /// Measures how well the first principal direction, with a threshold halfway between the classes' means, tells
    /// apart the rows of pairs that it was not made from.
    package static func heldOut(
        _ rows: LabelledRows, folds: Int = 5, seed: UInt64, shuffles: Bool = true, control: RunControl
    ) throws -> HeldOutSeparation {
        _ = try rows.pairedDifferences()
        return try HeldOutSeparation.measure(rows, folds: folds, seed: seed, shuffles: shuffles, control: control) {
            rows in
            let first = try Self(rows, count: 1).directions[0]
            return .between(rows.mean(0..<rows.positives), rows.mean(rows.positives..<rows.count), along: first)
        }
    }
}

extension LabelledRows {
    /// Returns the difference of each pair, row i of the positives minus row i of the negatives, [n, width].
    ///
    /// - Throws: `SubspaceError.differentCounts` if the classes have different numbers of rows.
    package func pairedDifferences() throws -> [Double] {
        guard positives == negatives else { throw SubspaceError.differentCounts(positives, negatives) }
        let half = positives * width
        return (0..<half).map { values[$0] - values[half + $0] }
    }
}
