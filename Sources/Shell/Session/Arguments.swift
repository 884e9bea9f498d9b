import Language
import LineEditor
import TerminalText
import Workbench

/// Expands `~` at the start of a path to the home folder, as a shell does.
func expandTilde(_ path: String) -> String { FileCompletion.expandingTilde(path) }

/// Returns the number given to an option after checking that it lies between 1 and a limit.
///
/// - Parameters:
///   - count: The number that was given.
///   - option: The option's name, for the error message.
///   - limit: The largest number that is accepted.
/// - Throws: `CommandError` with exit code 2 if the number lies outside that range.
func checkedCount(_ count: Int, _ option: String, limit: Int = .max) throws -> Int {
    guard count >= 1 else { throw CommandError("\(option) must be at least 1", remedy: "give more", exitCode: 2) }
    guard count <= limit else {
        throw CommandError("\(option) can be at most \(limit)", remedy: "give less", exitCode: 2)
    }
    return count
}

/// Returns the numbers of an option such as `1..16` or `0.5,1,2`, in ascending order and each one once.
///
/// - Throws: `CommandError` with exit code 2 if the text is not such a list.
func numberList(_ text: String, _ option: String) throws -> [Double] {
    guard let numbers = NumberRange.list(text) else {
        throw CommandError(
            "\(option) can't be \(text.escapedForTerminal)", remedy: "give numbers such as 1,2,4 or 1..16", exitCode: 2)
    }
    return numbers
}

/// Checks that something fits into the memory that is available.
///
/// - Parameters:
///   - needed: The bytes that it takes; nil for more than can be counted.
///   - what: Its name, for the error message.
func checkMemory(_ needed: Int?, for what: String, remedy: String) throws {
    guard let available = Engine.availableMemory, needed.map({ $0 > available }) ?? true else { return }
    throw CommandError(
        "\(what) would take \(needed.map(NumberFormat.bytes) ?? "too much") of memory; \(NumberFormat.bytes(available)) are"
            + " available", remedy: remedy)
}
