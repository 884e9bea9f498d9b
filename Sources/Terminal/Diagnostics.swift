#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// A writer of messages to standard error.
package enum Diagnostics {
    package static func write(_ line: String) {
        fflush(stdout)
        fputs(line + "\n", stderr)
    }
}
