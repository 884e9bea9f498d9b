package import ArgumentParser
import LinearAlgebra
import Models
import Reports
import TerminalText
import Tokenizers

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
            """)
    package static let traits = CommandTraits(
        .text, needsCheckpoint: true, makesValue: true, kinds: ["prompts": .prompts],
        examples: [
            "generate \"Once upon a time\" --tokens 12",
            "generate \"Once upon a time\" --tokens 12 --temperature 0.8 --top-p 0.95 --count 3 --seed 7",
            "generate \"Once upon a time\" --tokens 12 --stop . --stop '\\n' --scores",
            "drafts = generate --prompts corpus --tokens 8 --top-k 40",
        ])

    @Argument(help: "The text; quote it if it has blanks at its ends.") var text: [String] = []
    @Option(help: "A set of prompts instead of a text.") var prompts: String?
    @Flag(help: "Put the text into the chat template as the user's turn.") var chat = false
    @Option(help: "The system message that goes with --chat.") var system: String?
    @Option(name: [.customShort("n"), .long], help: "The most new tokens.") var tokens = 64
    @Option(help: "How many continuations of each text.") var count = 1
    @Option(help: "What logits are divided by; 0 takes the likeliest token. 1 if a filter is given, else 0.")
    var temperature: Double?
    @Option(help: "Draw from the k likeliest tokens.") var topK: Int?
    @Option(help: "Draw from the fewest likeliest tokens that have this probability together.") var topP: Double?
    @Option(help: "Draw from tokens at least this many times as likely as the likeliest.") var minP: Double?
    @Option(help: "Divide positive logits of earlier tokens by this, multiply negative ones.")
    var repetitionPenalty: Double?
    @Option(help: "The seed of what is drawn; by default the setting seed.") var seed: String?
    @Option(help: "End before this text; may be repeated.") var stop: [String] = []
    @Flag(help: "Do not stop at the end-of-text token.") var ignoreEnd = false
    @Flag(help: "List each token's probability and rank.") var scores = false

    @OptionGroup var products: PrecisionOption

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let checkpoint = try session.checkpoint()
        let tokenizer = try checkpoint.tokenizer()
        let c = try checkpoint.configuration()
        var options = GenerationOptions(limit: try checkedCount(tokens, "--tokens", limit: c.maxPositions))
        options.sampling = try sampling()
        options.seed = try seed.map { try Self.seed($0) } ?? session.settings.seed
        options.wantsRanks = scores
        let count = try checkedCount(count, "--count", limit: Self.mostContinuations)
        guard count == 1 || !options.sampling.isGreedy else {
            throw CommandError(
                "--count \(count) of the likeliest continuation are all the same", remedy: "add --temperature 1",
                exitCode: 2)
        }
        let stops = try stop.map(Self.stopString)
        if !ignoreEnd { options.endTokens = Set(c.eosTokens) }
        // A special token is no part of the text, so its name can only mean the token.
        let special = Set(tokenizer.specialIDs)
        options.endTokens.formUnion(stops.compactMap { tokenizer.id(ofToken: $0) }.filter(special.contains))

        let (set, ids) = try input(session, checkpoint)
        guard ids.count <= Self.mostContinuations / count else {
            throw CommandError(
                "\(count) continuations of \(ids.count) prompts are more than \(Self.mostContinuations)",
                remedy: "give a smaller --count, or fewer prompts", exitCode: 2)
        }
        let made = Continuations(
            prompts: ids, count: count, set: set, tokenizer: tokenizer, stops: stops, hasScores: scores)
        // On a terminal one text appears as it is made, and Ctrl-C keeps what there is.
        let isOnTerminal = session.output.isTerminal && !session.isRedirected && session.settings.mode == .table
        let isLive = isOnTerminal && made.all.count == 1
        if isLive { session.progress.setEnabled(false) }
        defer { session.progress.setEnabled(session.settings.progress) }
        let precision = try products.precision(session)
        var wasInterrupted = false
        let start = Clock.seconds()
        do {
            try checkpoint.namingBadTensors(session) {
                try session.runner(checkpoint, precision: precision).generate(
                    made.all, of: ids, options, control: session.control
                ) {
                    let (piece, goesOn) = made.receive($0)
                    if isLive { try session.output.write(piece.escapedForTerminal(keepingLineBreaks: true)) }
                    return goesOn
                }
            }
        } catch is CancellationError where isOnTerminal && made.newTokens > 0 {
            wasInterrupted = true
        }
        let elapsed = Clock.seconds() - start
        let rest = made.finish()

        var recipe = session.recipe(checkpoint, precision: precision)
        recipe.seed = options.seed
        var notes = options.sampling.isGreedy ? [] : ["seed \(options.seed)"]
        if !wasInterrupted { notes += try session.roundingNotes(checkpoint, ids[0], precision) }
        if wasInterrupted { notes.append("interrupted after \(counted(made.newTokens, "token"))") }
        if session.settings.timer, elapsed > 0 {
            notes.append("\(NumberFormat.significant(Double(made.newTokens) / elapsed)) tokens/s")
        }
        let value = made.report(session.settings.mode, notes: notes, recipe: recipe)
        var shown = value
        if isLive {
            try session.output.write(
                rest.escapedForTerminal(keepingLineBreaks: true) + (made.newTokens == 0 ? "" : "\n"))
            shown.text = nil
            return Outcome(.report(value), report: shown.tables.isEmpty && shown.notes.isEmpty ? nil : shown)
        }
        if session.settings.mode == .table, let blocks = made.blocks {
            shown.tables.removeFirst()
            shown.text = blocks
        }
        return Outcome(.report(value), report: shown)
    }

    private func input(
        _ session: Session, _ checkpoint: LoadedCheckpoint
    ) throws -> (PromptSet?, [[Int32]]) {
        guard text.isEmpty != (prompts == nil) else {
            throw CommandError("generate takes a text or --prompts", remedy: "give one of the two", exitCode: 2)
        }
        guard let prompts else { return (nil, [try checkpoint.encode(text: text, chat: chat, system: system)]) }
        guard !chat, system == nil else {
            throw CommandError(
                "--chat and --system go with a text", remedy: "read the set with: \(prompts) = prompts FILE --chat",
                exitCode: 2)
        }
        let set = try session.prompts(named: prompts)
        return (set, try checkpoint.encode(set, control: session.control).ids)
    }

    private static let mostContinuations = 1_000_000

    // MARK: Options

    private func sampling() throws -> Sampling {
        let hasFilter = topK != nil || topP != nil || minP != nil
        let temperature = temperature ?? (hasFilter ? 1 : 0)
        guard temperature == 0 || (0.001...1000).contains(temperature) else {
            throw Self.refusal("--temperature", temperature, "0 (the likeliest token) or a number from 0.001 to 1000")
        }
        guard temperature > 0 || !hasFilter else {
            throw CommandError(
                "at --temperature 0 the likeliest token is taken, whatever else is left",
                remedy: "leave out the temperature, or --top-k, --top-p and --min-p", exitCode: 2)
        }
        if let topK { _ = try checkedCount(topK, "--top-k") }
        if let topP, !(topP > 0 && topP <= 1) {
            throw Self.refusal("--top-p", topP, "a number above 0, at most 1")
        }
        if let minP, !(0...1).contains(minP) { throw Self.refusal("--min-p", minP, "a number from 0 to 1") }
        let penalty = repetitionPenalty ?? 1
        guard (0.01...100).contains(penalty) else {
            throw Self.refusal("--repetition-penalty", penalty, "a number from 0.01 to 100; 1 is none")
        }
        return Sampling(
            temperature: temperature, topK: topK, topP: topP, minP: minP, repetitionPenalty: penalty)
    }

    private static func refusal(_ option: String, _ value: Double, _ accepted: String) -> CommandError {
        CommandError("\(option) can't be \(value)", remedy: "give \(accepted)", exitCode: 2)
    }

    private static func seed(_ text: String) throws -> UInt64 {
        guard let number = UInt64(text) else {
            throw CommandError(
                "--seed can't be \"\(text.escapedForTerminal)\"",
                remedy: "give a whole number from 0 to \(UInt64.max)", exitCode: 2)
        }
        return number
    }

    private static func stopString(_ text: String) throws -> String {
        var result = String.UnicodeScalarView()
        var scalars = text.unicodeScalars[...]
        while let scalar = scalars.popFirst() {
            let following = scalar == "\\" ? scalars.first : nil
            let meaning: Unicode.Scalar? =
                switch following {
                case "n": "\n"
                case "t": "\t"
                case "\\": "\\"
                default: nil
                }
            if meaning != nil { scalars.removeFirst() }
            result.append(meaning ?? scalar)
        }
        guard !result.isEmpty else {
            throw CommandError("--stop is empty", remedy: "give at least one character", exitCode: 2)
        }
        return String(result)
    }
}
