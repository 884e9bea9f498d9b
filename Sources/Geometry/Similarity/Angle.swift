#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// Angles between directions.
package enum Angle {
    /// Returns the angle with a cosine, in degrees, 0 to 180.
    package static func degrees(cosine: Double) -> Double { acos(min(1, max(-1, cosine))) * 180 / .pi }
}
