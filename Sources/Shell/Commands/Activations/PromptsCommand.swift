package import ArgumentParser
import JSON
import Language
import Reports
import TerminalText
import Workbench

package struct PromptsCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "prompts", abstract: "Read a set of prompts from a file.",
        discussion: """
            A text file has one prompt a line; empty lines are left out. A .jsonl file has one JSON object a line: --field
            names the text (default text), --label-field the label (default label, where there is one), --answer-field what
            a right reply begins with, for evaluate (default answer, where there is one): a text, or a list of accepted
            texts. A field that is named must be there. A label is a text, a number, true or false, and counts by its text:
            1 and "1" are one label, 1 and 1.0 are two. --label keeps the prompts of a label, before --limit and --sample
            count. A line whose text is empty is left out. A prompt keeps \\n in text files as it stands: two characters.
            What reading left out is counted, with line numbers. A text that stands in the set twice or more often (copies,
            duplicates, repeated prompts) is one distinct prompt for studies that split prompts or give intervals (evaluate,
            direction, effect, compare, ...), and they say so; capture and generate run each copy.
            """)
    package static let traits = CommandTraits(
        .activations, changesState: true, makesValue: true, kinds: ["file": .file],
        examples: [
            "corpus = prompts Scripts/prompts/open.txt --limit 50",
            "capitals = prompts Scripts/prompts/facts.jsonl --label capital",
            "taboo = prompts Scripts/prompts/taboo.jsonl --chat --sample 100",
            "apples = prompts Scripts/prompts/senses.jsonl --label-field sense --label fruit",
        ])

    @Argument(help: "A text file, or a .jsonl file.") var file: String
    @Option(help: "The field of a .jsonl file that holds the text (default: text).") var field: String?
    @Option(help: "The field of a .jsonl file that holds the label (default: label); '' reads none.")
    var labelField: String?
    @Option(help: "The field of a .jsonl file that holds the accepted answers (default: answer); '' reads none.")
    var answerField: String?
    @Option(help: "Only prompts with this label; may be repeated.") var label: [String] = []
    @Flag(help: "Each prompt is a user's turn in the checkpoint's chat template.") var chat = false
    @Flag(help: "The texts were rendered by a chat template: nothing is added to them, not even BOS.")
    var rendered = false
    @Option(help: "Only the first so many.") var limit: Int?
    @Option(help: "Only so many, drawn with the session's seed, in the file's order.") var sample: Int?

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        guard !chat || !rendered else {
            throw CommandError(
                "--chat renders the texts, and --rendered says that they are rendered", remedy: "leave out one of them",
                exitCode: 2)
        }
        var reader = PromptReader()
        (reader.field, reader.labelField, reader.answerField) = (field, labelField, answerField)
        (reader.labels, reader.isChat, reader.isRendered) = (label, chat, rendered)
        reader.limit = try limit.map { try checkedCount($0, "--limit") }
        reader.sample = try sample.map { try checkedCount($0, "--sample") }
        let set = try reader.read(expandTilde(file), name: file, seed: session.settings.seed)
        if chat, session.current != nil { _ = try session.checkpoint().chatTemplate() }
        var report = Report(text: set.summary)
        if sample != nil { report.notes = ["seed \(session.settings.seed)"] }
        report.notes += Self.notes(set)
        return Outcome(.prompts(set), report: report)
    }

    /// Returns what reading left out, and how many prompts are copies.
    private static func notes(_ set: PromptSet) -> [String] {
        var notes = set.losses.isEmpty ? [] : [set.losses.words + "."]
        let distinct = DistinctPrompts(set)
        if distinct.set.prompts.count < distinct.total {
            notes.append(
                "\(distinct.set.prompts.count) of \(distinct.total) prompts \(agreeing(distinct.set.prompts.count)) distinct;"
                    + " capture and generate run all,"
                    + " studies take each distinct one once.")
        }
        return notes
    }
}
