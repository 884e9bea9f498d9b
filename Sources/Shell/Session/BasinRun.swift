import Geometry
import Language
import LinearAlgebra
import Models
import Reports
import Sites
import Statistics
import TerminalText
import Workbench

/// Whether tuning took dimensions from prompts of a class that it did not take from others: the difference in differences
/// of the class against open prompts, and against prompts that look like the class's, at every layer.
struct BasinRun {
    /// A set of prompts by the name that it was given.
    struct Named {
        let name: String
        let set: PromptSet
    }

    /// Which rows are compared, and how.
    struct Options {
        /// In the order of computation.
        var sites: [Site]
        var position = Position.last
        var permutations = 1000
        /// Pairs of prompts that a comparison must have.
        var least = BasinRun.defaultLeast
        /// Tokens that the lengths of a pair may differ by.
        var slack = 0
        var seed: UInt64 = 0
        var choices = RunChoices()
    }

    static let defaultLeast = 300

    struct Result {
        let classes: [ClassResult]
        /// Prompts that stood twice in their set, by its name.
        let repeated: [(name: String, count: Int)]
    }

    let session: Session
    let pair: CheckpointPair
    let classes: [Named]
    let open: Named
    let control: Named
    let options: Options

    /// One set as both checkpoints see it, each prompt once.
    private struct Encoded {
        let ids: [[Int32]]
        let positions: [Int]
        let repeated: Int
        var lengths: [Int] { ids.map(\.count) }
    }

    /// - Throws: `CommandError` for sets that can't be compared, too few prompts, and tokens that differ.
    func run() throws -> Result {
        try check()
        let named = classes + [open, control]
        let encoded = try named.map(encode)
        try checkApart(named, encoded)
        let matches = try classes.indices.map { index in
            let others = [classes.count, classes.count + 1]
            let found = try others.map { try match(index, $0, named, encoded) }
            // Both comparisons of a class have as many pairs.
            let count = min(Self.mostPairs, found.map(\.pairs.count).min() ?? 0)
            return zip(others, found).map {
                $1.sample(count, encoded[index].lengths, encoded[$0].lengths, seed: options.seed)
            }
        }
        let rows = try [pair.a, pair.b].map { try captured($0, encoded, matches) }
        defer { session.progress.clear() }
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
        let configurations = try [pair.a, pair.b].map { try $0.checkpoint.configuration() }
        guard configurations[0].layers == configurations[1].layers,
            options.sites.allSatisfy({ configurations[0].width(of: $0) == configurations[1].width(of: $0) })
        else {
            throw CommandError(
                "\(pair.b.name) has other layers or widths than \(pair.a.name)",
                remedy: "give a checkpoint and what was tuned from it", exitCode: 2)
        }
        let named = classes + [open, control]
        if let odd = named.first(where: { $0.set.isChat != open.set.isChat }) {
            let chat = [odd, open].map { "\($0.name) is \($0.set.isChat ? "" : "not ")as chat" }
            throw CommandError(
                "the sets have different templates: \(chat.joined(separator: ", "))",
                remedy: "read all of them with prompts --chat, or none")
        }
        // The smallest p that Holm leaves is sites / (permutations + 1).
        guard options.sites.count * 20 <= options.permutations + 1 else {
            throw CommandError(
                "\(options.permutations) permutations are too few for \(counted(options.sites.count, "site")): no p could"
                    + " be 0.05 after Holm's correction",
                remedy: "give --permutations \(options.sites.count * 40), or fewer --sites", exitCode: 2)
        }
    }

    private func encode(_ named: Named) throws -> Encoded {
        guard !named.set.prompts.isEmpty else {
            throw CommandError("\(named.name) has no prompts", remedy: "read some with prompts FILE")
        }
        let compared = try pair.encode(named.set, at: options.position, in: session.context())
        let limits = try [pair.a, pair.b].map { try $0.checkpoint.configuration().maxPositions }
        for (prompt, positions) in compared.positions.enumerated() where positions[0] >= limits.min() ?? 0 {
            throw CommandError(
                "\(named.name): prompt \(compared.numbers[prompt] + 1) has \(positions[0] + 1) tokens, and the models take"
                    + " \(limits.min() ?? 0)", remedy: "leave it out")
        }
        var seen: Set<[Int32]> = []
        let kept = compared.ids.indices.filter { seen.insert(compared.ids[$0]).inserted }
        return Encoded(
            ids: kept.map { compared.ids[$0] }, positions: kept.map { compared.positions[$0][0] },
            repeated: compared.ids.count - kept.count)
    }

    /// A prompt that stands in both sets of a comparison belongs to neither.
    private func checkApart(_ named: [Named], _ encoded: [Encoded]) throws {
        for first in named.indices {
            for second in named.indices.dropFirst(max(first + 1, classes.count)) {
                let shared = Set(encoded[first].ids).intersection(encoded[second].ids).count
                guard shared > 0 else { continue }
                throw CommandError(
                    "\(named[first].name) and \(named[second].name) have \(counted(shared, "prompt")) in common",
                    remedy: "give sets that are apart")
            }
        }
    }

    private func match(_ first: Int, _ second: Int, _ named: [Named], _ encoded: [Encoded]) throws -> LengthMatch {
        let match = LengthMatch(
            encoded[first].lengths, encoded[second].lengths, slack: options.slack, seed: options.seed)
        guard match.pairs.count >= options.least else {
            let (a, b) = (encoded[first], encoded[second])
            let ways = [
                "give more prompts (NAME+NAME is two sets as one)",
                options.slack < 2 ? "lengths that may differ (--length-slack 2)" : nil,
                match.pairs.count >= Self.smallestLeast ? "--at-least \(match.pairs.count)" : nil,
            ].compactMap(\.self)
            throw CommandError(
                "\(named[first].name) and \(named[second].name) have only \(counted(match.pairs.count, "pair")) of prompts"
                    + (options.slack > 0 ? " within \(counted(options.slack, "token")) of" : " of") + " one length"
                    + " (\(counted(a.ids.count, "prompt")) of \(Self.range(a.lengths)) tokens,"
                    + " \(b.ids.count) of \(Self.range(b.lengths))), and \(options.least) are needed",
                remedy: ways.dropLast().joined(separator: ", ") + (ways.count > 1 ? " or " : "") + (ways.last ?? ""))
        }
        return match
    }

    /// Fewer pairs have no interval worth printing.
    static let smallestLeast = 20
    /// Of more so many are drawn: the work grows with the square.
    static let mostPairs = 400

    private static func range(_ lengths: [Int]) -> String { "\(lengths.min() ?? 0) to \(lengths.max() ?? 0)" }

    // MARK: Activations

    /// Rows of the prompts that stand in a pair: by site, and where each prompt's row is.
    private struct Captured {
        let matrices: [Site: Matrix]
        /// By set: from the prompt's place to its row.
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
                // What stands after the position changes nothing before it.
                ids.append(Array(encoded[set].ids[place][...encoded[set].positions[place]]))
                positions.append([encoded[set].positions[place]])
            }
        }
        let matrices = try session.context().rows(
            source, ids, positions: positions, sites: options.sites, choices: options.choices)
        for site in options.sites {
            guard let matrix = matrices[site] else {
                throw CommandError("\(source.name) has no \(site.kind.shortName)", remedy: "see help sites")
            }
            if let bad = matrix.firstNonFinite {
                throw CommandError(
                    "\(source.name): \(site.shortName) holds"
                        + " \(NumberFormat.significant(Double(matrix[bad.row, bad.column])))",
                    remedy: "verify says which tensors hold NaN or infinity")
            }
        }
        return Captured(matrices: matrices, rows: rows)
    }

    // MARK: Test

    private func comparison(
        _ first: Int, _ second: Int, _ name: String, _ match: LengthMatch, _ rows: [Captured],
        done: Int, total: Int
    ) throws -> Comparison {
        let pool = try session.pool()
        var sites: [AtSite] = []
        for (index, site) in options.sites.enumerated() {
            session.control.report(done: done + index, total: total, unit: "sites")
            let sets = rows.compactMap { captured -> (first: Matrix, second: Matrix)? in
                guard let a = captured.rows(site, first, match.pairs.map(\.first)),
                    let b = captured.rows(site, second, match.pairs.map(\.second))
                else { return nil }
                return (a, b)
            }
            let (permutations, seed, widening) = (options.permutations, options.seed, match.widening)
            do {
                let found = try Interruptible.run(session.control) { control in
                    try DifferenceInDifferences(
                        before: sets[0], after: sets[1], permutations: permutations, widening: widening, seed: seed,
                        pool: pool, control: control)
                }
                sites.append(AtSite(site: site, found: found, reason: nil))
            } catch let error as GeometryError {
                sites.append(AtSite(site: site, found: nil, reason: CommandError.words(error)))
            }
        }
        guard sites.contains(where: { $0.found != nil }) else {
            throw CommandError(
                "no site can be measured: \(sites.first?.reason ?? "there is none")",
                remedy: "give other --sites, or --at")
        }
        let measured = sites.indices.filter { sites[$0].found != nil }
        let adjusted = HolmAdjustment.adjusted(measured.compactMap { sites[$0].found?.p })
        for (place, value) in zip(measured, adjusted) { sites[place].adjusted = value }
        return Comparison(other: name, match: match, sites: sites)
    }
}
