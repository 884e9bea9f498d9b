import JSON
import Statistics
import TerminalText

/// Reads sets of prompts from files: a text file has one prompt in each line, a .jsonl file one JSON object.
package struct PromptReader {
    /// The field of a JSON line that holds the prompt's text; nil means `text`.
    package var field: String?
    /// The field of a JSON line that holds the prompt's label, which some line must have; nil reads `label` if a line has
    /// it, an empty name reads none.
    package var labelField: String?
    /// The field of a JSON line that holds the prompt's accepted answers; nil reads `answer` if the line has it, an
    /// empty name reads none.
    package var answerField: String?
    /// The labels of the prompts that are kept; an empty list keeps all.
    package var labels: [String] = []
    /// The number of prompts, at least 1, that are kept from the beginning of the file, counting only those with a
    /// wanted label; nil keeps all.
    package var limit: Int?
    /// The number of prompts, at least 1, that are drawn with a seed from those that labels and limit leave, and kept
    /// in the file's order; nil keeps all.
    package var sample: Int?
    /// Whether each prompt becomes a user's turn in a checkpoint's chat template.
    package var isChat = false
    /// Whether a chat template rendered the texts before, so that nothing is added to them.
    package var isRendered = false

    package init() {}

    /// Reads the prompts of a file.
    ///
    /// - Parameters:
    ///   - name: the name of the file in errors; nil means its path.
    ///   - seed: the seed with which a sample of the prompts is drawn.
    /// - Throws: `WorkbenchError`, `JSONError`.
    package func read(_ path: String, name: String? = nil, seed: UInt64) throws -> PromptSet {
        let name = name ?? path
        let text = try TextFile.read(path)
        let isJSON = path.hasSuffix(".jsonl")
        var read: [(number: Int, prompt: PromptSet.Prompt)] = []
        var losses = ReadingLosses()
        var fields: [String] = []
        var known: Set<String> = []
        let named = [field, labelField, answerField].compactMap(\.self).filter { !$0.isEmpty }
        if !isJSON, let field = named.first ?? (labels.isEmpty ? nil : "label") {
            throw WorkbenchError.noFields(file: name, field: field)
        }
        let content = NumberedLines(text)
        losses.blank = content.blank
        for (number, line) in content.lines {
            guard isJSON else {
                read.append((number, PromptSet.Prompt(text: String(line))))
                continue
            }
            let object = try JSONLine(line, number: number, file: name)
            fields += (object.fields ?? []).filter { known.insert($0).inserted }
            if let prompt = try prompt(object) {
                read.append((number, prompt))
            } else {
                losses.emptyFields.append(number)
            }
        }
        if let labelField, !labelField.isEmpty, !known.contains(labelField), !read.isEmpty {
            throw WorkbenchError.noLabelField(file: name, field: labelField, known: fields)
        }
        if let answerField, !answerField.isEmpty, !read.contains(where: { !$0.prompt.answers.isEmpty }) {
            throw WorkbenchError.noAnswers(file: name, field: answerField, known: fields)
        }
        if !labels.isEmpty { read = try withLabels(read, name: name, fields: fields) }
        if let limit, limit <= read.count {
            read = Array(read.prefix(limit))
            // Lines after the last prompt that is taken do not count.
            losses = losses.before(line: read[limit - 1].number)
        }
        // With labels given, lines without one were not asked for.
        let unlabelled = read.filter { labels.isEmpty && $0.prompt.label.isEmpty }.map(\.number)
        if unlabelled.count < read.count { losses.unlabelled = unlabelled }
        var prompts = read.map(\.prompt)
        if let sample {
            var random = SeededRandom(seed: seed)
            guard sample <= prompts.count else { throw WorkbenchError.fewPrompts(prompts.count) }
            prompts = random.sample(sample, of: prompts.count).map { prompts[$0] }
        }
        guard !prompts.isEmpty else { throw WorkbenchError.noPrompts(file: name) }
        return PromptSet(source: path, prompts: prompts, isChat: isChat, isRendered: isRendered, losses: losses)
    }

    /// Returns the prompt of a line; nil if its text is empty.
    private func prompt(_ line: JSONLine) throws -> PromptSet.Prompt? {
        let field = field ?? "text"
        switch line[field] {
        case .text(let text):
            return text.isEmpty
                ? nil : PromptSet.Prompt(text: text, label: try label(of: line), answers: try answers(of: line))
        case .missing:
            throw WorkbenchError.noPromptField(place: line.place, field: field, known: line.fields ?? [])
        case .null: throw WorkbenchError.promptIsNoText(place: line.place, kind: "null", field: field)
        case .scalar(_, let kind), .composite(let kind):
            throw WorkbenchError.promptIsNoText(place: line.place, kind: kind, field: field)
        }
    }

    /// Returns the label of a line: a text, or the JSON text of a number or a truth value; "" if there is none.
    private func label(of line: JSONLine) throws -> String {
        let field = labelField ?? "label"
        guard !field.isEmpty else { return "" }
        switch line[field] {
        case .missing, .null: return ""
        case .text(let text), .scalar(let text, _): return text
        case .composite(let kind):
            throw WorkbenchError.labelIsNoScalar(place: line.place, kind: kind, field: field)
        }
    }

    private func answers(of line: JSONLine) throws -> [String] {
        let (field, place) = (answerField ?? "answer", line.place)
        guard !field.isEmpty, let value = line.json[field], !value.isNull else { return [] }
        let answers = try (value.array ?? [value]).map { answer in
            guard let text = answer.string else {
                let kind = value.array == nil ? answer.kind : "a list with \(answer.kind)"
                throw WorkbenchError.answerIsNoText(place: place, kind: kind, field: field)
            }
            return String(text.withoutOuterBlanks)
        }
        guard !answers.isEmpty, !answers.contains("") else {
            throw WorkbenchError.emptyAnswer(place: place, isList: answers.isEmpty, field: field)
        }
        return answers
    }

    private func withLabels(
        _ read: [(number: Int, prompt: PromptSet.Prompt)], name: String, fields: [String]
    ) throws -> [(number: Int, prompt: PromptSet.Prompt)] {
        guard !read.isEmpty else { return [] }
        let known = PromptSet(source: name, prompts: read.map(\.prompt), isChat: isChat).labels.filter { !$0.isEmpty }
        guard !known.isEmpty else {
            throw WorkbenchError.noLabelField(file: name, field: labelField ?? "label", known: fields)
        }
        if let missing = labels.first(where: { !known.contains($0) }) {
            throw WorkbenchError.noSuchLabel(file: name, label: missing, known: known)
        }
        let wanted = Set(labels)
        return read.filter { wanted.contains($0.prompt.label) }
    }
}
