import HDF5

/// Files that runs which were killed have left in a folder.
package struct Leftovers {
    package let folder: String
    /// Unfinished files whose writers are gone. A writer on another machine that shares the folder can't be seen.
    package let files: [String]
    /// Captures that a command can go on with.
    package let captures: [String]

    /// - Parameter path: of a file in the folder.
    package init(beside path: String) {
        folder = FilePlacement.split(path).folder
        files = FilePlacement.leftovers(in: folder)
        captures = PartialCapture.unfinished(in: folder)
    }
}

/// The folder that a file will stand in.
package struct TargetFolder {
    package let path: String
    /// Bytes that may still be written there; nil if there is no such folder.
    package let freeBytes: Int?

    /// - Throws: `HDF5Error` for a symbolic link that leads nowhere.
    package init(of file: String) throws {
        path = FilePlacement.split(try FilePlacement.resolve(file)).folder
        freeBytes = FilePlacement.freeBytes(path)
    }

    /// Makes the name of a file that was just put into its folder last.
    package static func flush(of file: String) throws {
        try FilePlacement.flush(folder: FilePlacement.split(file).folder, of: file)
    }
}

/// The files that are mapped, for a handler of the signal that comes when one of them is cut short.
package enum MappedCheckpoints {
    /// To be called before the handler is installed, so that it makes nothing itself.
    package static func prepare() { MappedFiles.prepare() }

    /// The path of the file that is mapped at an address. Safe to call from a signal handler.
    package static func path(at address: UInt) -> UnsafePointer<CChar>? { MappedFiles.path(at: address) }
}
