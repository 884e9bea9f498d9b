import LinearAlgebra

/// Variances of a patch along its principal directions, as the rules of local PCA read them.
package enum LocalPCA {
    /// The min(k, D) largest eigenvalues of a patch's kernel, which are those of its covariance times k - 1: no rule
    /// depends on the factor.
    ///
    /// - Parameters:
    ///   - kernel: k points, at least 2; the patch's centre is not one of them in skdim.
    ///   - width: D, the points' coordinates.
    /// - Throws: `GeometryError`; `LinearAlgebraError` from LAPACK.
    package static func eigenvalues(_ kernel: PatchKernel, width: Int) throws -> [Double] {
        guard kernel.size >= 2 else { throw GeometryError.tooFewPoints(found: kernel.size, needed: 2) }
        guard kernel.values.allSatisfy(\.isFinite) else { throw GeometryError.kernelNotFinite }
        return eigenvalues(
            ofKernel: try SymmetricEigen(of: kernel.values, size: kernel.size, vectors: false).values, width: width)
    }

    /// Cuts a kernel's eigenvalues, largest first, to those that its covariance has, and sets those to 0 that float64
    /// cannot tell from 0: below k · 2^-52 of the largest.
    package static func eigenvalues(ofKernel values: [Double], width: Int) -> [Double] {
        let least = (values.first ?? 0) * Double(values.count) * Double.ulpOfOne
        return values.prefix(max(1, width)).map { $0 > least ? $0 : 0 }
    }
}
