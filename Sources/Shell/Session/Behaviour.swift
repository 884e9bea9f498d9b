import Comparison
import Language
import LinearAlgebra
import Models
import Reports
import Sites
import Statistics
import Workbench

/// A set of prompts as a checkpoint sees it, to measure what edits do to its answers.
struct BehaviourSet {
    let name: String
    let set: PromptSet
    let encoded: EncodedPrompts
    /// For each prompt the positions whose next token is known, and the last, whose next token is the reply's first.
    let positions: [[Int]]
    let key: AnswerKey

    init(_ name: String, _ checkpoint: LoadedCheckpoint, _ session: Session) throws {
        try self.init(name, session.prompts(named: name), checkpoint, session)
    }

    init(_ name: String, _ set: PromptSet, _ checkpoint: LoadedCheckpoint, _ session: Session) throws {
        self.name = name
        self.set = set
        encoded = try checkpoint.encode(set, control: session.control)
        positions = encoded.ids.map { Array($0.indices) }
        key = AnswerKey(set.prompts)
    }
}

/// Runs a checkpoint with some edits and says what it does.
struct BehaviourRun {
    let session: Session
    let source: NamedCheckpoint
    let markers: Markers?
    let decoding: DecodingChoices
    let precision: Precision

    /// What the replies to a set are worth.
    struct Rates {
        let matched: Proportion?
        let right: Proportion?

        /// What a curve is about: phrases where they are looked for, else right answers.
        var behaviour: Proportion? { matched ?? right }
    }

    /// - Returns: nil for a set without answers where no phrases are looked for: then nothing is generated.
    func rates(_ set: BehaviourSet, _ edits: [any Edit]) throws -> Rates? {
        guard markers != nil || set.key.count > 0 else { return nil }
        let made = try Decoding(
            NamedCheckpoint(name: source.name, checkpoint: source.checkpoint, edits: edits), set.encoded.ids,
            set: set.set, choices: decoding)
        try made.run(session, precision: precision)
        _ = made.made.finish()
        let replies = made.made.wholeTexts
        return Rates(
            matched: markers.map { markers in Proportion(replies.map { !markers.found(in: $0).isEmpty }) },
            right: set.key.count > 0 ? Proportion(set.key.isRight(replies).compactMap(\.self)) : nil)
    }

    /// The logits under one list of edits beside those under another, at every position.
    func divergence(_ set: BehaviourSet, from a: [any Edit], to b: [any Edit]) throws -> LogitsComparison {
        try LogitsComparisonRun(
            session.context(), NamedCheckpoint(name: source.name, checkpoint: source.checkpoint, edits: a),
            NamedCheckpoint(name: source.name, checkpoint: source.checkpoint, edits: b),
            TokenSequences(set.encoded.ids), positions: set.positions, choices: RunChoices(precision: precision)
        ).run()
    }

    /// Activations at a site over a set: what random directions take their covariance from. The rows of at most
    /// `most` positions, spread over all but each prompt's first: there large models put activations hundreds of times as
    /// long as elsewhere, and the covariance would be theirs alone. (Sun et al. 2024, "Massive Activations".)
    func rows(at site: Site, of set: BehaviourSet, edits: [any Edit], most: Int) throws -> Matrix {
        let ids = set.encoded.ids
        let sequences = TokenSequences(ids)
        let positions = ids.map { Array(min(1, $0.count - 1)..<$0.count) }
        let selection = RowSelection(sequences, positions: positions, isMean: false)
        let sink = MatrixSink(rows: selection.outputCount)
        try session.context().run(
            source.checkpoint, sequences, taps: [SiteCollector(sites: [site], selection: selection, sink: sink)],
            edits: edits, choices: RunChoices(precision: precision))
        guard let all = sink.matrices[site] else {
            throw CommandError("this model has no \(site.shortName)", remedy: "see help sites")
        }
        guard all.rows > most else { return all }
        let chosen = (0..<most).map { $0 * all.rows / most }
        return Matrix(rows: most, columns: all.columns, values: chosen.flatMap { Array(all.row($0)) })
    }
}

extension LogitsComparison {
    /// At each prompt's last position alone, where the reply's first token comes from.
    var atLast: LogitsComparison { LogitsComparison(prompts.map { $0.suffix(1) }) }

    var topAgreement: Proportion { Proportion(prompts.joined().map(\.agrees)) }
}
