internal import LinearAlgebra

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// Principal angles between two subspaces: the smallest angle between a direction of the one and one of the other, then
/// the smallest orthogonal to both of these, and so on.
///
/// Cosines are singular values of the product of the bases; below 45 degrees, where a cosine says little, sines come
/// from what the larger space leaves of the smaller (Björck and Golub 1973, Mathematics of Computation 27). The same as
/// `scipy.linalg.subspace_angles`, in the other order. Exactly 0 between a basis and itself.
package struct PrincipalAngles: Sendable, Equatable {
    /// Largest first; as many as the smaller space has directions.
    package let cosines: [Double]
    /// Smallest first.
    package let radians: [Double]

    /// - Parameters:
    ///   - a: [k, width], orthonormal rows, k at least 1.
    ///   - b: [l, width], orthonormal rows, l at least 1.
    /// - Throws: `LinearAlgebraError` from LAPACK.
    package init(between a: [Double], and b: [Double], width: Int) throws {
        precondition(width > 0 && a.count % width == 0 && b.count % width == 0, "bases of one width")
        let (large, small) = a.count >= b.count ? (a, b) : (b, a)
        let (k, l) = (small.count / width, large.count / width)
        precondition(k > 0, "a subspace of no directions")
        guard a != b else {
            // What rounding would leave of it is not to be read as an angle.
            (cosines, radians) = (Array(repeating: 1, count: k), Array(repeating: 0, count: k))
            return
        }
        var products = [Double](repeating: 0, count: k * l)
        var residual = small
        for i in 0..<k {
            for j in 0..<l {
                var sum = 0.0
                for column in 0..<width { sum += small[i * width + column] * large[j * width + column] }
                products[i * l + j] = sum
                for column in 0..<width { residual[i * width + column] -= sum * large[j * width + column] }
            }
        }
        cosines = try SingularValues(of: products, rows: k, columns: l).values.map { min(1, $0) }
        let sines = try SingularValues(of: residual, rows: k, columns: width).values
        var radians: [Double] = []
        for (index, cosine) in cosines.enumerated() {
            radians.append(cosine * cosine >= 0.5 ? asin(min(1, sines[k - 1 - index])) : acos(cosine))
        }
        self.radians = radians
    }

    /// Mean squared cosine: 1 if the smaller space lies in the larger one, max(k, l) / width on average for random ones.
    package var overlap: Double { cosines.reduce(0) { $0 + $1 * $1 } / Double(cosines.count) }
}
