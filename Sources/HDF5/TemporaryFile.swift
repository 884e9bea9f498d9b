internal import CHDF5
import Synchronization

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// A file being written beside its target. It takes the target's place whole, or leaves no trace.
final class TemporaryFile {
    let target: String
    let path: String
    let descriptor: Int32
    private let folder: String
    private let mayReplace: Bool
    private var isPending = true

    /// Creates an empty file in the target's folder, with the old target's permissions if there is one.
    init(target: String, overwrite: Bool, expectedBytes: Int) throws {
        let target = try FilePlacement.resolve(target)
        let permissions = try FilePlacement.checkTarget(target, overwrite: overwrite)
        self.target = target
        self.mayReplace = overwrite
        folder = FilePlacement.split(target).folder
        try FilePlacement.checkSpace(folder, target, expectedBytes)
        let folder = folder
        (path, descriptor) = try FilePlacement.createTemporary(beside: target) {
            HDF5Error.system(target, "no file can be created in \(folder)", $0)
        }
        if let permissions { _ = fchmod(descriptor, mode_t(permissions)) }
    }

    /// Reserves the blocks, so that a disk that fills up is known of before libhdf5 meets it.
    func reserve(_ byteCount: Int) throws {
        if nh5_reserve(descriptor, Int64(byteCount)) != 0, [ENOSPC, EFBIG, EDQUOT].contains(errno) {
            throw FilePlacement.full(target, byteCount, nil)
        }
    }

    /// Flushes, renames over the target and flushes the folder.
    func commit() throws {
        // Gives back what was reserved beyond the end.
        var status = stat()
        if fstat(descriptor, &status) == 0 { _ = ftruncate(descriptor, status.st_size) }
        guard fsync(descriptor) == 0 else { throw HDF5Error.system(target, "writing to the disk failed", errno) }
        try FilePlacement.move(path, to: target, overwrite: mayReplace)
        isPending = false
        FilePlacement.forget(temporary: path)
        try FilePlacement.flush(folder: folder, of: target)
    }

    func discard() {
        guard isPending else { return }
        isPending = false
        FilePlacement.discard(temporary: path)
    }

    deinit {
        discard()
        _ = close(descriptor)
    }
}

extension FilePlacement {
    /// Creates an empty file beside a target, whose name no other writer's has. It is removed when the process exits,
    /// unless it is discarded or takes its place before.
    ///
    /// - Parameter failure: the error for the number of an error of the operating system.
    package static func createTemporary(
        beside target: String, failure: (Int32) -> any Error
    ) throws -> (path: String, descriptor: Int32) {
        let (folder, name) = split(target)
        while true {
            let suffix = String(UInt64.random(in: .min ... .max), radix: 36)
            // A long name would not leave room for the suffix.
            let path = "\(folder)/.\(name.prefix(40)).\(getpid())-\(suffix).tmp"
            let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
            if descriptor >= 0 {
                Leftovers.add(path)
                return (path, descriptor)
            }
            if errno != EEXIST, errno != EINTR { throw failure(errno) }
        }
    }

    /// Removes a temporary file that is not to take its place.
    package static func discard(temporary path: String) {
        _ = unlink(path)
        forget(temporary: path)
    }

    /// Leaves a temporary file alone from now on, since it has taken its place.
    package static func forget(temporary path: String) { Leftovers.remove(path) }
}

/// Temporary files to remove if the process exits while they are being written.
private enum Leftovers {
    private static let paths = Mutex<(isRegistered: Bool, paths: Set<String>)>((false, []))

    static func add(_ path: String) {
        // The process may change its folder before it exits.
        let absolute = FilePlacement.realPath(path)
        paths.withLock { state in
            state.paths.insert(absolute ?? path)
            if !state.isRegistered {
                state.isRegistered = true
                atexit { Leftovers.removeAll() }
            }
        }
    }

    static func remove(_ path: String) {
        paths.withLock { state in
            if state.paths.remove(path) == nil {
                let name = path.split(separator: "/").last ?? ""
                if let found = state.paths.first(where: { $0.hasSuffix("/" + name) }) { state.paths.remove(found) }
            }
        }
    }

    private static func removeAll() {
        // Another thread may hold the lock for ever now that the process is ending.
        _ = paths.withLockIfAvailable { state in
            for path in state.paths { _ = unlink(path) }
        }
    }
}
