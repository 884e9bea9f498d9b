#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// Time and memory of the process.
package enum Clock {
    /// Monotonic.
    package static func seconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
    }

    /// Processor time of all threads, and the most memory ever resident.
    package static func usage() -> (cpu: Double, peakBytes: Int) {
        var usage = rusage()
        #if canImport(Glibc)
            getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
            let unit = 1024
        #else
            getrusage(RUSAGE_SELF, &usage)
            let unit = 1
        #endif
        let cpu =
            Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
            + 1e-6 * Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec)
        return (cpu, usage.ru_maxrss * unit)
    }
}
