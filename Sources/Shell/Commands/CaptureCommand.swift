package import ArgumentParser
import Checkpoints
import LinearAlgebra
import Models
import Reports
import TerminalText
import Tokenizers

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
        let wanted = try Set(sites.flatMap { try SiteExpression.parse($0, in: c) }).sorted()
        guard !wanted.contains(where: \.kind.isPattern) else {
            throw CommandError("attention patterns and scores can't be captured yet", remedy: "leave them out")
        }
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
            guard !path.isEmpty else {
                throw CommandError("the name of a file is empty", remedy: "give one after --to", exitCode: 2)
            }
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
                source: "the command line", prompts: [PromptSet.Prompt(text: text, label: "")], isChat: false)
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
