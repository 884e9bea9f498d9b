import Language
import LineEditor
import TerminalText

/// `~` at the start of a path, as a shell reads it.
func expandTilde(_ path: String) -> String { FileCompletion.expandingTilde(path) }

/// The number of an option, checked to be from 1 to a limit.
func checkedCount(_ count: Int, _ option: String, limit: Int = .max) throws -> Int {
    guard count >= 1 else { throw CommandError("\(option) must be at least 1", remedy: "give more", exitCode: 2) }
    guard count <= limit else {
        throw CommandError("\(option) can be at most \(limit)", remedy: "give less", exitCode: 2)
    }
    return count
}

/// The numbers of an option, `1..16` or `0.5,1,2`: ascending, none twice.
func numberList(_ text: String, _ option: String) throws -> [Double] {
    guard let numbers = NumberRange.list(text) else {
        throw CommandError(
            "\(option) can't be \(text.escapedForTerminal)", remedy: "give numbers such as 1,2,4 or 1..16", exitCode: 2)
    }
    return numbers
}
