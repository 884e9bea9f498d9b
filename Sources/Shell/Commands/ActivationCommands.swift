package import ArgumentParser
import Checkpoints
import Geometry
import LinearAlgebra
import Models
import Reports
import Tokenizers
import TerminalText

package struct PromptsCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "prompts", abstract: "Read a set of prompts from a file.",
        discussion: """
            A text file has one prompt a line; empty lines are left out. A .jsonl file has one JSON object a line: --field
            names the text (default text), --label-field the label (default label, where there is one). A prompt keeps
            \\n in text files as it stands: two characters.
            """)
    package static let traits = CommandTraits(
        .activations, changesState: true, makesValue: true, kinds: ["file": .file],
        examples: ["corpus = prompts $prompts"])

    @Argument(help: "A text file, or a .jsonl file.") var file: String
    @Option(help: "The field of a .jsonl file that holds the text.") var field = "text"
    @Option(help: "The field of a .jsonl file that holds the label.") var labelField = "label"
    @Flag(help: "Each prompt is a user's turn in the checkpoint's chat template.") var chat = false
    @Option(help: "Only the first so many.") var limit: Int?
    @Option(help: "Only so many, drawn with the session's seed, in the file's order.") var sample: Int?

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let path = expandTilde(file)
        let text = try TextFile.read(path)
        var prompts: [PromptSet.Prompt] = []
        if path.hasSuffix(".jsonl") {
            for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
                guard line.contains(where: { !$0.isWhitespace }) else { continue }
                prompts.append(try parse(line, number: index + 1))
            }
        } else {
            for line in text.split(whereSeparator: { $0 == "\n" || $0 == "\r\n" }) {
                prompts.append(PromptSet.Prompt(text: String(line), label: ""))
            }
        }
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
        let set = PromptSet(
            source: path, prompts: prompts, isChat: chat, recipe: RecipeText.json(session.recipe()))
        var report = Report(text: set.summary)
        if sample != nil { report.notes = ["seed \(session.settings.seed)"] }
        return Outcome(.prompts(set), report: report)
    }

    private func parse(_ line: Substring, number: Int) throws -> PromptSet.Prompt {
        let place = "\(file), line \(number)"
        let json = try JSONValue(parsing: Array(line.utf8), file: place)
        guard let text = json[field]?.string else {
            let keys = json.object?.keys.joined(separator: ", ") ?? "no fields"
            throw CommandError(
                "\(place.escapedForTerminal) has no text in the field \(field.escapedForTerminal)",
                remedy: "choose one with --field; the line has \(keys.escapedForTerminal)")
        }
        let label = json[labelField].map { $0.string ?? $0.int.map(String.init) ?? "" } ?? ""
        return PromptSet.Prompt(text: text, label: label)
    }
}

package struct CaptureCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "capture", abstract: "Keep activations at some sites and positions of a set of prompts.",
        discussion: """
            Sites: resid_post[12], resid_post[0..5], attn.z[*], blocks.*.hook_resid_mid, logits; see help sites. With --to the
            rows go to an HDF5 file as they are computed and need no memory; h5py opens it. The run ends at the last site
            that is asked for. all and mean leave out the BOS token that the tokenizer adds, unless --with-bos.
            """)
    package static let traits = CommandTraits(
        .activations, needsCheckpoint: true, changesState: true, makesValue: true,
        kinds: ["sites": .site, "prompts": .prompts, "at": .position, "to": .file],
        examples: ["acts = capture resid_post[*] --prompts corpus --at last"])

    @Argument(help: "Sites.") var sites: [String]
    @Option(help: "A set of prompts.") var prompts: String?
    @Option(help: "One text instead of a set of prompts.") var text: String?
    @Option(help: "Positions: last, first, all, mean, 5, -2, token:WORD.") var at = "last"
    @Option(help: "Write to an HDF5 file instead of keeping the rows in memory.") var to: String?
    @Flag(help: "Replace an existing file.") var overwrite = false
    @Flag(help: "Include the BOS token in all and mean.") var withBos = false

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let checkpoint = try session.checkpoint()
        let c = try checkpoint.configuration()
        let wanted = try Set(sites.flatMap { try SiteExpression.parse($0, layers: c.layers) }).sorted()
        let set = try promptSet(session)
        let position = try Position(at)
        if position == .mean, wanted.contains(Site(.logits)) {
            throw CommandError("logits have no mean over positions", remedy: "use --at last or all")
        }
        let encoded = try checkpoint.encode(set, control: session.control)
        let sequences = TokenSequences(encoded.ids)
        let positions = try session.positions(
            position, checkpoint, ids: encoded.ids, texts: encoded.texts, isRendered: set.isChat,
            includesLeading: withBos)
        let selection = RowSelection(sequences, positions: positions, isMean: position == .mean)
        let rows = Self.rows(encoded, positions, isMean: position == .mean)
        let prompts = zip(set.prompts, encoded.texts).map { CapturePrompt(text: $1, label: $0.label) }
        let recipe = RecipeText.json(session.recipe(checkpoint))
        let widths = wanted.map { c.width(of: $0) }
        func collect(_ sink: any RowSink) throws {
            let collector = SiteCollector(sites: wanted, selection: selection, sink: sink)
            let logits = wanted.contains(Site(.logits)) ? collector.logitsRequest(vocabulary: c.vocabularySize) : nil
            try session.run(checkpoint, sequences, taps: [collector], logits: logits)
        }

        let capture: Capture
        if let to {
            let path = expandTilde(to)
            guard !overwrite || session.isInteractive || session.allowsOverwrite else {
                throw CommandError("a script overwrites nothing", remedy: "start nacre with --overwrite", exitCode: 2)
            }
            let writer = try CaptureWriter(
                path, overwrite: overwrite,
                sites: Dictionary(uniqueKeysWithValues: zip(wanted.map(\.fullName), widths)), rows: rows,
                prompts: prompts,
                recipeJSON: Array(recipe.utf8), createdBy: "nacre \(Session.version)")
            do {
                try collect(FileSink(writer))
                try writer.finish()
            } catch {
                writer.abandon()
                throw error
            }
            capture = Capture(try CaptureFile.open(path))
        } else {
            let bytes = rows.count * widths.reduce(0, +) * 4
            guard bytes <= Self.memoryLimit else {
                throw CommandError(
                    "this capture needs \(NumberFormat.bytes(bytes)) of memory, more than \(NumberFormat.bytes(Self.memoryLimit))",
                    remedy: "write it to a file with --to FILE, or ask for fewer sites or positions")
            }
            let sink = MatrixSink(rows: rows.count)
            try collect(sink)
            capture = Capture(
                sites: wanted.map { ($0.fullName, sink.matrices[$0] ?? Matrix(rows: 0, columns: 0)) }, rows: rows,
                prompts: prompts, recipe: recipe)
        }
        return Outcome(.capture(capture), report: Report(text: capture.summary))
    }

    /// The most that a capture keeps in memory.
    private static let memoryLimit = 4 << 30

    private func promptSet(_ session: Session) throws -> PromptSet {
        switch (prompts, text) {
        case (let name?, nil): return try session.prompts(named: name)
        case (nil, let text?):
            return PromptSet(
                source: "the command line", prompts: [PromptSet.Prompt(text: text, label: "")], isChat: false,
                recipe: "{}")
        default:
            throw CommandError(
                "capture takes either --prompts or --text", remedy: "make a set with: NAME = prompts FILE", exitCode: 2)
        }
    }

    private static func rows(_ encoded: EncodedPrompts, _ positions: [[Int]], isMean: Bool) -> [CaptureRow] {
        positions.enumerated().flatMap { prompt, list -> [CaptureRow] in
            if isMean { return [CaptureRow(prompt: Int32(prompt), position: -1, token: -1)] }
            return list.map {
                CaptureRow(prompt: Int32(prompt), position: Int32($0), token: encoded.ids[prompt][$0])
            }
        }
    }
}

/// Streams rows into a capture file.
private final class FileSink: RowSink {
    private let writer: CaptureWriter

    init(_ writer: CaptureWriter) { self.writer = writer }

    func write(_ site: Site, firstRow: Int, values: UnsafeBufferPointer<Float>, width: Int) throws {
        try writer.write(site: site.fullName, firstRow: firstRow, values: values)
    }
}

package struct PCACommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "pca", abstract: "Principal components of a capture: variance by component, linear dimensions.",
        discussion: """
            Eigenvalues of the covariance of the rows, in float64. The noise column is what as many independent Gaussian rows
            of the same width give (drawn with the session's seed): a share that is not above it says nothing. Participation
            ratio: (sum l)^2 / sum l^2; d90, d95, d99: components that hold so much of the variance.
            """)
    package static let traits = CommandTraits(
        .activations, makesValue: true, kinds: ["capture": .capture, "site": .site],
        examples: ["pca acts --site resid_post[-1]"])

    @Argument(help: "A capture.") var capture: String
    @Option(help: "One of its sites; needed if it has several.") var site: String?
    @Option(name: [.customShort("k"), .long], help: "Components to show.") var components = 10

    /// Rows or columns, whichever are fewer; 8,192 take about 512 MB and five minutes.
    private static let sizeLimit = 8192

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let capture = try session.capture(named: capture)
        let name = try capture.resolve(site)
        let all = try capture.matrix(name)
        let points = all.distinctRows
        guard points.rows > 1 else {
            throw CommandError("all \(all.rows) rows are the same", remedy: "capture more prompts, or another position")
        }
        let shown = try checkedCount(components, "--components")
        guard min(points.rows, points.columns) <= Self.sizeLimit else {
            throw CommandError(
                "\(points.rows) rows of width \(points.columns) would need an eigenproblem larger than \(Self.sizeLimit)",
                remedy: "capture fewer rows, for example with prompts --sample")
        }
        let seed = session.settings.seed
        let (found, null) = try Interruptible.run(session.control) {
            let found = try PrincipalComponents(of: points, components: 0)
            var random = SeededRandom(seed: seed)
            let noise = Matrix(
                rows: points.rows, columns: points.columns,
                values: random.normal(count: points.values.count).map(Float.init))
            return (found, try PrincipalComponents(of: noise, components: 0))
        }
        var table = Table("components", columns: ["component", "variance", "share", "cumulative", "noise share"])
        var series = Series("cumulative share of variance", x: .init("components"), y: .init("share"))
        var sum = 0.0
        for index in 0..<min(shown, found.variances.count) {
            let share = found.variances[index] / found.totalVariance
            sum += share
            table.append([
                .integer(index + 1), .number(found.variances[index]), .number(share), .number(sum),
                .number(null.variances[index] / null.totalVariance),
            ])
            series.points.append(.init(x: Double(index + 1), y: sum))
        }
        var notes = ["noise: independent Gaussian rows, N and D the same, seed \(session.settings.seed)"]
        if points.rows <= points.columns {
            notes.append("N is not above D: no linear dimension can exceed \(points.rows - 1).")
        }
        return Outcome(
            Report(
                title: "\(name), N = \(points.rows), D = \(points.columns)",
                scalars: [
                    Scalar(
                        "participation ratio", .number(found.participationRatio),
                        note: "noise \(NumberFormat.significant(null.participationRatio))"),
                    Scalar(
                        "d90", .integer(found.dimensions(holding: 0.9)), note: "noise \(null.dimensions(holding: 0.9))"),
                    Scalar(
                        "d95", .integer(found.dimensions(holding: 0.95)),
                        note: "noise \(null.dimensions(holding: 0.95))"),
                    Scalar(
                        "d99", .integer(found.dimensions(holding: 0.99)),
                        note: "noise \(null.dimensions(holding: 0.99))"),
                    Scalar("exact duplicates dropped", .integer(all.rows - points.rows)),
                ], tables: [table], series: [series], notes: notes, recipe: session.recipe()))
    }
}

extension Capture {
    /// The site that a user names, in full or in short form; the only one when none is named.
    func resolve(_ site: String?) throws -> String {
        let list = sites
        guard let site else {
            guard list.count == 1 else {
                throw CommandError(
                    "the capture has \(list.count) sites", remedy: "choose one with --site, such as \(list.last ?? "")")
            }
            return list[0]
        }
        if list.contains(site) { return site }
        let layers = list.compactMap { $0.split(separator: ".").dropFirst().first.flatMap { Int($0) } }
        let names = try SiteExpression.parse(site, layers: (layers.max() ?? 0) + 1).map(\.fullName)
        let found = names.filter(list.contains)
        guard found.count == 1 else {
            throw CommandError(
                found.isEmpty
                    ? "the capture does not hold \(site.escapedForTerminal)"
                    : "\(site.escapedForTerminal) names several sites",
                remedy: "it has \(list.prefix(4).joined(separator: ", "))\(list.count > 4 ? ", ..." : "")")
        }
        return found[0]
    }
}

extension Matrix {
    /// The rows without exact repetitions, in their order.
    fileprivate var distinctRows: Matrix {
        var seen = Set<[Float]>()
        let kept = (0..<rows).filter { seen.insert(Array(row($0))).inserted }
        return kept.count == rows
            ? self : Matrix(rows: kept.count, columns: columns, values: kept.flatMap { row($0) })
    }
}
