import Checkpoints
import Control
import Geometry
import LinearAlgebra
import Models
package import Sites
import TerminalText
package import Workbench

/// Measures a series of checkpoints: each by itself, and its distance from the first, from the one before and from the
/// last.
///
/// Only one file is run at a time; of the others only memory maps are open, for the weights. Each run leaves its losses
/// and the rows of one site (a named place in the model).
package struct SeriesRun {
    package let context: RunContext
    /// The checkpoints of the series in their order, at least two.
    package let members: [SeriesMember]
    package let measures: [SeriesMeasure]
    /// The prompts that the checkpoints are run on; all measures but the change of weights need them.
    package let prompts: PromptSet?
    /// The site (a named place in the model) whose activations are taken at each prompt's last token; nil means the
    /// middle layer's output.
    package let site: String?
    package let precision: Precision

    package init(
        context: RunContext, members: [SeriesMember], measures: [SeriesMeasure], prompts: PromptSet?, site: String?,
        precision: Precision
    ) {
        self.context = context
        self.members = members
        self.measures = measures
        self.prompts = prompts
        self.site = site
        self.precision = precision
    }

    /// The number of random halves of the rows of activations from which intervals come, and of random orders of them
    /// from which the floor of a similarity comes.
    package static let draws = 40

    package struct Result {
        package let curves: [SeriesCurve]
        /// The site where activations were taken; nil if no measure needed any.
        package let site: Site?
        package let prompts: Int
        package let tokens: Int
        /// Texts that say what could not be measured of which checkpoint, and why.
        package let refusals: [String]
    }

    /// Measures the series of checkpoints by each chosen measure.
    ///
    /// - Throws: `ComparisonError`, `WorkbenchError`, `SiteError`; errors of opening and running a checkpoint;
    ///   `CancellationError`.
    package func run() throws -> Result {
        defer { context.tell(.scopeEnded) }
        let runs = measures.contains { $0 != .weights } ? members.count : 0
        let total =
            runs + (measures.contains(.dimension) ? members.count : 0)
            + (measures.contains(.cka) ? members.count : 0) + (measures.contains(.weights) ? members.count : 0)
        let steps = context.steps(total)
        func step<Value>(_ body: () throws -> Value) throws -> Value {
            try steps {
                // Reading weights reports no progress of its own.
                context.control.report(done: 0, total: total * 1000, unit: "parts of 1000")
                return try body()
            }
        }
        let haveOwnHeads = try checkMembers()
        var outputs: [SeriesOutput] = []
        if runs > 0 {
            guard let prompts else { preconditionFailure("a set of prompts") }
            let reference = NamedCheckpoint(name: members[0].name, checkpoint: try members[0].load())
            for member in members { outputs.append(try step { try output(member, prompts, reference) }) }
            var weighed = WeighedRows()
            for (member, output) in zip(members, outputs) {
                guard let rows = output.rows, let site = output.site else { continue }
                weighed.add(rows, name: "\(site.shortName) of \(member.name)")
            }
            weighed.tell(in: context)
        }
        var curves: [SeriesCurve] = []
        var refusals: [String] = []
        for measure in measures {
            switch measure {
            case .loss:
                curves.append(SeriesCurve(losses: outputs.map(\.losses), vocabulary: outputs[0].vocabulary))
            case .dimension:
                let rows = outputs.compactMap(\.rows)
                var found: [SeriesDimensions] = []
                for matrix in rows {
                    found.append(try step { try SeriesDimensions(matrix, seed: seed, context) })
                }
                refusals += zip(members, found).flatMap { member, found in
                    found.refusals.map { "\(member.name): \($0)" }
                }
                curves += try SeriesDimensions.curves(
                    found, noise: SeriesDimensions.noise(like: rows[0], seed: seed, context))
            case .cka:
                let rows = outputs.compactMap(\.rows)
                guard rows[0].rows >= LinearCKA.fewest else {
                    let error = GeometryError.tooFewPoints(found: rows[0].rows, needed: LinearCKA.fewest)
                    guard measures.count > 1 else { throw error }
                    refusals.append("cka: \(error)")
                    curves.append(SeriesAlignment.unmeasured(members.count))
                    continue
                }
                let alignment = SeriesAlignment(rows, seed: seed, context)
                curves.append(try alignment.curve { body in try step(body) })
            case .weights:
                curves.append(
                    try SeriesWeights(members, haveOwnHeads: haveOwnHeads, context).curve { body in try step(body) })
            }
        }
        return Result(
            curves: curves, site: outputs.first?.site, prompts: outputs.first?.losses.count ?? 0,
            tokens: outputs.first?.losses.reduce(0) { $0 + $1.count } ?? 0, refusals: refusals)
    }

    private var seed: UInt64 { context.seed }

    /// Tells in what the models differ from the first apart from their weights, and checks before any of them runs that
    /// their tensors can be compared.
    ///
    /// - Returns: whether tied models have their embedding as output matrix too, because others have one of their own.
    private func checkMembers() throws -> Bool {
        let named = try members.map { NamedCheckpoint(name: $0.name, checkpoint: try $0.load()) }
        for other in named.dropFirst() { try CheckpointPair(a: named[0], b: other).tellDifferences(in: context) }
        guard measures.contains(.weights) else { return false }
        let haveOwnHeads = context.tellOwnHeads(named)
        let files = try named.map { haveOwnHeads ? try $0.checkpoint.fileWithOwnHead() : $0.checkpoint.file }
        for file in files.dropFirst() { try SameTensors.check(files[0], file) }
        return haveOwnHeads
    }

    // MARK: Runs

    /// What is kept of the run of one checkpoint of the series: losses and activations.
    private struct SeriesOutput {
        /// The cross-entropy of every token but each prompt's first, in nats, [prompt][tokens - 1]; empty lists if no
        /// measure needs them.
        let losses: [[Double]]
        /// The activations at each prompt's last token, [prompts, width]; nil if no measure needs them.
        let rows: Matrix?
        let site: Site?
        let vocabulary: Int
    }

    private func output(
        _ member: SeriesMember, _ prompts: PromptSet, _ reference: NamedCheckpoint
    ) throws -> SeriesOutput {
        let checkpoint = try member.load()
        let pair = CheckpointPair(a: reference, b: NamedCheckpoint(name: member.name, checkpoint: checkpoint))
        try pair.checkSameVocabulary()
        let ids = try pair.encode(prompts, at: .last, in: context).ids
        let sequences = TokenSequences(ids)
        let c = try checkpoint.configuration()
        let choices = RunChoices(precision: precision)
        let losses =
            measures.contains(.loss)
            ? try context.losses(checkpoint, sequences, choices: choices) : ids.map { _ in [] }
        guard measures.contains(.dimension) || measures.contains(.cka) else {
            return SeriesOutput(losses: losses, rows: nil, site: nil, vocabulary: c.vocabularySize)
        }
        let site = try chosenSite(member, c)
        let captured = try context.rows(
            pair.b, ids, positions: ids.map { [$0.count - 1] }, sites: [site], choices: choices)
        guard let rows = captured[site] else { preconditionFailure("\(site.shortName) was parsed") }
        return SeriesOutput(losses: losses, rows: rows, site: site, vocabulary: c.vocabularySize)
    }

    private func chosenSite(_ member: SeriesMember, _ c: ModelConfiguration) throws -> Site {
        guard let site else { return Site(.residPost, layer: (c.layers - 1) / 2) }
        let found = try SiteExpression.parse(site, in: c)
        guard found.count == 1 else {
            throw ComparisonError.severalSites(site, count: found.count, checkpoint: member.name)
        }
        return found[0]
    }
}

/// A quantity by which a series of checkpoints can be measured.
package enum SeriesMeasure: String, CaseIterable {
    case loss, dimension, cka, weights
}
