import Geometry
import LinearAlgebra
import Models
package import Sites
import Statistics
import TerminalText

/// A set of prompts whose activations are read at the positions `all` or `mean`.
package struct FirstRowSet {
    /// The name of the set in what is told; nil if a study has only one set.
    package let name: String?
    /// The token ids of each prompt.
    package let ids: [[Int32]]
    /// The token positions of each prompt, ascending, at least one.
    package let positions: [[Int]]

    package init(name: String? = nil, ids: [[Int32]], positions: [[Int]]) {
        self.name = name
        self.ids = ids
        self.positions = positions
    }
}

/// How many prompts' first rows were left out as outliers. Its description is a sentence for a report.
package struct FirstRowsLeftOut: Hashable, Sendable, CustomStringConvertible {
    /// The name of the set of prompts; nil if a study has only one set.
    package let set: String?
    /// The number of prompts whose first row was left out.
    package let prompts: Int
    /// The number of all prompts of the set.
    package let total: Int
    /// The position of the row that is the most of an outlier.
    package let position: Int
    /// The site (a named place in the model) where it is.
    package let site: Site
    /// The norm of that row, and the median norm of other rows at the site.
    package let norm: Double
    package let median: Double

    package var description: String {
        let part = prompts < total ? "\(prompts) of " : total == 1 ? "" : "all "
        return "Left out as \(agreeing(prompts, "an outlier", "outliers")): the first"
            + " \(agreeing(prompts, "row", "rows")) of \(part)\(counted(total, "prompt"))"
            + (set.map { " of \($0.escapedForTerminal)" } ?? "")
            + "; at position \(position) the norm is up to \(NumberFormat.significant(norm)) at \(site.shortName),"
            + " beside a median of \(NumberFormat.significant(median))."
    }
}

extension FirstRowsLeftOut {
    /// Finds whether the first row of one text is an outlier among the others.
    ///
    /// - Parameters:
    ///   - rows: the norms of the text's rows, in its order, at each site (a named place in the model).
    ///   - position: the position of the first of them in the text.
    /// - Returns: nil if it is none at any site.
    package init?(_ rows: [(site: Site, norms: [Double])], position: Int) {
        let found = rows.compactMap { site, norms in
            RowWeights.medianBeside(outlierFirst: norms).map { FirstRow(site: site, norm: norms[0], median: $0) }
        }
        guard let worst = found.max(by: { $0.ratio < $1.ratio }) else { return nil }
        self.init(
            set: nil, prompts: 1, total: 1, position: position, site: worst.site, norm: worst.norm,
            median: worst.median)
    }
}

extension RunContext {
    /// Returns the positions of all sets without each prompt's first one where its row is an outlier (see
    /// `RowWeights.outlierRatio`), and tells of how many prompts. In models without a BOS token the first token of a
    /// text plays its part, as an attention sink.
    ///
    /// Models are causal, so the first row depends on no later token: each distinct beginning is run once, up to the
    /// first position, beside a sample of other rows that give the median norm. All positions are left as they are at
    /// any position but `all` and `mean`, and at sites without rows of activations; a prompt with one position keeps
    /// it.
    ///
    /// - Parameters:
    ///   - sets: the sets that a study sets against one another, which are judged by one median.
    ///   - sides: the checkpoints that are run; a row that is an outlier in any of them is left out of all.
    ///   - sites: the sites (named places in the model) that are read; a row that is an outlier at any of them is left
    ///     out at all of them, so that all sites have the same rows.
    /// - Returns: the positions, [set][prompt][position].
    /// - Throws: the runs' errors, `CancellationError`.
    package func withoutOutlierFirstRows(
        _ sets: [FirstRowSet], of sides: [NamedCheckpoint], at position: Position, sites: some Sequence<Site>,
        choices: RunChoices
    ) throws -> [[[Int]]] {
        var result = sets.map(\.positions)
        guard position == .all || position == .mean else { return result }
        let prompts = sets.flatMap { set in
            zip(set.ids, set.positions).filter { $0.1.count > 1 }.map { Beginning(ids: $0.0, first: $0.1[0]) }
        }
        let sites = Set(sites).filter { !$0.kind.isPattern && $0.kind != .logits }.sorted()
        guard !prompts.isEmpty, !sites.isEmpty else { return result }
        var longest: [[Int32]: FirstRow] = [:]
        for side in sides {
            for (prefix, row) in try firstRows(side, prompts, sites, choices)
            where row.ratio > longest[prefix]?.ratio ?? RowWeights.outlierRatio {
                longest[prefix] = row
            }
        }
        for (index, set) in sets.enumerated() {
            var found: [(position: Int, row: FirstRow)] = []
            for prompt in set.ids.indices where set.positions[prompt].count > 1 {
                let first = set.positions[prompt][0]
                guard let row = longest[Array(set.ids[prompt][...first])] else { continue }
                result[index][prompt].removeFirst()
                found.append((first, row))
            }
            guard let worst = found.max(by: { $0.row.ratio < $1.row.ratio }) else { continue }
            let leftOut = FirstRowsLeftOut(
                set: set.name, prompts: found.count, total: set.ids.count, position: worst.position,
                site: worst.row.site, norm: worst.row.norm, median: worst.row.median)
            tell(.premise(.firstRowsLeftOut(leftOut)))
        }
        return result
    }

    /// The fewest tokens that may be run to learn the median norm of rows, and the share of all tokens that may be run
    /// if that is more.
    private static let sampledTokens = (least: 64, share: 0.02)
    /// The most tokens of a prompt that are run to learn the median norm of rows.
    private static let sampledLength = 32

    /// Returns, for the distinct beginnings of prompts (the tokens up to the first position), their last row's norm at
    /// the site where it is the most of an outlier. No beginnings are returned if the run would need more memory than
    /// it may take: the study's own run then says so, with its own numbers.
    private func firstRows(
        _ side: NamedCheckpoint, _ prompts: [Beginning], _ sites: [Site], _ choices: RunChoices
    ) throws -> [[Int32]: FirstRow] {
        let edits = side.edits ?? side.checkpoint.edits.active
        var seen: Set<[Int32]> = []
        let prefixes = prompts.map(\.prefix).filter { seen.insert($0).inserted }
        let c = try side.checkpoint.model().configuration
        let sample = Self.sample(prompts, longest: c.maxPositions)
        // The edits of a named checkpoint have no identity, so such rows are not remembered.
        let key =
            side.edits == nil
            ? FirstRowsKey(
                checkpoint: side.checkpoint.identity, edits: side.checkpoint.edits.identity,
                precision: choices.precision,
                sites: sites, prefixes: prefixes, sample: sample) : nil
        if let key, let known = history.firstRows[key] { return known }
        // Edits may count positions from the end of a prompt, so that the first position must not be the last one.
        let follower = edits.isEmpty ? 0 : 1
        let sequences = TokenSequences(
            prefixes.map { $0 + Array(repeating: $0[$0.count - 1], count: follower) } + sample.map(\.ids))
        let selection = RowSelection(
            sequences, positions: prefixes.map { [$0.count - 1] } + sample.map { Array(($0.first + 1)..<$0.ids.count) },
            isMean: false)
        let sink = NormSink(rows: selection.outputCount)
        var task = RunTask(sequences)
        task.edits = edits
        task.selections = sites.map { SiteSelection($0) }
        task.last = sites.max() ?? task.last
        task.choices = choices
        task.resultBytes = 8 * sites.count * selection.outputCount
        task.taps = [CollectedRows.tap(task.selections, headDimension: c.headDimension, selection, into: sink)]
        // So short a run is slower than those that its speed would be taken for.
        let speeds = history.speeds
        defer { history.speeds = speeds }
        do {
            try run(side.checkpoint, task)
        } catch let error as WorkbenchError {
            switch error {
            case .smallLimit, .noMemory: return [:]
            default: throw error
            }
        }
        var found: [[Int32]: FirstRow] = [:]
        for site in sites {
            guard let norms = sink.norms[site],
                let median = Quantiles(norms[prefixes.count...].filter(\.isFinite))?[0.5], median > 0
            else { continue }
            for (prefix, norm) in zip(prefixes, norms) {
                let row = FirstRow(site: site, norm: norm, median: median)
                if row.ratio > found[prefix]?.ratio ?? 0 { found[prefix] = row }
            }
        }
        if let key { history.firstRows[key] = found }
        return found
    }

    /// Returns the beginnings of some prompts, evenly spaced, whose rows after the first give the median norm.
    ///
    /// - Parameter longest: the largest number of tokens of a prompt that the model runs.
    private static func sample(_ prompts: [Beginning], longest: Int) -> [Beginning] {
        let parts = prompts.map { prompt in
            let end = min(prompt.ids.count, max(sampledLength, prompt.first + 2), longest)
            return Beginning(ids: Array(prompt.ids[..<end]), first: prompt.first)
        }.filter { $0.ids.count > $0.first + 1 }
        let budget = max(
            sampledTokens.least, Int(sampledTokens.share * Double(prompts.reduce(0) { $0 + $1.ids.count })))
        let each = max(1, parts.reduce(0) { $0 + $1.ids.count } / max(1, parts.count))
        let count = min(parts.count, max(1, budget / each))
        return (0..<count).map { parts[$0 * parts.count / count] }
    }
}

/// A prompt, or its beginning, with the first position at which its activations are read.
struct Beginning: Hashable {
    let ids: [Int32]
    let first: Int

    /// The tokens up to the first position, on which its row depends.
    var prefix: [Int32] { Array(ids[...first]) }
}

/// The norm of a prompt's first row at a site (a named place in the model), beside the median of other rows.
struct FirstRow {
    let site: Site
    let norm: Double
    /// The median norm of other rows at the site, more than 0.
    let median: Double

    var ratio: Double { norm / median }
}

/// What first rows are known of, by which the session finds them again.
struct FirstRowsKey: Hashable {
    let checkpoint: String
    let edits: String
    let precision: Precision
    let sites: [Site]
    let prefixes: [[Int32]]
    let sample: [Beginning]
}

/// Keeps only the norm of each row that a run collects.
private final class NormSink: RowSink {
    /// The norms of all rows of a site (a named place in the model), [rows].
    private(set) var norms: [Site: [Double]] = [:]
    private let rows: Int

    init(rows: Int) { self.rows = rows }

    func write(_ selection: SiteSelection, firstRow: Int, values: UnsafeBufferPointer<Float>, width: Int) throws {
        guard width > 0 else { return }
        var known = norms.removeValue(forKey: selection.site) ?? [Double](repeating: 0, count: rows)
        for row in 0..<values.count / width {
            let sum = values[row * width..<(row + 1) * width].reduce(0.0) { $0 + Double($1) * Double($1) }
            known[firstRow + row] = sum.squareRoot()
        }
        norms[selection.site] = known
    }
}
