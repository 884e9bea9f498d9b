package import Comparison
package import LinearAlgebra
package import Models
package import Sites
package import Statistics
package import Workbench

/// A set of prompts as a checkpoint sees it, on which the effect of edits is measured.
package struct BehaviourSet {
    package let name: String
    package let set: PromptSet
    package let encoded: EncodedPrompts
    /// The accepted answers of the prompts.
    package let key: AnswerKey

    package init(_ name: String, _ set: PromptSet, _ checkpoint: LoadedCheckpoint, _ context: RunContext) throws {
        self.name = name
        self.set = set
        encoded = try checkpoint.encode(set, in: context)
        key = AnswerKey(set.prompts)
    }
}

/// Runs a checkpoint with some edits and measures its behaviour.
package struct BehaviourRun {
    package let context: RunContext
    package let source: NamedCheckpoint
    /// The phrases that replies are searched for; nil for none.
    package let markers: Markers?
    package let decoding: DecodingChoices
    package let precision: Precision
    /// The largest number of tokens of the unedited model's own reply over which divergences are measured, at least 1.
    package let replyTokens: Int

    /// The number of tokens of a reply over which divergences are measured if nobody says otherwise.
    package static let defaultReplyTokens = 16

    /// - Precondition: `replyTokens` is at least 1.
    package init(
        context: RunContext, source: NamedCheckpoint, markers: Markers?, decoding: DecodingChoices,
        precision: Precision, replyTokens: Int = BehaviourRun.defaultReplyTokens
    ) {
        precondition(replyTokens >= 1, "\(replyTokens) tokens of a reply")
        self.context = context
        self.source = source
        self.markers = markers
        self.decoding = decoding
        self.precision = precision
        self.replyTokens = replyTokens
    }

    /// The shares of replies to a set that contain a marker or are right.
    package struct Rates {
        /// The share of replies that contain one of the marker phrases; nil if no phrases were given.
        package let matched: Proportion?
        /// The share of right replies among the prompts with answers; nil if no prompt has any.
        package let right: Proportion?
        /// How the replies ended, and how many are empty.
        package let endings: ReplyEndings

        /// The rates of a set whose replies can't be judged, so that none are made.
        static var unjudged: Rates { Rates(matched: nil, right: nil, endings: ReplyEndings()) }

        /// The rate that a curve of behaviour shows: replies with a marker phrase if phrases are searched for, else
        /// right answers.
        package var behaviour: Proportion? { matched ?? right }
    }

    /// Generates the model's replies to a set of prompts under some edits, and counts those with a marker or a right
    /// answer.
    ///
    /// - Returns: nil for a set without answers if there are no marker phrases; nothing is generated then.
    package func rates(_ set: BehaviourSet, _ edits: [any Edit]) throws -> Rates? {
        guard markers != nil || set.key.count > 0 else { return nil }
        let made = try Decoding(named(edits), set.encoded.ids, set: set.set, choices: decoding)
        try made.run(context, precision: precision)
        _ = made.made.finish()
        let replies = made.made.wholeTexts
        return Rates(
            matched: markers.map { markers in Proportion(replies.map { !markers.found(in: $0).isEmpty }) },
            right: set.key.count > 0 ? Proportion(set.key.isRight(replies).compactMap(\.self)) : nil,
            endings: ReplyEndings(made, markers: markers, key: set.key))
    }

    private func named(_ edits: [any Edit]) -> NamedCheckpoint {
        NamedCheckpoint(name: source.name, checkpoint: source.checkpoint, edits: edits)
    }

    // MARK: Divergence

    /// Generates the model's own replies to a set of prompts, the likeliest token each time, up to `replyTokens` tokens
    /// or the end token, which counts as one of them.
    ///
    /// - Parameter edits: the edits under which the model replies: those in force before the ones that are measured.
    package func ownReplies(_ set: BehaviourSet, _ edits: [any Edit]) throws -> OwnReplies {
        let limit = min(replyTokens, try source.checkpoint.configuration().maxPositions)
        let made = try Decoding(
            named(edits), set.encoded.ids, set: set.set, choices: DecodingChoices(tokens: limit, seed: context.seed))
        try made.run(context, precision: precision)
        return OwnReplies(
            set.encoded.ids,
            replies: made.made.results.map { reply in
                let ids = reply.tokens.map(\.id)
                return reply.endsItself ? ids : Array(ids.dropLast())
            })
    }

    /// Compares the model's logits under one list of edits with those under another, where they predict the tokens of
    /// replies, and if asked for, those of the prompts.
    ///
    /// Both runs are given the same tokens: each prompt with the model's own reply to it. The logits of few positions are
    /// held at a time, as `LogitsComparisonRun` does.
    /// - Parameters:
    ///   - a: the edits of the model from which the divergence is measured.
    ///   - b: the edits of the model whose divergence is measured.
    ///   - hasPrompts: whether the predictions of the prompts' own tokens are compared too.
    /// - Throws: `ComparisonError` if the memory that was set is too small; the runs' errors; `CancellationError`.
    package func divergence(
        _ replies: OwnReplies, from a: [any Edit], to b: [any Edit], hasPrompts: Bool = true
    ) throws -> EditDivergence {
        let own = replies.promptTokens.map { hasPrompts ? $0 - 1 : 0 }
        let positions = replies.promptTokens.indices.map { prompt in
            Array(replies.promptTokens[prompt] - 1 - own[prompt]..<replies.sequences.rows(of: prompt).count)
        }
        let all = try LogitsComparisonRun(
            context, named(a), named(b), replies.sequences, positions: positions, promptTokens: replies.promptTokens,
            choices: RunChoices(precision: precision)
        ).run()
        return EditDivergence(all, own: own)
    }

    // MARK: Activations

    /// Returns activations at a site (a named place in the model) over a set, [rows, width], from which random
    /// directions take their covariance. At most `most` positions are taken, spread over all but each prompt's first:
    /// there, large models have activations hundreds of times as long as elsewhere, which would determine the
    /// covariance alone. (Sun et al. 2024, "Massive Activations".)
    package func rows(at site: Site, of set: BehaviourSet, edits: [any Edit], most: Int) throws -> Matrix {
        let ids = set.encoded.ids
        let positions = ids.map { Array(min(1, $0.count - 1)..<$0.count) }
        let found = try context.rows(
            source.checkpoint, ids, positions: positions, sites: [site], edits: edits,
            choices: RunChoices(precision: precision))
        guard let all = found[site] else { throw WorkbenchError.modelHasNoSite(site) }
        guard all.rows > most else { return all }
        let chosen = (0..<most).map { $0 * all.rows / most }
        return Matrix(rows: most, columns: all.columns, values: chosen.flatMap { Array(all.row($0)) })
    }
}

extension LogitsComparison {
    /// The share of positions at which both sides of the comparison have the same likeliest token.
    package var topAgreement: Proportion { Proportion(prompts.joined().map(\.agrees)) }
}
