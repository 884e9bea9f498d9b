#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// Functions of the system's math library that Swift's own library lacks.
package enum Elementary {
    package static func log(_ x: Double) -> Double {
        #if canImport(Glibc)
            Glibc.log(x)
        #else
            Darwin.log(x)
        #endif
    }

    package static func exp(_ x: Double) -> Double {
        #if canImport(Glibc)
            Glibc.exp(x)
        #else
            Darwin.exp(x)
        #endif
    }

    package static func atanh(_ x: Double) -> Double {
        #if canImport(Glibc)
            Glibc.atanh(x)
        #else
            Darwin.atanh(x)
        #endif
    }
}
