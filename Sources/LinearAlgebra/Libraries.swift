internal import COneDNN
internal import COpenBLAS

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// Keeps oneDNN (through OpenMP) and OpenBLAS to one thread on the calling thread: the pool is what runs in parallel.
///
/// OpenMP's limit belongs to each thread, so every worker calls this, and whichever thread brings tasks to a pool.
func pinLibrariesToOneThread() {
    _ = openBLASUsesOneThread
    setOpenMPThreads?(1)
}

/// libgomp comes with oneDNN; its header does not, so its function is looked up. A oneDNN that was built without OpenMP
/// has nothing to limit.
private let setOpenMPThreads: (@convention(c) (Int32) -> Void)? = {
    #if canImport(Glibc)
        let everywhere: UnsafeMutableRawPointer? = nil  // RTLD_DEFAULT
    #else
        let everywhere = UnsafeMutableRawPointer(bitPattern: -2)
    #endif
    return dlsym(everywhere, "omp_set_num_threads").map { unsafeBitCast($0, to: (@convention(c) (Int32) -> Void).self) }
}()

/// OpenBLAS's limit is one for the process. Every user of it touches this first: at several threads its sums, and
/// LAPACK's, are not the same bits from run to run.
let openBLASUsesOneThread: Void = openblas_set_num_threads(1)
