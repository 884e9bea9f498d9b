#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// Opens a file for reading, without waiting for a FIFO.
///
/// A folder of weights keeps each of its files open. Where the process may have no more files open, it asks for as many
/// as the system lets it have, and tries again.
/// - Returns: the descriptor; below 0 with `errno` if the file can't be opened.
package func openForReading(_ path: String) -> Int32 {
    let flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC
    let descriptor = open(path, flags)
    guard descriptor < 0, errno == EMFILE, raiseFileLimit() else { return descriptor }
    return open(path, flags)
}

/// Raises the number of files that this process may have open, to at most 65,536; `errno` stays EMFILE where it can't.
private func raiseFileLimit() -> Bool {
    #if canImport(Glibc)
        let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #else
        let files = RLIMIT_NOFILE
    #endif
    defer { errno = EMFILE }
    var limit = rlimit()
    guard getrlimit(files, &limit) == 0 else { return false }
    let most = min(limit.rlim_max, 65_536)
    guard limit.rlim_cur < most else { return false }
    limit.rlim_cur = most
    return setrlimit(files, &limit) == 0
}
