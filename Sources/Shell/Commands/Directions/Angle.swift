#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

enum Angle {
    static func degrees(cosine: Double) -> Double { acos(min(1, max(-1, cosine))) * 180 / .pi }
}
