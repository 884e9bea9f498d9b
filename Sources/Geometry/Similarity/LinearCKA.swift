/// Centred kernel alignment with linear kernels, without the bias of few points: HSIC(K, L) over the root of HSIC(K, K)
/// HSIC(L, L), each unbiased (Kornblith et al. 2019, ICML; debiased as Murphy, Zylberberg and Fyshe 2024). 1 for points
/// that are the same up to rotation and one scale; about 0 for unrelated ones, and negative as often as not.
package struct LinearCKA: Sendable {
    private let k: CentredKernel
    private let l: CentredKernel
    /// √(HSIC(K, K) HSIC(L, L))
    private let scale: Double

    /// The fewest points of which the bias can be taken away.
    package static let fewest = 4

    /// - Parameters: kernels over the same points, at least `fewest`.
    /// - Throws: `GeometryError` for kernels of different sizes, and for points all but equally far apart.
    package init(_ k: CentredKernel, _ l: CentredKernel) throws {
        guard k.count == l.count else { throw GeometryError.rowsDiffer(k.count, l.count) }
        guard k.count >= Self.fewest else { throw GeometryError.tooFewPoints(found: k.count, needed: Self.fewest) }
        let (a, b) = (k.independence(from: k), l.independence(from: l))
        // What rounding leaves of points that are equally far apart is no alignment.
        guard a > 1e-12 * k.trace * k.trace / Double(k.count), b > 1e-12 * l.trace * l.trace / Double(l.count) else {
            throw GeometryError.unresolved(estimator: "debiased CKA", points: k.count)
        }
        (self.k, self.l) = (k, l)
        scale = (a * b).squareRoot()
    }

    package var value: Double { min(1, k.independence(from: l) / scale) }

    /// The same with the second set's points in another order: what unrelated rows give.
    package func value(order: [Int]) -> Double { min(1, k.independence(from: l, order: order) / scale) }
}
