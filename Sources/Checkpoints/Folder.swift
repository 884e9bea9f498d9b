internal import HDF5
import TerminalText

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// A folder that may hold a model, or one file that was named in it.
struct Folder {
    let path: String
    /// The file in it that was named; nil if the folder itself was.
    let file: String?

    static let ending = ".safetensors"
    static let indexEnding = ".safetensors.index.json"
    static let single = "model.safetensors"
    static let index = "model.safetensors.index.json"

    static let convertGGUF = "convert it: Scripts/convert.py to-hdf5 FILE.gguf OUT.h5"
    static let convertPickle =
        "where you trust it, convert it with transformers:"
        + " AutoModelForCausalLM.from_pretrained(FOLDER).save_pretrained(NEW) writes safetensors"

    init(_ path: String) {
        var trimmed = path
        while trimmed.utf8.count > 1, trimmed.hasSuffix("/") { trimmed.removeLast() }
        if Self.isFolder(trimmed) {
            self.path = trimmed
            file = nil
        } else {
            let cut = trimmed.lastIndex(of: "/")
            self.path = cut.map { $0 == trimmed.startIndex ? "/" : String(trimmed[..<$0]) } ?? "."
            file = cut.map { String(trimmed[trimmed.index(after: $0)...]) } ?? trimmed
        }
    }

    /// The folder's own name. A download cache calls it by a digest, in `models--ORG--NAME/snapshots`: then NAME.
    var name: String {
        var parts = path.split(separator: "/").map(String.init)
        if [nil, ".", ".."].contains(parts.last), let real = FilePlacement.realPath(path) {
            parts = real.split(separator: "/").map(String.init)
        }
        if parts.count >= 3, parts[parts.count - 2] == "snapshots" {
            let model = parts[parts.count - 3].split(separator: "--")
            if model.count >= 2, model[0] == "models", let last = model.last { return String(last) }
        }
        return parts.last ?? path
    }

    /// The path of a file in it.
    func join(_ name: String) -> String {
        path == "." ? name : path.hasSuffix("/") ? path + name : "\(path)/\(name)"
    }

    /// Names of what is in it, in order; hidden files are left out.
    func names() throws -> [String] {
        let (names, failure) = FilePlacement.list(path, limit: Self.entryLimit)
        guard failure == 0 else { throw RegularFile.system(path, "the folder cannot be listed", failure) }
        return names.filter { !$0.hasPrefix(".") }
    }

    /// Entries that are looked at to find out what a folder is.
    private static let entryLimit = 20_000

    /// The last part of a path.
    static func name(of path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }

    /// Also true for a link whose target is missing.
    static func exists(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0
    }

    static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
