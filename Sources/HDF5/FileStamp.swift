import Synchronization

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// What the operating system says of a file at one moment, by which it is noticed that another program wrote to the file
/// while it was open. Asking takes about a microsecond, and nothing of the file is read.
package struct FileStamp: Equatable, Sendable {
    /// A file as the operating system knows it, whatever its names.
    package struct Identity: Hashable, Sendable {
        fileprivate let device: UInt64
        fileprivate let inode: UInt64
    }

    package let identity: Identity
    private let links: UInt64
    package let size: Int
    /// The times at which the file's bytes, and its bytes or attributes, changed last, in seconds and nanoseconds.
    private let written: [Int]
    private let changed: [Int]

    private init(_ status: stat) {
        identity = Identity(
            device: UInt64(truncatingIfNeeded: status.st_dev), inode: UInt64(truncatingIfNeeded: status.st_ino))
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
        /// The file has another size now.
        case resized(to: Int)
        /// The file's time of writing changed.
        case written
        /// The file's status changed, and nothing says why: its permissions were changed, a link to it came and went, or
        /// it was written to by a program that set back the time of writing.
        case status
        /// A part of the file, by its name, has other contents.
        case contents(of: String)
        /// The operating system does not say any more, for the reason with this code.
        case unknown(code: Int32)
    }

    /// Returns what has become of an open file between this stamp and a later one; nil if nothing has.
    ///
    /// Removing the file's name, or putting another file in its place, changes nothing of an open file, although the
    /// time of its attributes changes; so does a new link.
    ///
    /// - Parameter path: the path by which the file was opened.
    package func change(to now: FileStamp, path: String) -> Change? {
        if size != now.size { return .resized(to: now.size) }
        if written != now.written { return .written }
        guard changed != now.changed, links == now.links, let named = FileStamp(path: path) else { return nil }
        return named.identity == identity ? .status : nil
    }

    /// Returns the file's name, device, inode, size and time of writing, in words.
    package func words(path: String) -> String {
        "\(FilePlacement.split(path).name), device \(identity.device), inode \(identity.inode), \(size) bytes,"
            + " changed at \(written[0]) s \(written[1]) ns"
    }
}

extension FileStamp.Change {
    /// The change in words, as the problem with a file that had so many bytes when it was opened.
    package func problem(size: Int) -> String {
        switch self {
        case .resized(let now) where now < size: "the file was cut from \(size) to \(now) bytes since it was opened"
        case .resized(let now): "the file was written to since it was opened: it grew from \(size) to \(now) bytes"
        case .written: "the file was written to since it was opened: its time of writing changed"
        case .status:
            "the file's status changed since it was opened: its permissions, its links, or its contents with the time of"
                + " writing set back"
        case .contents: "the file was written to since it was opened: these bytes are not what they were"
        case .unknown(let code): "the file can no longer be examined (\(String(cString: strerror(code))))"
        }
    }
}

/// What is known of the contents of a file that was opened before: whether they are still the same.
package enum FileContents: Equatable, Sendable {
    case same
    /// The part of this name is not what it was.
    case other(part: String)
    /// The file does not record enough to tell.
    case unknown
}

/// Watches an open file, of which something is still to be read, for other programs that write to it.
package final class FileWatch: Sendable {
    /// The file's stamp when it was opened.
    package let opened: FileStamp
    private let path: String
    private let state: Mutex<State>

    private struct State {
        /// The last stamp under which the contents were known to be those that were opened.
        var last: FileStamp
        /// What the last comparison found that did not find them to be the same, with the stamp that the file had.
        var refused: (stamp: FileStamp, change: FileStamp.Change)?
    }

    /// - Parameter path: the path by which the file was opened.
    package init(_ opened: FileStamp, path: String) {
        self.opened = opened
        self.path = path
        state = Mutex(State(last: opened))
    }

    /// Returns what has become of the file, which is open as `descriptor`; nil if its contents are those that were opened.
    ///
    /// - Parameter compare: compares the contents with what they were, if it can. It is called once for each change of
    ///   times that leaves the size, `.written` or `.status`, and must not ask for the file's changes itself.
    package func change(
        _ descriptor: Int32, compare: (FileStamp.Change) throws -> FileContents = { _ in .unknown }
    ) throws -> FileStamp.Change? {
        try state.withLock { state in
            guard let now = FileStamp(descriptor) else { return .unknown(code: errno) }
            if let refused = state.refused, refused.stamp == now { return refused.change }
            var found = state.last.change(to: now, path: path)
            if let change = found, change == .written || change == .status {
                switch try compare(change) {
                case .same: found = nil
                case .other(let part): found = .contents(of: part)
                case .unknown: break
                }
            }
            if let found { state.refused = (now, found) } else { (state.last, state.refused) = (now, nil) }
            return found
        }
    }
}
