#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// What tells an open file from others, and from itself after a change.
package enum FileState {
    /// The file's name, device, inode, size and time of change, in words, as its descriptor says now.
    package static func describe(_ descriptor: Int32, path: String) -> String {
        let name = FilePlacement.split(path).name
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return name }
        #if canImport(Glibc)
            let time = status.st_mtim
        #else
            let time = status.st_mtimespec
        #endif
        return "\(name), device \(status.st_dev), inode \(status.st_ino), \(status.st_size) bytes,"
            + " changed at \(time.tv_sec) s \(time.tv_nsec) ns"
    }
}
