#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// What the operating system says of a file at one moment, by which it is noticed that another program wrote to the file
/// while it was open. Asking takes about a microsecond, and nothing of the file is read.
package struct FileStamp: Equatable, Sendable {
    private let device: UInt64
    private let inode: UInt64
    private let links: UInt64
    package let size: Int
    /// The times at which the file's bytes, and its bytes or attributes, changed last, in seconds and nanoseconds.
    private let written: [Int]
    private let changed: [Int]

    private init(_ status: stat) {
        device = UInt64(truncatingIfNeeded: status.st_dev)
        inode = UInt64(truncatingIfNeeded: status.st_ino)
        links = UInt64(truncatingIfNeeded: status.st_nlink)
        size = Int(status.st_size)
        #if canImport(Glibc)
            let times = [status.st_mtim, status.st_ctim]
        #else
            let times = [status.st_mtimespec, status.st_ctimespec]
        #endif
        written = [Int(times[0].tv_sec), Int(times[0].tv_nsec)]
        changed = [Int(times[1].tv_sec), Int(times[1].tv_nsec)]
    }

    /// Asks about an open file; nil if the system refuses.
    package init?(_ descriptor: Int32) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        self.init(status)
    }

    /// Asks about the file at a path; nil if there is none.
    package init?(path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        self.init(status)
    }

    /// What has become of a file that is open.
    package enum Change: Equatable, Sendable {
        /// The file is smaller than it was; it has `size` bytes now.
        case cut(size: Int)
        /// The file may have been written to.
        case written
    }

    /// Returns what has become of an open file between this stamp and a later one; nil if nothing has.
    ///
    /// Removing the file's name, or putting another file in its place, changes nothing of an open file, although the
    /// time of its attributes changes. Otherwise that time betrays a program that sets back the time of writing.
    ///
    /// - Parameter path: the path by which the file was opened.
    package func change(to now: FileStamp, path: String) -> Change? {
        if now.size < size { return .cut(size: now.size) }
        if size != now.size || written != now.written { return .written }
        guard changed != now.changed, links == now.links, let named = FileStamp(path: path) else { return nil }
        return named.device == device && named.inode == inode ? .written : nil
    }

    /// Returns whether a path leads to another file now, or to one that was written to.
    package func isReplaced(by now: FileStamp?) -> Bool {
        guard let now else { return true }
        return device != now.device || inode != now.inode || size != now.size || written != now.written
    }

    /// Returns the file's name, device, inode, size and time of writing, in words.
    package func words(path: String) -> String {
        "\(FilePlacement.split(path).name), device \(device), inode \(inode), \(size) bytes,"
            + " changed at \(written[0]) s \(written[1]) ns"
    }
}
