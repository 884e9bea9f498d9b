#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// The memory that is built into the machine, whoever may use it.
package enum PhysicalMemory {
    package static let byteCount = Int(sysconf(Int32(_SC_PHYS_PAGES))) * Int(sysconf(Int32(_SC_PAGESIZE)))
}
