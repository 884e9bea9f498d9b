internal import CHDF5

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// How a finished file takes its place beside others: whole, and without replacing what it must not.
package enum FilePlacement {
    /// The folder and the name of a path.
    package static func split(_ path: String) -> (folder: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path) }
        return (
            slash == path.startIndex ? "/" : String(path[..<slash]), String(path[path.index(after: slash)...])
        )
    }

    /// The path without symbolic links, relative parts and repeated slashes; nil if nothing is there.
    package static func realPath(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// A symbolic link's target is what gets replaced, not the link.
    package static func resolve(_ path: String) throws -> String {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFLNK else { return path }
        guard let resolved = realPath(path) else {
            throw HDF5Error(
                .system, file: path, problem: "this is a symbolic link that leads nowhere", remedy: "remove it")
        }
        return resolved
    }

    /// Throws if the target is something that may not be replaced.
    ///
    /// - Returns: the permissions of the file that is there; nil if there is none.
    @discardableResult
    package static func checkTarget(_ target: String, overwrite: Bool) throws -> UInt32? {
        var status = stat()
        guard stat(target, &status) == 0 else { return nil }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw HDF5Error(
                .notRegular, file: target, problem: "this is a folder or a device", remedy: "name a file to write")
        }
        guard overwrite else { throw exists(target) }
        return UInt32(status.st_mode & 0o777)
    }

    /// Bytes that may still be written to a folder's file system; nil if there is no such folder.
    package static func freeBytes(_ folder: String) -> Int? {
        var status = statvfs()
        guard statvfs(folder, &status) == 0 else { return nil }
        let (free, overflow) = Int(clamping: status.f_bavail).multipliedReportingOverflow(
            by: Int(clamping: status.f_frsize))
        return overflow ? .max : free
    }

    /// Throws if a folder's file system has less space than a file there will need.
    package static func checkSpace(_ folder: String, _ target: String, _ byteCount: Int) throws {
        guard let free = freeBytes(folder) else {
            throw HDF5Error(
                .notFound, file: target, problem: "there is no folder \(folder)", remedy: "create it first")
        }
        if free < byteCount { throw full(target, byteCount, free) }
    }

    /// Gives a finished file its name, in the same file system.
    package static func move(_ path: String, to target: String, overwrite: Bool) throws {
        if overwrite {
            guard rename(path, target) == 0 else {
                throw HDF5Error.system(target, "the new file could not take its place", errno)
            }
            return
        }
        // A link does not replace what has come to be there meanwhile; a rename would. Not every file system has hard
        // links, nor a rename that replaces nothing.
        if link(path, target) == 0 {
            _ = unlink(path)
        } else if errno == EEXIST {
            throw exists(target)
        } else if nh5_rename_to_new(path, target) == 0 {
            return
        } else if errno == EEXIST || access(target, F_OK) == 0 {
            throw exists(target)
        } else if rename(path, target) != 0 {
            throw HDF5Error.system(target, "the new file could not take its place", errno)
        }
    }

    /// Makes the names in a folder last.
    package static func flush(folder: String, of target: String) throws {
        let directory = open(folder, O_RDONLY | O_CLOEXEC)
        guard directory >= 0 else { throw HDF5Error.system(target, "its folder cannot be flushed", errno) }
        defer { _ = close(directory) }
        // Some file systems cannot flush a folder and say EINVAL; there is nothing more to do there.
        if fsync(directory) != 0, errno != EINVAL {
            throw HDF5Error.system(target, "flushing its folder failed", errno)
        }
    }

    /// Unfinished files in a folder whose writers are gone, such as `.acts.h5.4711-1x2y3z.tmp` after a SIGKILL.
    ///
    /// A writer on another machine that shares the folder cannot be seen, so they are to be named, not removed.
    package static func leftovers(in folder: String) -> [String] {
        names(in: folder).filter { name in
            guard name.hasPrefix("."), name.hasSuffix(".tmp"), let dot = name.dropLast(4).lastIndex(of: "."),
                let dash = name[dot...].firstIndex(of: "-"),
                let process = pid_t(name[name.index(after: dot)..<dash]), process > 0
            else { return false }
            return kill(process, 0) != 0 && errno == ESRCH
        }
    }

    /// What is in a folder, in order; nothing if it cannot be listed.
    package static func names(in folder: String) -> [String] { list(folder).names }

    /// What is in a folder, in order, and `errno` if it cannot be listed, else 0.
    ///
    /// - Parameter limit: entries that are looked at.
    package static func list(_ folder: String, limit: Int = .max) -> (names: [String], failure: Int32) {
        guard let directory = opendir(folder) else { return ([], errno) }
        defer { closedir(directory) }
        guard let offset = MemoryLayout<dirent>.offset(of: \.d_name) else { return ([], EINVAL) }
        var names: [String] = []
        while names.count < limit, let entry = readdir(directory) {
            // The entry may be shorter than the type, so the name is read where it lies.
            let characters = UnsafeRawPointer(entry).advanced(by: offset).assumingMemoryBound(to: CChar.self)
            let name = String(cString: characters)
            if name != ".", name != ".." { names.append(name) }
        }
        return (names.sorted(), 0)
    }

    static func exists(_ target: String) -> HDF5Error {
        HDF5Error(
            .exists, file: target, problem: "the file exists", remedy: "give another name, or --overwrite")
    }

    static func full(_ target: String, _ byteCount: Int, _ free: Int?) -> HDF5Error {
        HDF5Error(
            .diskFull, file: target,
            problem: "the disk is too full: \(byteCount) bytes are needed"
                + (free.map { ", \($0) are free" } ?? ""), remedy: "free some space or save elsewhere")
    }
}
