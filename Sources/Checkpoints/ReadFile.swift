#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// Reads a whole regular file of at most `limit` bytes, without waiting for FIFOs.
func readFile(_ path: String, limit: Int) throws -> [UInt8] {
    func failure(_ problem: String, _ remedy: String) -> CheckpointError {
        CheckpointError(.configuration, file: path, problem: problem, remedy: remedy)
    }
    let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else {
        throw failure("the file cannot be opened (\(String(cString: strerror(errno))))", "check the path")
    }
    defer { _ = close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
        throw failure("this is not a regular file", "name the model's config.json")
    }
    guard status.st_size <= limit else {
        throw failure("the file has \(status.st_size) bytes, more than \(limit)", "name the model's config.json")
    }
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    var done = 0
    while done < bytes.count {
        let count = bytes.withUnsafeMutableBytes {
            pread(descriptor, $0.baseAddress! + done, $0.count - done, off_t(done))
        }
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { throw failure("reading the file failed", "check the disk") }
        done += count
    }
    return bytes
}
