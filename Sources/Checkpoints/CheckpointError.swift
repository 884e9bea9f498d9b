internal import HDF5
import TerminalText

/// What is wrong with a checkpoint or capture file as such; what is wrong with it as HDF5 is an `HDF5Error`.
package struct CheckpointError: Error, Equatable, CustomStringConvertible {
    package enum Kind: Sendable, Equatable {
        /// Not the kind of file that was asked for.
        case format
        /// Made by a later version.
        case version
        /// There is no model configuration.
        case configuration
        /// Two objects stand for one name, or a name cannot be stored.
        case name
        /// Shapes, types or offsets that contradict one another.
        case inconsistent
        /// Bytes that are not what their digest says.
        case digest
        /// Nothing at that path.
        case notFound
        /// A folder, FIFO, socket or device where a file is wanted.
        case notRegular
        /// The operating system refuses: permissions, a full table, an I/O error.
        case system
        /// Shorter than it says.
        case truncated
        /// Another program wrote to the file while it was open, or cut it, or may have.
        case changed
        /// More than this program takes.
        case limit
        /// Elements of a type that can't be read.
        case type
    }

    package let kind: Kind
    package let file: String
    /// A tensor, site or dataset; nil where the file as a whole is meant.
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
