import Language
import Models
import Provenance
import Reports
import Sites
import TerminalText
import Workbench

/// Texts that one checkpoint is to go on with, as its tokenizer sees them, and what comes of it.
struct Decoding {
    let source: NamedCheckpoint
    /// Token ids of each text.
    let ids: [[Int32]]
    let options: GenerationOptions
    let made: Continuations

    /// The most continuations of a command.
    static let most = 1_000_000

    /// - Parameters:
    ///   - ids: token ids of each text.
    ///   - set: where the texts come from; nil for a text of the command line.
    ///   - count: continuations of each.
    /// - Throws: `CommandError`; `ModelError` for a text that the checkpoint can't be run over.
    init(
        _ source: NamedCheckpoint, _ ids: [[Int32]], set: PromptSet?, count: Int = 1, choices: DecodingChoices,
        hasScores: Bool = false
    ) throws {
        guard ids.count <= Self.most / count else {
            throw CommandError(
                "\(count) continuations of \(ids.count) prompts are more than \(Self.most)",
                remedy: "give a smaller --count, or fewer prompts", exitCode: 2)
        }
        let c = try source.checkpoint.configuration()
        try TokenSequences(ids).validate(vocabulary: c.vocabularySize, maxPositions: c.maxPositions)
        self.source = source
        self.ids = ids
        var options = try choices.options(source.checkpoint)
        options.wantsRanks = hasScores
        options.edits = source.edits ?? source.checkpoint.edits.active
        self.options = options
        made = Continuations(
            prompts: ids, count: count, set: set, tokenizer: try source.checkpoint.tokenizer(),
            stops: choices.stops, hasScores: hasScores)
    }

    /// Makes the continuations, all together.
    ///
    /// - Parameter show: is given each piece of text as it can be shown.
    /// - Throws: `CancellationError`, with what there is by then kept in `made`.
    func run(_ session: Session, precision: Precision, show: (String) throws -> Void = { _ in }) throws {
        try source.checkpoint.namingBadTensors(session.context()) {
            try session.context().runner(source.checkpoint, precision: precision).generate(
                made.all, of: ids, options, control: session.control
            ) {
                let (piece, goesOn) = made.receive($0)
                try show(piece)
                return goesOn
            }
        }
    }
}

extension Session {
    /// Runs decodings one after another, with one progress line for all of them.
    func run(_ decodings: [Decoding], precision: Precision) throws {
        let tokens = decodings.map { Int(min(1e15, Double($0.made.all.count) * Double($0.options.limit))) }
        defer { progress.clear() }
        for (index, decoding) in decodings.enumerated() {
            if decodings.count > 1 {
                progress.setScope(done: tokens[..<index].reduce(0, +), total: tokens.reduce(0, +))
            }
            try decoding.run(self, precision: precision)
        }
    }

    /// What qualifies continuations: seed, rounding, speed.
    func notes(_ decodings: [Decoding], precision: Precision, seconds: Double) throws -> [String] {
        var notes = seedNotes(decodings)
        for decoding in decodings {
            let rounding = try context().roundingNotes(decoding.source.checkpoint, decoding.ids[0], precision)
            notes += decodings.count == 1 ? rounding : rounding.map { "\(decoding.source.name): \($0)" }
        }
        return notes + speedNotes(decodings, seconds: seconds)
    }

    func seedNotes(_ decodings: [Decoding]) -> [String] {
        guard let options = decodings.first?.options, !options.sampling.isGreedy else { return [] }
        return ["seed \(options.seed)"]
    }

    /// How fast it went, if the timer is on.
    func speedNotes(_ decodings: [Decoding], seconds: Double) -> [String] {
        guard settings.timer, seconds > 0 else { return [] }
        let tokens = decodings.reduce(0) { $0 + $1.made.newTokens }
        return ["\(NumberFormat.significant(Double(tokens) / seconds)) tokens/s"]
    }

    func recipe(_ decodings: [Decoding], precision: Precision) -> Recipe {
        var recipe = recipe(decodings.map(\.source.checkpoint), precision: precision)
        recipe.seed = decodings.first?.options.seed ?? settings.seed
        return recipe
    }
}
