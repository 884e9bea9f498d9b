import Checkpoints
import HDF5
import TerminalText

/// A file that another program changed while it was open, as an error of the modules below says it. Nothing more can be
/// computed with what was opened, whatever else is missing, so that such an error is passed on wherever others are told
/// as findings.
package struct ChangedFile: Equatable {
    /// The path by which the file was opened.
    package let file: String
    /// What has become of it, with its name.
    package let problem: String

    /// - Returns: nil for any other error.
    package init?(_ error: any Error) {
        switch error {
        case let error as HDF5Error where error.kind == .changed:
            self.init(error.file, error.object, error.problem)
        case let error as CheckpointError where error.kind == .changed:
            self.init(error.file, error.object, error.problem)
        default: return nil
        }
    }

    /// - Parameter check: the check of whether files are what they were.
    /// - Returns: nil if it finds no file that changed.
    init?(by check: () throws -> Void) {
        do {
            try check()
            return nil
        } catch {
            self.init(error)
        }
    }

    private init(_ file: String, _ object: String?, _ problem: String) {
        self.file = file
        let place = [file, object].compactMap { $0?.escapedForTerminal(limit: 400) }.joined(separator: ": ")
        self.problem = "\(place): \(problem)"
    }
}

extension LoadedCheckpoint {
    /// The first of the checkpoint's files, or of those that it was made of, that changed since it was opened; nil if
    /// none has.
    package var changedFile: ChangedFile? { ChangedFile(by: { try file.checkUnchanged() }) }
}

extension Capture {
    /// The capture's file, if it changed since it was opened; nil for one in memory.
    package var changedFile: ChangedFile? { ChangedFile(by: { try checkUnchanged() }) }
}
