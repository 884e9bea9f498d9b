import Reports
import Workbench

extension PromptSet {
    /// A label for a table: missing where there is none.
    static func cell(label: String) -> Cell { label.isEmpty ? .missing : .text(label) }
}

extension PromptSet.Prompt {
    /// The label for a table.
    var labelCell: Cell { PromptSet.cell(label: label) }

    /// The answers for a table.
    var answersCell: Cell { answers.isEmpty ? .missing : .text(answers.joined(separator: " | ")) }
}
