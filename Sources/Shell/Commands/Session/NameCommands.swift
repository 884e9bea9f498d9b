package import ArgumentParser
import Checkpoints
import Directions
import Language
import Reports
import TerminalText
import Workbench

package struct ListCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List everything that has a name.")
    package static let traits = CommandTraits(.session, examples: ["list"])

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        guard !session.names.isEmpty else {
            return .message(Report(text: "nothing has a name yet; try: open FILE"))
        }
        var table = Table("names", columns: ["name", "kind", "what"])
        for (name, value) in session.names {
            let marker = name == session.current ? " (in use)" : ""
            table.append([.text(name + marker), .text(value.kind.rawValue), .text(value.summary)])
        }
        return .message(Report(tables: [table]))
    }
}

package struct DeleteCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Forget names; files on disk stay.")
    package static let traits = CommandTraits(.session, changesState: true, kinds: ["names": .anyName])

    @Argument(help: "Names.") var names: [String]

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        for name in names where session.names.allSatisfy({ $0.name != name }) { throw session.unknown(name) }
        for name in Set(names) { try session.remove(name) }
        return .none
    }
}

package struct RenameCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "rename", abstract: "Give something another name.")
    package static let traits = CommandTraits(.session, changesState: true, kinds: ["old": .anyName])

    @Argument(help: "The name it has.") var old: String
    @Argument(help: "The name it gets.") var new: String

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        try session.rename(old, to: new)
        return .none
    }
}

package struct PrintCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "print",
        abstract: "Print a value: a report, prompts, or numbers of a tensor, a capture or points.",
        discussion: """
            NAME[rows,columns] chooses part of a matrix: model.norm.weight[0..7], acts[0,*]. Rows and columns are numbers,
            ranges with both ends, or *. Without brackets a matrix shows its first rows and columns.
            """)
    package static let traits = CommandTraits(
        .session, kinds: ["what": .anyName, "site": .site],
        examples: [
            "print model.norm.weight[0..7]", "corpus = prompts Scripts/prompts/open.txt --limit 50",
            "acts = capture resid_post[*] --prompts corpus", "print acts[0..2,0..4] --site resid_post[-1]",
        ])

    @Argument(help: "A name, or a tensor of the checkpoint in use; [rows,columns] may follow.") var what: String
    @Option(help: "The site, when a capture has several.") var site: String?

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let (name, brackets) = Self.split(what)
        switch try session.usable(name) {
        case .report(let report)?: return .message(report)
        case .checkpoint(let checkpoint)?: return .message(Report(text: checkpoint.summary))
        case .prompts(let set)?:
            let hasAnswers = set.hasAnswers
            var table = Table("prompts", columns: ["prompt", "label", "text"] + (hasAnswers ? ["answers"] : []))
            let range = try IndexRange.parse(brackets.map { [$0] }?.first ?? "*", count: set.prompts.count)
            for index in range {
                let prompt = set.prompts[index]
                let row: [Cell] = [
                    .integer(index), prompt.labelCell, .text(prompt.text),
                ]
                table.append(row + (hasAnswers ? [prompt.answersCell] : []))
            }
            return .message(Report(title: set.summary, tables: [table]))
        case .points(let points)?:
            return .message(
                try Self.matrix(name, points.numbers, brackets))
        case .subspace(let subspace)?:
            return .message(
                try Self.matrix(name, subspace.numbers, brackets))
        case .capture(let capture)?:
            if brackets == nil, site == nil, capture.sites.count > 1 || !capture.patterns.isEmpty {
                return .message(Self.overview(capture))
            }
            return .message(try Self.matrix(name, capture.numbers(capture.resolve(site)), brackets))
        case nil: return try tensor(name, brackets, session)
        }
    }

    private func tensor(_ name: String, _ brackets: String?, _ session: Session) throws -> Outcome {
        guard session.current != nil else { throw session.unknown(name) }
        let checkpoint = try session.checkpoint()
        guard let numbers = try checkpoint.numbers(ofTensor: name) else {
            let candidates = session.names.map(\.name) + checkpoint.file.tensors.map(\.name)
            let close = Suggestion.closest(to: name, among: candidates)
            throw CommandError(
                "nothing is called \(name.escapedForTerminal)",
                remedy: close.map { "did you mean \($0.escapedForTerminal)?" } ?? "see list and tensors")
        }
        return .message(try Self.matrix(name, numbers, brackets))
    }

    private static func overview(_ capture: Capture) -> Report {
        var table = Table("sites", columns: ["site", "rows", "width"])
        for site in capture.sites {
            table.append([.text(site), .integer(capture.rows.count), .integer(capture.width(of: site) ?? 0)])
        }
        var patterns = Table("patterns", columns: ["pattern", "heads", "prompts"])
        for (name, heads) in capture.patterns {
            patterns.append([.text(name), .integer(heads), .integer(capture.prompts.count)])
        }
        return Report(
            title: capture.summary,
            tables: (capture.sites.isEmpty ? [] : [table]) + (patterns.rows.isEmpty ? [] : [patterns]))
    }

    /// Returns chosen rows and columns of a matrix as a table.
    ///
    /// - Parameters:
    ///   - name: The name of the matrix, for the title.
    ///   - numbers: The matrix.
    ///   - brackets: The text between the brackets, `ROWS` or `ROWS,COLUMNS`. Without rows or columns there, the first
    ///     8 are shown.
    /// - Throws: `CommandError` if the text is not of that form, or if more than 1,000,000 numbers are chosen.
    private static func matrix(
        _ name: String, _ numbers: Numbers, _ brackets: String?
    ) throws -> Report {
        let (rows, columns) = (numbers.rows, numbers.columns)
        let parts = brackets?.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        if let parts, parts.count > 2 {
            throw CommandError("\(name)[...] takes rows and columns", remedy: "write \(name)[0..4,0..7]", exitCode: 2)
        }
        let rowRange = try parts.map { try IndexRange.parse($0[0], count: rows) } ?? 0..<min(rows, 8)
        let columnRange =
            parts.map { $0.count == 2 } == true ? try IndexRange.parse(parts![1], count: columns) : 0..<min(columns, 8)
        let cells = rowRange.count * columnRange.count
        guard cells <= 1_000_000 else {
            throw CommandError("\(cells) numbers are too many to print", remedy: "choose rows and columns in brackets")
        }
        var table = Table(name, columns: [.init("row")] + columnRange.map { .init(String($0)) })
        for row in rowRange {
            table.append([.integer(row)] + columnRange.map { .number(numbers[row: row, column: $0]) })
        }
        return Report(title: "\(name) [\(rows), \(columns)]", tables: [table])
    }

    private static func split(_ text: String) -> (name: String, brackets: String?) {
        guard text.last == "]", let open = text.lastIndex(of: "[") else { return (text, nil) }
        return (String(text[..<open]), String(text[text.index(after: open)...].dropLast()))
    }
}
