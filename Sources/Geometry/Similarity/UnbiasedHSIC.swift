/// The Hilbert-Schmidt independence criterion of two kernels over the same points, without the bias of few points, up to
/// the factor 1/(n(n-3)) that quotients don't see (Song, Smola, Gretton, Bedo and Borgwardt 2012, JMLR 13, equation 4).
///
/// From centred kernels K and L: Σ K_ij L_ij - n/(n-2) Σ K_ii L_ii + tr K tr L / ((n-1)(n-2)), which is Song's
/// tr(K~L~) + 1'K~1 1'L~1/((n-1)(n-2)) - 2/(n-2) 1'K~L~1 where K~ and L~ have zeros on the diagonal.
enum UnbiasedHSIC {
    /// - Parameters:
    ///   - products: Σ K_ij L_ij over all pairs.
    ///   - diagonal: Σ K_ii L_ii.
    ///   - traces: tr K tr L.
    ///   - n: points, at least 4.
    static func value(products: Double, diagonal: Double, traces: Double, count n: Int) -> Double {
        let size = Double(n)
        return products - size * diagonal / (size - 2) + traces / ((size - 1) * (size - 2))
    }
}
