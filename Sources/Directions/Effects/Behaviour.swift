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
    /// For each prompt, all its token positions: those whose next token is known, and the last, whose next token is the
    /// reply's first.
    package let positions: [[Int]]
    /// The accepted answers of the prompts.
    package let key: AnswerKey

    package init(_ name: String, _ set: PromptSet, _ checkpoint: LoadedCheckpoint, _ context: RunContext) throws {
        self.name = name
        self.set = set
        encoded = try checkpoint.encode(set, control: context.control)
        positions = encoded.ids.map { Array($0.indices) }
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

    package init(
        context: RunContext, source: NamedCheckpoint, markers: Markers?, decoding: DecodingChoices, precision: Precision
    ) {
        self.context = context
        self.source = source
        self.markers = markers
        self.decoding = decoding
        self.precision = precision
    }

    /// The shares of replies to a set that contain a marker or are right.
    package struct Rates {
        /// The share of replies that contain one of the marker phrases; nil if no phrases were given.
        package let matched: Proportion?
        /// The share of right replies among the prompts with answers; nil if no prompt has any.
        package let right: Proportion?

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
        let made = try Decoding(
            NamedCheckpoint(name: source.name, checkpoint: source.checkpoint, edits: edits), set.encoded.ids,
            set: set.set, choices: decoding)
        try made.run(context, precision: precision)
        _ = made.made.finish()
        let replies = made.made.wholeTexts
        return Rates(
            matched: markers.map { markers in Proportion(replies.map { !markers.found(in: $0).isEmpty }) },
            right: set.key.count > 0 ? Proportion(set.key.isRight(replies).compactMap(\.self)) : nil)
    }

    /// Compares the model's logits under one list of edits with those under another, at every position of a set's
    /// prompts.
    package func divergence(_ set: BehaviourSet, from a: [any Edit], to b: [any Edit]) throws -> LogitsComparison {
        try LogitsComparisonRun(
            context, NamedCheckpoint(name: source.name, checkpoint: source.checkpoint, edits: a),
            NamedCheckpoint(name: source.name, checkpoint: source.checkpoint, edits: b),
            TokenSequences(set.encoded.ids), positions: set.positions, choices: RunChoices(precision: precision)
        ).run()
    }

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
    /// The comparison of logits at each prompt's last position alone, which predicts the reply's first token.
    package var atLast: LogitsComparison { LogitsComparison(prompts.map { $0.suffix(1) }) }

    /// The share of positions at which both sides of the comparison have the same likeliest token.
    package var topAgreement: Proportion { Proportion(prompts.joined().map(\.agrees)) }
}
