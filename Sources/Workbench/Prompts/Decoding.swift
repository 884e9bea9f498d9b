package import Models
package import Sites
import Tokenizers

/// Texts that one checkpoint is to continue, as its tokenizer sees them, and the continuations that it makes.
package struct Decoding {
    package let source: NamedCheckpoint
    /// The token ids of each text that is to be continued.
    package let ids: [[Int32]]
    /// The options by which the checkpoint chooses tokens.
    package let options: GenerationOptions
    /// The continuations, which are empty before `run`.
    package let made: Continuations

    /// Whether the likeliest token is taken each time, so that no seed matters.
    package var isGreedy: Bool { options.sampling.isGreedy }
    package var seed: UInt64 { options.seed }

    /// The largest number of continuations, over all texts, that a command may ask for.
    package static let most = 1_000_000

    /// Prepares the continuation of texts by a checkpoint.
    ///
    /// - Parameters:
    ///   - ids: the token ids of each text.
    ///   - set: the set that the texts come from; nil for a text of the command line.
    ///   - count: the number of continuations of each text.
    /// - Throws: `WorkbenchError`; `ModelError` for a text that the checkpoint can't be run on.
    package init(
        _ source: NamedCheckpoint, _ ids: [[Int32]], set: PromptSet?, count: Int = 1, choices: DecodingChoices,
        hasScores: Bool = false
    ) throws {
        guard ids.count <= Self.most / count else {
            throw WorkbenchError.tooManyContinuations(count, prompts: ids.count, most: Self.most)
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

    /// Makes all continuations together.
    ///
    /// - Parameter show: is called with each piece of a continuation's text as soon as it can be shown.
    /// - Throws: `CancellationError` if the user gives up; the continuations made by then stay in `made`.
    package func run(_ context: RunContext, precision: Precision, show: (String) throws -> Void = { _ in }) throws {
        try source.checkpoint.namingBadTensors(context) {
            try context.runner(source.checkpoint, precision: precision).generate(
                made.all, of: ids, options, control: context.control
            ) {
                let (piece, goesOn) = made.receive($0)
                try show(piece)
                return goesOn
            }
        }
    }
}

/// The way in which any checkpoint is to continue texts.
package struct DecodingChoices {
    /// The largest number of new tokens of a continuation, at least 1.
    package let tokens: Int
    package let sampling: Sampling
    package let seed: UInt64
    package let stops: [String]
    /// Whether the model's end tokens are ignored, so that a continuation goes on.
    package let ignoresEnd: Bool

    /// Makes choices that draw each new token at random from the model's distribution.
    ///
    /// - Parameters:
    ///   - temperature: the number that logits are divided by; 0 takes the likeliest token.
    ///   - topK: the number of likeliest tokens from which one is drawn; nil means all.
    ///   - topP: the probability that the drawn-from tokens, the fewest likeliest ones, have together; nil means all.
    ///   - minP: the least probability of a token that may be drawn, as a fraction of the likeliest one's; nil means
    ///     any.
    ///   - repetitionPenalty: divides positive logits of tokens that occurred, multiplies negative ones; 1 is none.
    package init(
        tokens: Int, temperature: Double, topK: Int?, topP: Double?, minP: Double?, repetitionPenalty: Double,
        seed: UInt64, stops: [String], ignoresEnd: Bool
    ) {
        self.init(
            tokens: tokens,
            sampling: Sampling(
                temperature: temperature, topK: topK, topP: topP, minP: minP, repetitionPenalty: repetitionPenalty),
            seed: seed, stops: stops, ignoresEnd: ignoresEnd)
    }

    /// Makes choices that take the likeliest token each time.
    package init(tokens: Int, seed: UInt64, stops: [String] = [], ignoresEnd: Bool = false) {
        self.init(tokens: tokens, sampling: .greedy, seed: seed, stops: stops, ignoresEnd: ignoresEnd)
    }

    /// Whether the likeliest token is taken each time, so that no seed matters.
    package var isGreedy: Bool { sampling.isGreedy }

    package init(tokens: Int, sampling: Sampling, seed: UInt64, stops: [String], ignoresEnd: Bool) {
        self.tokens = tokens
        self.sampling = sampling
        self.seed = seed
        self.stops = stops
        self.ignoresEnd = ignoresEnd
    }

    /// Returns the options of generation for one checkpoint, whose own end tokens end a continuation.
    package func options(_ checkpoint: LoadedCheckpoint) throws -> GenerationOptions {
        let c = try checkpoint.configuration()
        let tokenizer = try checkpoint.tokenizer()
        guard tokens <= c.maxPositions else { throw WorkbenchError.tooManyTokens(limit: c.maxPositions) }
        var options = GenerationOptions(limit: tokens)
        options.sampling = sampling
        options.seed = seed
        if !ignoresEnd { options.endTokens = Set(c.eosTokens) }
        // A special token is not part of the text, so a stop string that is its name can only mean the token.
        let special = Set(tokenizer.specialIDs)
        options.endTokens.formUnion(stops.compactMap { tokenizer.id(ofToken: $0) }.filter(special.contains))
        return options
    }
}

extension RunContext {
    /// Makes the continuations of several checkpoints or sets one after another, with one progress report for all.
    package func run(_ decodings: [Decoding], precision: Precision) throws {
        let tokens = decodings.map { Int(min(1e15, Double($0.made.all.count) * Double($0.options.limit))) }
        guard decodings.count > 1 else {
            for decoding in decodings { try decoding.run(self, precision: precision) }
            return
        }
        try parts(tokens) { try decodings[$0].run(self, precision: precision) }
    }
}
