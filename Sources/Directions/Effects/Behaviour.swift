package import Comparison
package import LinearAlgebra
package import Models
package import Sites
package import Statistics
package import Workbench

/// A set of prompts as a checkpoint sees it, to measure what edits do to its answers.
package struct BehaviourSet {
    package let name: String
    package let set: PromptSet
    package let encoded: EncodedPrompts
    /// For each prompt the positions whose next token is known, and the last, whose next token is the reply's first.
    package let positions: [[Int]]
    package let key: AnswerKey

    package init(_ name: String, _ set: PromptSet, _ checkpoint: LoadedCheckpoint, _ context: RunContext) throws {
        self.name = name
        self.set = set
        encoded = try checkpoint.encode(set, control: context.control)
        positions = encoded.ids.map { Array($0.indices) }
        key = AnswerKey(set.prompts)
    }
}

/// Runs a checkpoint with some edits and says what it does.
package struct BehaviourRun {
    package let context: RunContext
    package let source: NamedCheckpoint
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

    /// What the replies to a set are worth.
    package struct Rates {
        package let matched: Proportion?
        package let right: Proportion?

        /// What a curve is about: phrases where they are looked for, else right answers.
        package var behaviour: Proportion? { matched ?? right }
    }

    /// - Returns: nil for a set without answers where no phrases are looked for: then nothing is generated.
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

    /// The logits under one list of edits beside those under another, at every position.
    package func divergence(_ set: BehaviourSet, from a: [any Edit], to b: [any Edit]) throws -> LogitsComparison {
        try LogitsComparisonRun(
            context, NamedCheckpoint(name: source.name, checkpoint: source.checkpoint, edits: a),
            NamedCheckpoint(name: source.name, checkpoint: source.checkpoint, edits: b),
            TokenSequences(set.encoded.ids), positions: set.positions, choices: RunChoices(precision: precision)
        ).run()
    }

    /// Activations at a site over a set: what random directions take their covariance from. The rows of at most
    /// `most` positions, spread over all but each prompt's first: there large models put activations hundreds of times as
    /// long as elsewhere, and the covariance would be theirs alone. (Sun et al. 2024, "Massive Activations".)
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
    /// At each prompt's last position alone, where the reply's first token comes from.
    package var atLast: LogitsComparison { LogitsComparison(prompts.map { $0.suffix(1) }) }

    package var topAgreement: Proportion { Proportion(prompts.joined().map(\.agrees)) }
}
