import Checkpoints
import Comparison
import Language
import Sites
import TerminalText
import Workbench

/// Returns the tensors of a checkpoint whose names match a pattern, or all of them if the pattern is nil.
///
/// - Throws: `CommandError` if no name matches.
func matchingTensors(_ checkpoint: LoadedCheckpoint, _ pattern: String?) throws -> [TensorInfo] {
    guard let pattern else { return checkpoint.file.tensors }
    let bytes = Array(pattern.utf8)
    let found = checkpoint.file.tensors.filter { SiteExpression.matches(Array($0.name.utf8), bytes) }
    guard !found.isEmpty else {
        let close = Suggestion.closest(to: pattern, among: checkpoint.file.tensors.map(\.name))
        throw CommandError(
            "\(checkpoint.label) has no tensor \(pattern.escapedForTerminal)",
            remedy: close.map { "did you mean \($0.escapedForTerminal)?" }
                ?? "* and ? match any characters, as in '*q_proj*'")
    }
    return found
}

/// Returns those tensors that are matrices of a size that can be decomposed, and a note on the others.
///
/// - Throws: `CommandError` if none is such a matrix.
func matchingMatrices(_ found: [TensorInfo], _ pattern: String) throws -> ([TensorInfo], notes: [String]) {
    let (matrices, skipped) = try SpectrumRun.matrices(found)
    let others = skipped.joined(separator: ", ")
    guard !matrices.isEmpty else {
        throw CommandError(
            "\(pattern.escapedForTerminal) matches no matrix: \(others)",
            remedy: "see tensors; '*proj*' or '*weight' match more")
    }
    return (matrices, skipped.isEmpty ? [] : ["Skipped, as they are no matrices: \(others)."])
}
