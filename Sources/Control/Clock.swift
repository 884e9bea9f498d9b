#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// The time and the memory that the process uses.
package enum Clock {
    /// Returns the seconds of a monotonic clock.
    package static func seconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
    }

    /// Returns the processor time of all the process's threads, in seconds, and the most memory that it ever had
    /// resident, in bytes.
    package static func usage() -> (cpu: Double, peakBytes: Int) {
        var usage = rusage()
        #if canImport(Glibc)
            getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
            // ru_maxrss also counts the memory that the process had before exec.
            let peakBytes = highWaterMark() ?? usage.ru_maxrss * 1024
        #else
            getrusage(RUSAGE_SELF, &usage)
            let peakBytes = usage.ru_maxrss
        #endif
        let cpu =
            Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
            + 1e-6 * Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec)
        return (cpu, peakBytes)
    }

    #if canImport(Glibc)
        /// Returns the most memory that the process ever had resident, in bytes: `VmHWM` of /proc/self/status.
        private static func highWaterMark() -> Int? {
            guard let file = fopen("/proc/self/status", "r") else { return nil }
            defer { fclose(file) }
            var line = [CChar](repeating: 0, count: 256)
            while fgets(&line, 256, file) != nil {
                let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
                if text.hasPrefix("VmHWM:") { return Int(text.filter(\.isNumber)).map { $0 * 1024 } }
            }
            return nil
        }
    #endif
}
