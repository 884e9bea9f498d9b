package import ArgumentParser
import JSON
import Language
import LinearAlgebra
import Models
import Reports
import Statistics
import TerminalText
import Tokenizers
import Workbench

package struct PromptsCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "prompts", abstract: "Read a set of prompts from a file.",
        discussion: """
            A text file has one prompt a line; empty lines are left out. A .jsonl file has one JSON object a line: --field
            names the text (default text), --label-field the label (default label, where there is one), --answer-field what
            a right reply begins with, for evaluate (default answer, where there is one): a text, or a list of accepted
            texts. --label keeps the prompts of a label, before --limit and --sample count. A prompt keeps \\n in text
            files as it stands: two characters.
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
    @Option(help: "The field of a .jsonl file that holds the text.") var field = "text"
    @Option(help: "The field of a .jsonl file that holds the label.") var labelField = "label"
    @Option(help: "The field of a .jsonl file that holds the accepted answers (default: answer); '' reads none.")
    var answerField: String?
    @Option(help: "Only prompts with this label; may be repeated.") var label: [String] = []
    @Flag(help: "Each prompt is a user's turn in the checkpoint's chat template.") var chat = false
    @Option(help: "Only the first so many.") var limit: Int?
    @Option(help: "Only so many, drawn with the session's seed, in the file's order.") var sample: Int?

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let path = expandTilde(file)
        let text = try TextFile.read(path)
        var prompts: [PromptSet.Prompt] = []
        if path.hasSuffix(".jsonl") {
            // A line break of two characters is one Character.
            let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
            for (index, line) in lines.enumerated() {
                guard line.contains(where: { !$0.isWhitespace }) else { continue }
                prompts.append(try parse(line, number: index + 1))
            }
        } else {
            for line in text.split(whereSeparator: { $0 == "\n" || $0 == "\r\n" }) {
                prompts.append(PromptSet.Prompt(text: String(line)))
            }
        }
        if let answerField, !answerField.isEmpty, !prompts.contains(where: { !$0.answers.isEmpty }) {
            throw CommandError(
                "no line of \(file.escapedForTerminal) has an answer in the field \(answerField.escapedForTerminal)",
                remedy: "choose another one with --answer-field")
        }
        if !label.isEmpty { prompts = try withLabels(prompts) }
        if let limit { prompts = Array(prompts.prefix(try checkedCount(limit, "--limit"))) }
        if let sample {
            var random = SeededRandom(seed: session.settings.seed)
            let count = try checkedCount(sample, "--sample")
            guard count <= prompts.count else {
                throw CommandError(
                    "there are only \(prompts.count) prompts to sample from", remedy: "sample fewer")
            }
            prompts = random.sample(count, of: prompts.count).map { prompts[$0] }
        }
        guard !prompts.isEmpty else {
            throw CommandError("\(file.escapedForTerminal) has no prompts", remedy: "write one prompt a line")
        }
        if chat, session.current != nil { _ = try session.checkpoint().chatTemplate() }
        let set = PromptSet(source: path, prompts: prompts, isChat: chat)
        var report = Report(text: set.summary)
        if sample != nil { report.notes = ["seed \(session.settings.seed)"] }
        return Outcome(.prompts(set), report: report)
    }

    private func parse(_ line: Substring, number: Int) throws -> PromptSet.Prompt {
        let place = "\(file), line \(number)"
        let json = try JSONValue(parsing: Array(line.utf8), file: place)
        guard let text = json[field]?.string else {
            let shown = field.escapedForTerminal
            if let value = json[field] {
                throw CommandError(
                    "\(place.escapedForTerminal) has \(value.kind) in the field \(shown)",
                    remedy: "a prompt is a text; --field names another field")
            }
            let keys = json.object?.keys.joined(separator: ", ") ?? "no fields"
            throw CommandError(
                "\(place.escapedForTerminal) has no text in the field \(shown)",
                remedy: "choose one with --field; the line has \(keys.escapedForTerminal)")
        }
        let label = json[labelField].map { $0.string ?? $0.int.map(String.init) ?? "" } ?? ""
        return PromptSet.Prompt(text: text, label: label, answers: try answers(json, place: place.escapedForTerminal))
    }

    private func answers(_ json: JSONValue, place: String) throws -> [String] {
        let field = answerField ?? "answer"
        guard !field.isEmpty, let value = json[field], !value.isNull else { return [] }
        let shown = field.escapedForTerminal
        let answers = try (value.array ?? [value]).map { answer in
            guard let text = answer.string else {
                let kind = value.array == nil ? answer.kind : "a list with \(answer.kind)"
                throw CommandError(
                    "\(place) has \(kind) in the field \(shown)",
                    remedy:
                        "an answer is a text or a list of texts; --answer-field names another field, or '' for none")
            }
            return String(text.withoutOuterBlanks)
        }
        guard !answers.isEmpty, !answers.contains("") else {
            throw CommandError(
                "\(place) has an empty \(answers.isEmpty ? "list" : "answer") in the field \(shown)",
                remedy: "leave the field out where there is no answer")
        }
        return answers
    }

    private func withLabels(_ prompts: [PromptSet.Prompt]) throws -> [PromptSet.Prompt] {
        let known = PromptSet(source: file, prompts: prompts, isChat: chat).labels.filter { !$0.isEmpty }
        if let missing = label.first(where: { !known.contains($0) }) {
            let shown = known.prefix(10).map(\.escapedForTerminal).joined(separator: ", ")
            throw CommandError(
                "\(file.escapedForTerminal) has no prompts with the label \(missing.escapedForTerminal)",
                remedy: known.isEmpty
                    ? "its prompts have no labels; --label-field names the field that holds them"
                    : "there is \(shown)\(known.count > 10 ? ", …" : "")")
        }
        let wanted = Set(label)
        return prompts.filter { wanted.contains($0.label) }
    }
}
