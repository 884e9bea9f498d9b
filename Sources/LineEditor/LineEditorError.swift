/// Why the history could not be kept. The line editor goes on without the file.
package enum LineEditorError: Error, Equatable, CustomStringConvertible {
    case history(path: String, operation: String, reason: String)

    package var description: String {
        switch self {
        case .history(let path, let operation, let reason):
            "can't \(operation) the history file \(path): \(reason); NACRE_HISTORY names another one"
        }
    }
}
