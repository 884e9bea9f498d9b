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
        let target = try TemporaryFile.resolve(target)
        let permissions = try TemporaryFile.checkTarget(target, overwrite)
        self.target = target
        self.mayReplace = overwrite
        let slash = target.lastIndex(of: "/")
        folder = slash.map { $0 == target.startIndex ? "/" : String(target[..<$0]) } ?? "."
        let name = slash.map { String(target[target.index(after: $0)...]) } ?? target
        try TemporaryFile.checkSpace(folder, target, expectedBytes)
        var created: (path: String, descriptor: Int32)?
        var code: Int32 = EEXIST
        while created == nil, code == EEXIST {
            let suffix = String(UInt32.random(in: .min ... .max), radix: 36)
            // A long name would not leave room for the suffix.
            let path = "\(folder)/.\(name.prefix(40)).\(getpid())-\(suffix).tmp"
            let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
            if descriptor >= 0 { created = (path, descriptor) } else { code = errno }
        }
        guard let created else { throw HDF5Error.system(target, "no file can be created in \(folder)", code) }
        (path, descriptor) = created
        if let permissions { _ = fchmod(descriptor, permissions) }
        Leftovers.add(path)
    }

    /// Reserves the blocks, so that a disk that fills up is known of before libhdf5 meets it.
    func reserve(_ byteCount: Int) throws {
        if nh5_reserve(descriptor, Int64(byteCount)) != 0, [ENOSPC, EFBIG, EDQUOT].contains(errno) {
            throw TemporaryFile.full(target, byteCount, nil)
        }
    }

    /// Flushes, renames over the target and flushes the folder.
    func commit() throws {
        // Gives back what was reserved beyond the end.
        var status = stat()
        if fstat(descriptor, &status) == 0 { _ = ftruncate(descriptor, status.st_size) }
        guard fsync(descriptor) == 0 else { throw HDF5Error.system(target, "writing to the disk failed", errno) }
        if mayReplace {
            guard rename(path, target) == 0 else {
                throw HDF5Error.system(target, "the new file could not take its place", errno)
            }
        } else {
            // A link does not replace what has come to be there meanwhile; a rename would.
            if link(path, target) == 0 {
                _ = unlink(path)
            } else if errno == EEXIST {
                throw TemporaryFile.exists(target)
            } else if access(target, F_OK) == 0 {
                throw TemporaryFile.exists(target)
            } else if rename(path, target) != 0 {
                throw HDF5Error.system(target, "the new file could not take its place", errno)
            }
        }
        isPending = false
        Leftovers.remove(path)
        let directory = open(folder, O_RDONLY | O_CLOEXEC)
        guard directory >= 0 else { throw HDF5Error.system(target, "its folder cannot be flushed", errno) }
        defer { _ = close(directory) }
        // Some file systems cannot flush a folder and say EINVAL; there is nothing more to do there.
        if fsync(directory) != 0, errno != EINVAL {
            throw HDF5Error.system(target, "flushing its folder failed", errno)
        }
    }

    func discard() {
        guard isPending else { return }
        isPending = false
        _ = unlink(path)
        Leftovers.remove(path)
    }

    deinit {
        discard()
        _ = close(descriptor)
    }

    /// A symbolic link's target is what gets replaced, not the link.
    private static func resolve(_ path: String) throws -> String {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFLNK else { return path }
        guard let resolved = realpath(path, nil) else {
            throw HDF5Error(
                .system, file: path, problem: "this is a symbolic link that leads nowhere", remedy: "remove it")
        }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    private static func checkTarget(_ target: String, _ overwrite: Bool) throws -> mode_t? {
        var status = stat()
        guard stat(target, &status) == 0 else { return nil }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw HDF5Error(
                .notRegular, file: target, problem: "this is a folder or a device", remedy: "name a file to write")
        }
        guard overwrite else { throw exists(target) }
        return status.st_mode & 0o777
    }

    private static func exists(_ target: String) -> HDF5Error {
        HDF5Error(
            .exists, file: target, problem: "the file exists", remedy: "give another name, or --overwrite")
    }

    private static func checkSpace(_ folder: String, _ target: String, _ byteCount: Int) throws {
        var status = statvfs()
        guard statvfs(folder, &status) == 0 else {
            throw HDF5Error(
                .notFound, file: target, problem: "there is no folder \(folder)", remedy: "create it first")
        }
        let (free, overflow) = Int(clamping: status.f_bavail).multipliedReportingOverflow(
            by: Int(clamping: status.f_frsize))
        if !overflow, free < byteCount { throw full(target, byteCount, free) }
    }

    static func full(_ target: String, _ byteCount: Int, _ free: Int?) -> HDF5Error {
        HDF5Error(
            .diskFull, file: target,
            problem: "the disk is too full: \(byteCount) bytes are needed"
                + (free.map { ", \($0) are free" } ?? ""), remedy: "free some space or save elsewhere")
    }
}

/// Temporary files to remove if the process exits while they are being written.
private enum Leftovers {
    private static let paths = Mutex<(isRegistered: Bool, paths: Set<String>)>((false, []))

    static func add(_ path: String) {
        // The process may change its folder before it exits.
        let absolute = realpath(path, nil).map { resolved in
            defer { free(resolved) }
            return String(cString: resolved)
        }
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
