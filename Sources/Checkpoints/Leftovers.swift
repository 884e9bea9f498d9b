import HDF5

/// The files that killed runs have left in a folder.
package struct Leftovers {
    package let folder: String
    /// The unfinished files whose writers are gone. A writer on another machine that shares the folder can't be
    /// detected, so its file may be among them.
    package let files: [String]
    /// The unfinished captures that a command can continue.
    package let captures: [String]

    /// Lists the leftovers in the folder of a file.
    ///
    /// - Parameter path: The path of the file, which need not exist.
    package init(beside path: String) {
        folder = FilePlacement.split(path).folder
        files = FilePlacement.leftovers(in: folder)
        captures = PartialCapture.unfinished(in: folder)
    }
}

/// The folder in which a file will be placed.
package struct TargetFolder {
    package let path: String
    /// The number of bytes that may still be written there, or nil if there is no such folder.
    package let freeBytes: Int?

    /// Finds the folder of a file, following symbolic links.
    ///
    /// - Throws: `HDF5Error` for a symbolic link that leads nowhere.
    package init(of file: String) throws {
        path = FilePlacement.split(try FilePlacement.resolve(file)).folder
        freeBytes = FilePlacement.freeBytes(path)
    }

    /// Flushes the folder of a file that was just placed there, so that its name survives a crash.
    ///
    /// - Throws: `HDF5Error` if the folder can't be flushed.
    package static func flush(of file: String) throws {
        try FilePlacement.flush(folder: FilePlacement.split(file).folder, of: file)
    }
}

/// The files that are mapped, for a handler of the signal that occurs when one of them is cut short.
package enum MappedCheckpoints {
    /// Prepares the lookup. This must be called before the handler is installed, so that the handler itself allocates
    /// nothing.
    package static func prepare() { MappedFiles.prepare() }

    /// Returns the path of the file that is mapped at an address. The function may be called from a signal handler.
    package static func path(at address: UInt) -> UnsafePointer<CChar>? { MappedFiles.path(at: address) }
}
