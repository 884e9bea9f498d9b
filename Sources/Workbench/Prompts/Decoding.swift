package import Models
package import Sites
import Tokenizers

/// Texts that one checkpoint is to go on with, as its tokenizer sees them, and what comes of it.
package struct Decoding {
    package let source: NamedCheckpoint
    /// Token ids of each text.
    package let ids: [[Int32]]
    package let options: GenerationOptions
    package let made: Continuations

    /// Whether the likeliest token is taken each time, so that no seed matters.
    package var isGreedy: Bool { options.sampling.isGreedy }
    package var seed: UInt64 { options.seed }

    /// The most continuations of a command.
    package static let most = 1_000_000

    /// - Parameters:
    ///   - ids: token ids of each text.
    ///   - set: where the texts come from; nil for a text of the command line.
    ///   - count: continuations of each.
    /// - Throws: `WorkbenchError`; `ModelError` for a text that the checkpoint can't be run over.
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

    /// Makes the continuations, all together.
    ///
    /// - Parameter show: is given each piece of text as it can be shown.
    /// - Throws: `CancellationError`, with what there is by then kept in `made`.
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

/// How any checkpoint is to go on with texts.
package struct DecodingChoices {
    /// The most new ones, at least 1.
    package let tokens: Int
    package let sampling: Sampling
    package let seed: UInt64
    package let stops: [String]
    package let ignoresEnd: Bool

    /// - Parameters:
    ///   - temperature: what logits are divided by; 0 takes the likeliest token.
    ///   - topK: draws from so many of the likeliest tokens.
    ///   - topP: draws from the fewest likeliest tokens that have this probability together.
    ///   - minP: draws from tokens at least this many times as likely as the likeliest.
    ///   - repetitionPenalty: divides positive logits of earlier tokens, multiplies negative ones; 1 is none.
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

    /// The likeliest token each time.
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

    /// What that means for one checkpoint, whose tokens end texts.
    package func options(_ checkpoint: LoadedCheckpoint) throws -> GenerationOptions {
        let c = try checkpoint.configuration()
        let tokenizer = try checkpoint.tokenizer()
        guard tokens <= c.maxPositions else { throw WorkbenchError.tooManyTokens(limit: c.maxPositions) }
        var options = GenerationOptions(limit: tokens)
        options.sampling = sampling
        options.seed = seed
        if !ignoresEnd { options.endTokens = Set(c.eosTokens) }
        // A special token is no part of the text, so its name can only mean the token.
        let special = Set(tokenizer.specialIDs)
        options.endTokens.formUnion(stops.compactMap { tokenizer.id(ofToken: $0) }.filter(special.contains))
        return options
    }
}

extension RunContext {
    /// Runs decodings one after another, with one progress for all of them.
    package func run(_ decodings: [Decoding], precision: Precision) throws {
        let tokens = decodings.map { Int(min(1e15, Double($0.made.all.count) * Double($0.options.limit))) }
        guard decodings.count > 1 else {
            for decoding in decodings { try decoding.run(self, precision: precision) }
            return
        }
        try parts(tokens) { try decodings[$0].run(self, precision: precision) }
    }
}
