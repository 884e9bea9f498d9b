#if canImport(Glibc)
    @preconcurrency internal import Glibc
#else
    internal import Darwin
#endif

/// Names of files for TAB, and `~`.
package enum FileCompletion {
    /// Entries read from one folder at most, so that TAB answers at once.
    private static let entryLimit = 20_000

    /// Files whose path begins with `prefix`, in the order of their bytes.
    ///
    /// Folders end in `/`; hidden files are left out unless the name begins with a dot. A leading `~` is followed and kept
    /// as typed. Names that are not UTF-8 are left out, since a line could not name them.
    /// - Parameter isIncluded: Asked for files, not for folders.
    package static func candidates(
        prefix: String, isIncluded: (String) -> Bool = { _ in true }
    ) -> [Completion.Candidate] {
        if prefix.utf8.first == UInt8(ascii: "~"), !prefix.utf8.contains(slash) {
            // `~` alone, or a user's name: a folder once it is one.
            return expandingTilde(prefix) == prefix ? [] : [.init(prefix + "/", isPartial: true)]
        }
        let cut = prefix.utf8.lastIndex(of: slash).map { prefix.utf8.index(after: $0) } ?? prefix.startIndex
        let folder = String(prefix[..<cut])
        let namePrefix = Array(prefix[cut...].utf8)
        let path = folder.isEmpty ? "." : expandingTilde(folder)
        let showsHidden = namePrefix.first == UInt8(ascii: ".")

        var found: [(name: String, isFolder: Bool)] = []
        forEachEntry(of: path) { name, type in
            let bytes = name.utf8
            guard bytes.starts(with: namePrefix), showsHidden || bytes.first != UInt8(ascii: ".") else { return }
            guard name != "." && name != ".." else { return }
            let isFolder = type == DT_DIR || ((type == DT_LNK || type == DT_UNKNOWN) && isDirectory("\(path)/\(name)"))
            if isFolder || isIncluded(name) { found.append((name, isFolder)) }
        }
        found.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        return found.map { name, isFolder in
            let label = isFolder ? name + "/" : name
            // A file called `~x` here would otherwise be read as a user's home.
            let lead = folder.isEmpty && name.utf8.first == UInt8(ascii: "~") ? "./" : folder
            return .init(lead + label, label: label, isPartial: isFolder)
        }
    }

    /// `~` and `~user` at the start of a path replaced by the home folder; anything else as it is.
    package static func expandingTilde(_ path: String) -> String {
        guard path.utf8.first == UInt8(ascii: "~") else { return path }
        let end = path.utf8.firstIndex(of: slash) ?? path.endIndex
        let user = String(path[path.utf8.index(after: path.startIndex)..<end])
        var home: String?
        if user.isEmpty {
            home =
                getenv("HOME").map { String(cString: $0) }
                ?? getpwuid(getuid()).map { String(cString: $0.pointee.pw_dir) }
        } else {
            home = getpwnam(user).map { String(cString: $0.pointee.pw_dir) }
        }
        guard let home, !home.isEmpty else { return path }
        return home + path[end...]
    }

    private static func forEachEntry(of path: String, _ body: (_ name: String, _ type: Int32) -> Void) {
        guard let stream = opendir(path) else { return }
        defer { closedir(stream) }
        guard let nameOffset = MemoryLayout<dirent>.offset(of: \.d_name) else { return }
        for _ in 0..<entryLimit {
            guard let entry = readdir(stream) else { return }
            // The entry may be shorter than the type, so the name is read where it lies.
            let characters = UnsafeRawPointer(entry).advanced(by: nameOffset).assumingMemoryBound(to: CChar.self)
            if let name = String(validatingCString: characters) { body(name, Int32(entry.pointee.d_type)) }
        }
    }

    private static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    private static let slash = UInt8(ascii: "/")
    private static let DT_DIR: Int32 = 4
    private static let DT_LNK: Int32 = 10
    private static let DT_UNKNOWN: Int32 = 0
}
