import Reports
import Workbench

extension PromptSet {
    /// Returns a label as a table's cell, which is missing where there is no label.
    static func cell(label: String) -> Cell { label.isEmpty ? .missing : .text(label) }
}

extension PromptSet.Prompt {
    /// The label as a table's cell.
    var labelCell: Cell { PromptSet.cell(label: label) }

    /// The answers as a table's cell, which is missing where there are none.
    var answersCell: Cell { answers.isEmpty ? .missing : .text(answers.joined(separator: " | ")) }
}
