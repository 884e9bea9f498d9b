import TerminalText

/// What went wrong with a file: which file, which object in it, what, and how to mend it.
///
/// The parts are kept raw; `description` escapes what came from the file.
package struct HDF5Error: Error, Equatable, CustomStringConvertible {
    package enum Kind: String, Sendable, Equatable {
        /// Nothing at that path, or a folder on the way to it is missing.
        case notFound
        /// The operating system refuses: permissions, a full table, an I/O error.
        case system
        /// A directory, FIFO, socket or device.
        case notRegular
        case notHDF5
        case truncated
        /// Another program wrote to the file while it was open, or cut it, or may have.
        case changed
        /// Another program holds the file open for writing.
        case locked
        /// A soft or external link, or a name that cannot be followed.
        case link
        /// Too deep, or a group that is reached twice.
        case structure
        /// A virtual dataset, or external storage.
        case layout
        case type
        case rank
        /// A size that overflows, lies outside the file, or was never written.
        case size
        case filter
        case overlap
        case attribute
        /// A limit of this program, which the user may raise.
        case limit
        /// The target of a save is there already.
        case exists
        case diskFull
        /// libhdf5 crashed on the file, in a process of its own.
        case crash
        /// libhdf5 refused without a more precise reason.
        case library
        /// A precondition of this module's own interface; never due to a file.
        case usage
    }

    package let kind: Kind
    package let file: String
    /// Path of the object inside the file; nil where the file as a whole is meant.
    package let object: String?
    package let problem: String
    package let remedy: String

    package init(_ kind: Kind, file: String, object: String? = nil, problem: String, remedy: String) {
        self.kind = kind
        self.file = file
        self.object = object
        self.problem = problem
        self.remedy = remedy
    }

    package var description: String {
        let place = object.map { ": \($0.escapedForTerminal(limit: 200))" } ?? ""
        return
            "\(file.escapedForTerminal(limit: 400))\(place): \(problem.escapedForTerminal(limit: 400)); \(remedy.escapedForTerminal(limit: 400))"
    }
}
