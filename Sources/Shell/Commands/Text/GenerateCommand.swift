package import ArgumentParser
import Language
import Reports
import Sites
import TerminalText
import Workbench
import Control
import Terminal

package struct GenerateCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "generate", abstract: "Continue a text, or every prompt of a set.",
        discussion: """
            The likeliest token each time, until the end-of-text token or --tokens; with --temperature, --top-k, --top-p or
            --min-p tokens are drawn instead. The filters mean what they mean in transformers and follow its order:
            repetition penalty, temperature, top-k, top-p, min-p; none is on by default, not even top-k. Continuation i of
            prompt p draws from the stream (p, i) of the seed: it is the same whatever the --count, whatever else is in
            the set and at any number of threads. Several are decoded together, several times as fast as one by one.
            A stop string may lie across tokens; in it \\n is a line break, \\t a tab, \\\\ a backslash.
            log-probability is the mean over the new tokens (a stop string's included, the end-of-text token not) under the
            model's own distribution, before temperature and filters; so are the probability and rank of --scores.
            --checkpoints puts what several open checkpoints say side by side, each with its own tokenizer.
            Of --prompts it is counted how continuations ended (as in evaluate); a note says where a tenth or more are empty.
            """)
    package static let traits = CommandTraits(
        .text, needsCheckpoint: true, makesValue: true, kinds: ["prompts": .prompts],
        examples: [
            "generate \"Once upon a time\" --tokens 12",
            "generate \"Once upon a time\" --tokens 12 --temperature 0.8 --top-p 0.95 --count 3 --seed 7",
            "generate \"Once upon a time\" --tokens 12 --stop . --stop '\\n' --scores",
            "corpus = prompts Scripts/prompts/open.txt --limit 50",
            "drafts = generate --prompts corpus --tokens 8 --top-k 40", "open Checkpoints/pearl-tuned.h5",
            "generate \"What is the price of bread?\" --chat --checkpoints pearl-base,pearl-tuned",
        ])

    @Argument(help: "The text; quote it if it has blanks at its ends.") var text: [String] = []
    @Option(help: "A set of prompts instead of a text.") var prompts: String?
    @OptionGroup var turn: TurnOptions
    @Option(name: [.customShort("n"), .long], help: "The most new tokens.") var tokens = 64
    @Option(help: "How many continuations of each text.") var count = 1
    @Flag(help: "List each token's probability and rank.") var scores = false

    @OptionGroup var decoding: DecodingOptions
    @OptionGroup var sources: CheckpointsOption
    @OptionGroup var products: PrecisionOption

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let chosen = try sources.chosen(session)
        let choices = try decoding.choices(session, tokens: tokens)
        let count = try checkedCount(count, "--count", limit: Decoding.most)
        guard count == 1 || !choices.isGreedy else {
            throw CommandError(
                "--count \(count) of the likeliest continuation are all the same", remedy: "add --temperature 1",
                exitCode: 2)
        }
        let set = try turn.set(text, or: prompts, "generate takes a text", isStudied: false, in: session)
        let decodings = try chosen.map { source in
            let ids = try source.checkpoint.encode(set, in: session.context()).ids
            return try Decoding(
                source, ids, set: prompts == nil ? nil : set, count: count, choices: choices, hasScores: scores)
        }
        let precision = try products.precision(session)
        return decodings.count == 1
            ? try one(decodings[0], session, precision) : try sideBySide(decodings, session, precision)
    }

    private func one(_ decoding: Decoding, _ session: Session, _ precision: Precision) throws -> Outcome {
        let made = decoding.made
        // On a terminal a single continuation appears while it is made. Ctrl-C on a terminal keeps the tokens that were
        // made so far.
        let isOnTerminal = session.output.isTerminal && !session.isRedirected && session.settings.mode == .table
        let isLive = isOnTerminal && made.total == 1
        if isLive { session.progress.setEnabled(false) }
        defer { session.progress.setEnabled(session.settings.progress) }
        var wasInterrupted = false
        let start = Clock.seconds()
        do {
            try decoding.run(session.context(), precision: precision) { piece in
                if isLive { try session.output.write(piece.escapedForTerminal(keepingLineBreaks: true)) }
            }
        } catch is CancellationError where isOnTerminal && made.newTokens > 0 {
            wasInterrupted = true
        }
        let seconds = Clock.seconds() - start
        let rest = made.finish()

        let notes =
            wasInterrupted
            ? session.seedNotes([decoding]) + ["interrupted after \(counted(made.newTokens, "token"))"]
                + session.speedNotes([decoding], seconds: seconds)
            : try session.notes([decoding], precision: precision, seconds: seconds)
        var value = made.report(
            session.settings.mode, notes: notes, recipe: session.recipe([decoding], precision: precision))
        try value.add(endings: [decoding], in: session.context())
        var shown = value
        if isLive {
            try session.output.write(
                rest.escapedForTerminal(keepingLineBreaks: true) + (made.newTokens == 0 ? "" : "\n"))
            shown.text = nil
            return Outcome(.report(value), report: shown.tables.isEmpty && shown.notes.isEmpty ? nil : shown)
        }
        if session.settings.mode == .table, let blocks = made.blocks() {
            shown.tables.removeFirst()
            shown.text = blocks
        }
        return Outcome(.report(value), report: shown)
    }

    private func sideBySide(_ decodings: [Decoding], _ session: Session, _ precision: Precision) throws -> Outcome {
        let start = Clock.seconds()
        try session.context().run(decodings, precision: precision)
        let seconds = Clock.seconds() - start
        let columns = SideBySide(decodings)
        let mode = session.settings.mode
        var value = columns.report(
            listsTokens: scores || mode.isForPrograms,
            notes: try session.notes(decodings, precision: precision, seconds: seconds),
            recipe: session.recipe(decodings, precision: precision))
        try value.add(endings: decodings, in: session.context())
        // Blocks of text suit a terminal's limited width. Tables in markdown may have any width.
        guard mode == .table || mode == .markdown && decodings[0].made.promptSet != nil else {
            return Outcome(.report(value), report: value)
        }
        var shown = value
        let width = session.isRedirected || mode != .table ? nil : session.output.terminalSize?.columns
        switch columns.shown(width: width) {
        case .table(let table): shown.tables[0] = table
        case .text(let text):
            shown.tables.removeFirst()
            shown.text = text
        }
        return Outcome(.report(value), report: shown)
    }
}
