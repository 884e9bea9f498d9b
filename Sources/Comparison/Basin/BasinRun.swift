import Control
import Geometry
import LinearAlgebra
import Models
package import Sites
import Statistics
import TerminalText
package import Workbench

/// Tests whether tuning took dimensions from the activations of prompts of a class that it did not take from others: at
/// every layer, the difference in differences of the class against open prompts, and against control prompts that look
/// like the class's.
package struct BasinRun {
    /// A set of prompts with the name that it was given.
    package struct Named {
        package let name: String
        package let set: PromptSet

        package init(name: String, set: PromptSet) {
            self.name = name
            self.set = set
        }
    }

    /// The options of a basin run: which rows of activations are compared, and with which permutation test.
    package struct Options {
        /// The sites (named places in the model) whose activations are compared, in the order of computation.
        package var sites: [Site]
        /// The token position whose row of activations is taken from each prompt.
        package var position = Position.last
        /// The number of random permutations from which each test's p value comes.
        package var permutations = 1000
        /// The least number of pairs of prompts, one from each set, for a comparison of two sets; with fewer the run
        /// fails.
        package var least = BasinRun.defaultLeast
        /// The number of tokens by which the lengths of two paired prompts may differ.
        package var slack = 0
        package var seed: UInt64 = 0
        package var choices = RunChoices()

        package init(
            sites: [Site], position: Position = .last, permutations: Int = 1000, least: Int = BasinRun.defaultLeast,
            slack: Int = 0, seed: UInt64 = 0, choices: RunChoices = RunChoices()
        ) {
            self.sites = sites
            self.position = position
            self.permutations = permutations
            self.least = least
            self.slack = slack
            self.seed = seed
            self.choices = choices
        }
    }

    /// The least number of pairs of prompts for a comparison of two sets, unless the user sets another.
    package static let defaultLeast = 300

    package struct Result {
        package let classes: [ClassResult]
        /// The number of repeated prompts that were dropped from each set, by the set's name; sets without any are left
        /// out.
        package let repeated: [(name: String, count: Int)]
    }

    package let context: RunContext
    package let pair: CheckpointPair
    /// The sets of prompts (classes) from whose activations tuning may have taken dimensions.
    package let classes: [Named]
    /// The open prompts (those that may be answered in many ways), with which each class of prompts is compared.
    package let open: Named
    /// The control prompts, which look like those of the classes and with which each class is compared too.
    package let control: Named
    package let options: Options

    package init(
        context: RunContext, pair: CheckpointPair, classes: [Named], open: Named, control: Named, options: Options
    ) {
        self.context = context
        self.pair = pair
        self.classes = classes
        self.open = open
        self.control = control
        self.options = options
    }

    /// The token ids and positions of one set of prompts, the same for both checkpoints, with each prompt once.
    private struct Encoded {
        let ids: [[Int32]]
        let positions: [Int]
        let repeated: Int
        var lengths: [Int] { ids.map(\.count) }
    }

    /// Compares every class of prompts with the open and the control prompts, at every site, between two checkpoints.
    ///
    /// - Throws: `ComparisonError` for sets that can't be compared, too few prompts, too few permutations, or
    ///   activations that can't be measured; `WorkbenchError` for tokens that differ; `CancellationError`.
    package func run() throws -> Result {
        try check()
        let named = classes + [open, control]
        let encoded = try named.map(encode)
        try checkApart(named, encoded)
        let matches = try classes.indices.map { index in
            let others = [classes.count, classes.count + 1]
            let found = try others.map { try match(index, $0, named, encoded) }
            // Both comparisons of a class get the same number of pairs.
            let count = min(Self.mostPairs, found.map(\.pairs.count).min() ?? 0)
            return zip(others, found).map {
                $1.sample(count, encoded[index].lengths, encoded[$0].lengths, seed: options.seed)
            }
        }
        let rows = try [pair.a, pair.b].map { try captured($0, encoded, matches) }
        defer { context.tell(.scopeEnded) }
        var weighed = WeighedRows()
        for (source, captured) in zip([pair.a, pair.b], rows) {
            for site in options.sites {
                guard let matrix = captured.matrices[site] else { continue }
                weighed.add(matrix, name: "\(site.shortName) of \(source.name)")
            }
        }
        weighed.tell(in: context)
        var results: [ClassResult] = []
        let total = 2 * classes.count * options.sites.count
        for (index, set) in classes.enumerated() {
            let comparisons = try [classes.count, classes.count + 1].enumerated().map { place, other in
                try comparison(
                    index, other, named[other].name, matches[index][place], rows,
                    done: (2 * index + place) * options.sites.count, total: total)
            }
            results.append(ClassResult.judged(set.name, open: comparisons[0], control: comparisons[1]))
        }
        return Result(
            classes: results,
            repeated: zip(named, encoded).compactMap { $1.repeated > 0 ? ($0.name, $1.repeated) : nil })
    }

    // MARK: Prompts

    private func check() throws {
        for set in classes {
            for other in [open, control] { context.checkApart((set.name, set.set), (other.name, other.set)) }
        }
        let configurations = try [pair.a, pair.b].map { try $0.checkpoint.configuration() }
        guard configurations[0].layers == configurations[1].layers,
            options.sites.allSatisfy({ configurations[0].width(of: $0) == configurations[1].width(of: $0) })
        else {
            throw ComparisonError.otherShape(pair.b.name, than: pair.a.name)
        }
        let named = classes + [open, control]
        if let odd = named.first(where: { $0.set.isChat != open.set.isChat }) {
            let chat = [odd, open].map { "\($0.name) is \($0.set.isChat ? "" : "not ")as chat" }
            throw ComparisonError.differentTemplates(chat)
        }
        // The smallest p after Holm's correction is sites / (permutations + 1), which must not exceed 0.05.
        guard options.sites.count * 20 <= options.permutations + 1 else {
            throw ComparisonError.fewPermutations(options.permutations, sites: options.sites.count)
        }
    }

    private func encode(_ named: Named) throws -> Encoded {
        guard !named.set.prompts.isEmpty else {
            throw ComparisonError.noPrompts(set: named.name)
        }
        let compared = try pair.encode(named.set, at: options.position, in: context, isRun: false)
        let limits = try [pair.a, pair.b].map { try $0.checkpoint.configuration().maxPositions }
        for (prompt, positions) in compared.positions.enumerated() where positions[0] >= limits.min() ?? 0 {
            throw ComparisonError.longPrompt(
                set: named.name, number: compared.numbers[prompt] + 1, tokens: positions[0] + 1,
                limit: limits.min() ?? 0)
        }
        var seen: Set<[Int32]> = []
        let kept = compared.ids.indices.filter { seen.insert(compared.ids[$0]).inserted }
        return Encoded(
            ids: kept.map { compared.ids[$0] }, positions: kept.map { compared.positions[$0][0] },
            repeated: compared.ids.count - kept.count)
    }

    /// Checks that no prompt stands in both sets of a comparison; such a prompt could count for neither set.
    private func checkApart(_ named: [Named], _ encoded: [Encoded]) throws {
        for first in named.indices {
            for second in named.indices.dropFirst(max(first + 1, classes.count)) {
                let shared = Set(encoded[first].ids).intersection(encoded[second].ids).count
                guard shared > 0 else { continue }
                throw ComparisonError.sharedPrompts(named[first].name, named[second].name, count: shared)
            }
        }
    }

    private func match(_ first: Int, _ second: Int, _ named: [Named], _ encoded: [Encoded]) throws -> LengthMatch {
        let match = LengthMatch(
            encoded[first].lengths, encoded[second].lengths, slack: options.slack, seed: options.seed)
        guard match.pairs.count >= options.least else {
            func side(_ set: Int) -> ComparisonError.Lengths {
                .init(
                    set: named[set].name, prompts: encoded[set].ids.count, shortest: encoded[set].lengths.min() ?? 0,
                    longest: encoded[set].lengths.max() ?? 0)
            }
            throw ComparisonError.fewPairs(
                side(first), side(second), found: match.pairs.count, least: options.least, slack: options.slack,
                isEnough: match.pairs.count >= Self.smallestLeast)
        }
        return match
    }

    /// The fewest pairs of prompts of two sets for which a confidence interval is worth printing.
    package static let smallestLeast = 20
    /// The largest number of pairs of prompts in a comparison of two sets; of more, a sample is drawn, because the work
    /// grows with their square.
    package static let mostPairs = 400

    // MARK: Activations

    /// One checkpoint's rows of activations for the prompts that stand in a pair, at every site.
    private struct Captured {
        /// For each site, the activations of the paired prompts of all sets, [rows, width].
        let matrices: [Site: Matrix]
        /// For each set of prompts, a map from a prompt's place in the set to its row in `matrices`.
        let rows: [[Int: Int32]]

        func rows(_ site: Site, _ set: Int, _ places: [Int]) -> Matrix? {
            matrices[site]?.selecting(places.compactMap { rows[set][$0] })
        }
    }

    private func captured(
        _ source: NamedCheckpoint, _ encoded: [Encoded], _ matches: [[LengthMatch]]
    ) throws -> Captured {
        var wanted = [Set<Int>](repeating: [], count: encoded.count)
        for (index, pair) in matches.enumerated() {
            for (place, match) in pair.enumerated() {
                wanted[index].formUnion(match.pairs.map(\.first))
                wanted[classes.count + place].formUnion(match.pairs.map(\.second))
            }
        }
        var ids: [[Int32]] = []
        var positions: [[Int]] = []
        var rows = [[Int: Int32]](repeating: [:], count: encoded.count)
        for (set, places) in wanted.enumerated() {
            for place in places.sorted() {
                rows[set][place] = Int32(ids.count)
                // Tokens after the position change nothing before it, so they are not run.
                ids.append(Array(encoded[set].ids[place][...encoded[set].positions[place]]))
                positions.append([encoded[set].positions[place]])
            }
        }
        let matrices = try context.rows(
            source, ids, positions: positions, sites: options.sites, choices: options.choices)
        for site in options.sites {
            guard let matrix = matrices[site] else {
                throw ComparisonError.noSite(site, checkpoint: source.name)
            }
            if let bad = matrix.firstNonFinite {
                throw ComparisonError.notFinite(
                    site, checkpoint: source.name, value: Double(matrix[bad.row, bad.column]))
            }
        }
        return Captured(matrices: matrices, rows: rows)
    }

    // MARK: Test

    private func comparison(
        _ first: Int, _ second: Int, _ name: String, _ match: LengthMatch, _ rows: [Captured],
        done: Int, total: Int
    ) throws -> Comparison {
        let pool = context.pool
        var sites: [AtSite] = []
        for (index, site) in options.sites.enumerated() {
            context.control.report(done: done + index, total: total, unit: "sites")
            let sets = rows.compactMap { captured -> (first: Matrix, second: Matrix)? in
                guard let a = captured.rows(site, first, match.pairs.map(\.first)),
                    let b = captured.rows(site, second, match.pairs.map(\.second))
                else { return nil }
                return (a, b)
            }
            let (permutations, seed, widening) = (options.permutations, options.seed, match.widening)
            do {
                let found = try Interruptible.run(context.control) { control in
                    try DifferenceInDifferences(
                        before: sets[0], after: sets[1], permutations: permutations, widening: widening, seed: seed,
                        pool: pool, control: control)
                }
                sites.append(AtSite(site: site, found: found, reason: nil))
            } catch let error as GeometryError {
                sites.append(AtSite(site: site, found: nil, reason: "\(error)"))
            }
        }
        guard sites.contains(where: { $0.found != nil }) else {
            throw ComparisonError.nothingMeasured(reason: sites.first?.reason ?? "there is none")
        }
        let measured = sites.indices.filter { sites[$0].found != nil }
        let adjusted = HolmAdjustment.adjusted(measured.compactMap { sites[$0].found?.p })
        for (place, value) in zip(measured, adjusted) { sites[place].adjusted = value }
        return Comparison(other: name, match: match, sites: sites)
    }
}
