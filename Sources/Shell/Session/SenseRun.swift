import Directions
import Geometry
import Language
import LinearAlgebra
import Models
import Reports
import Sites
import Statistics
import TerminalText
import Workbench

/// How the senses of words come apart from layer to layer of one checkpoint.
struct SenseRun {
    let session: Session
    let source: NamedCheckpoint
    let file: SenseFile
    /// Nil: every word of the file.
    let word: String?
    /// In the order of computation.
    let sites: [Site]
    /// Contexts of a sense at most.
    var most = 100
    /// Random splits of the null.
    var splits = 200
    let seed: UInt64
    var choices = RunChoices()

    /// A sense of fewer contexts can't be cross-validated.
    static let fewest = 10
    /// Contexts a sense of every word that the common centre is the mean of.
    private static let centreContexts = 16

    /// One word at every site.
    struct Measured {
        let contexts: SenseContexts
        /// By site.
        let separations: [SenseSeparation]

        /// Of both senses.
        var rows: Int { separations.first.map { $0.firstCount + $0.secondCount } ?? 0 }

        /// The first site from which on the senses are farther apart than random splits; nil: there is none.
        var split: Int? {
            let last = separations.lastIndex { !$0.isAboveNull }.map { $0 + 1 } ?? 0
            return last < separations.count ? last : nil
        }
    }

    struct Result {
        let measured: [Measured]
        /// Words that could not be measured beside others that could.
        let leftOut: [(word: String, reason: String)]
        /// Words of the common centre.
        let centreWords: Int
    }

    /// - Throws: `CommandError` for a word that is not in the file or can't be measured; `ModelError`.
    func run() throws -> Result {
        let words = file.words
        if let word, !words.contains(word) {
            throw CommandError(
                "\(file.path.escapedForTerminal) has no word \(word.escapedForTerminal)",
                remedy: Suggestion.remedy(for: word, among: words))
        }
        let all = try words.map { try contexts($0) }
        var wanted: [Int] = []
        var leftOut: [(word: String, reason: String)] = []
        for (index, contexts) in all.enumerated() {
            guard let contexts, word == nil || contexts.word == word else { continue }
            if let reason = Self.reason(contexts) {
                guard words.count > 1, word == nil else { throw reason }
                leftOut.append((contexts.word, reason.problem))
            } else {
                wanted.append(index)
            }
        }
        guard !wanted.isEmpty else {
            throw CommandError(
                "no word of \(file.path.escapedForTerminal) can be measured: \(leftOut[0].reason)",
                remedy: "give two senses a word and at least \(Self.fewest) contexts a sense")
        }
        // Of words that are not asked for, only what the centre is made of.
        let chosen = all.enumerated().map { index, contexts in
            contexts?.sample(
                wanted.contains(index) ? most : min(most, Self.centreContexts), seed: seed, stream: index) ?? []
        }
        let rows = try captured(all, chosen)
        defer { session.progress.clear() }
        let separations = try measured(wanted, chosen, rows)
        return Result(
            measured: zip(wanted, separations).compactMap { index, separations in
                all[index].map { Measured(contexts: $0, separations: separations) }
            }, leftOut: leftOut, centreWords: all.count { $0 != nil })
    }

    /// What the checkpoint sees of a word; nil where that can't be said of a word that was not asked for.
    private func contexts(_ word: String) throws -> SenseContexts? {
        do {
            return try SenseContexts(word, file, source.checkpoint, session.control)
        } catch let error where error is CommandError || error is WorkbenchError {
            guard let wanted = self.word, wanted != word else { throw error }
            return nil
        }
    }

    private static func reason(_ contexts: SenseContexts) -> CommandError? {
        let word = contexts.word.escapedForTerminal
        guard contexts.senses.count == 2 else {
            let names = contexts.senses.map(\.escapedForTerminal).joined(separator: ", ")
            return CommandError(
                "\(word) has \(counted(contexts.senses.count, "sense")) in the file (\(names)), not two",
                remedy: "give lines of two senses")
        }
        for (index, sense) in contexts.senses.enumerated() {
            let count = contexts.contexts.count { $0.sense == index }
            guard count < fewest else { continue }
            return CommandError(
                "\(word) as \(sense.escapedForTerminal) has \(counted(count, "context")) that differ before the word;"
                    + " \(fewest) are needed",
                remedy: "give more lines; what comes after the word does not count")
        }
        return nil
    }

    // MARK: Activations

    /// Where a word's rows are among all that are captured.
    private struct Captured {
        let matrices: [Site: Matrix]
        /// By word, by sense.
        let places: [[Range<Int>]]
    }

    private func captured(_ all: [SenseContexts?], _ chosen: [[[Int]]]) throws -> Captured {
        var ids: [[Int32]] = []
        var places: [[Range<Int>]] = []
        for (contexts, senses) in zip(all, chosen) {
            places.append(
                senses.map { members in
                    let start = ids.count
                    ids += members.compactMap { contexts?.contexts[$0].ids }
                    return start..<ids.count
                })
        }
        let matrices = try session.context().rows(
            source, ids, positions: ids.map { [$0.count - 1] }, sites: sites, choices: choices)
        return Captured(matrices: matrices, places: places)
    }

    /// The mean over words of the means of their first contexts: what all words at this site have in common.
    private static func centre(_ matrix: Matrix, _ places: [[Range<Int>]]) -> [Double] {
        var total = [Double](repeating: 0, count: matrix.columns)
        let places = places.filter { !$0.isEmpty }
        for senses in places {
            let rows = senses.flatMap { $0.prefix(centreContexts) }
            for row in rows {
                for (column, value) in matrix.row(row).enumerated() {
                    total[column] += Double(value) / Double(rows.count)
                }
            }
        }
        return total.map { $0 / Double(max(1, places.count)) }
    }

    /// - Returns: by word, by site.
    private func measured(
        _ wanted: [Int], _ chosen: [[[Int]]], _ rows: Captured
    ) throws -> [[SenseSeparation]] {
        let pool = try session.pool()
        var found = [[SenseSeparation]](repeating: [], count: wanted.count)
        for (index, site) in sites.enumerated() {
            session.control.report(done: index, total: sites.count, unit: "sites")
            guard let matrix = rows.matrices[site] else {
                throw CommandError("this model has no \(site.kind.shortName)", remedy: "see help sites")
            }
            if let bad = matrix.firstNonFinite {
                throw CommandError(
                    "\(site.shortName) holds \(NumberFormat.significant(Double(matrix[bad.row, bad.column])))",
                    remedy: "verify says which tensors hold NaN or infinity")
            }
            // With one word its own mean is the centre, and the two senses lie on either side of it whatever they are.
            let centre = rows.places.count(where: { !$0.isEmpty }) > 1 ? Self.centre(matrix, rows.places) : nil
            let (splits, seed) = (splits, seed)
            let separations = try Interruptible.run(session.control) { control in
                var separations = [SenseSeparation?](repeating: nil, count: wanted.count)
                try separations.withUnsafeMutableBufferPointer { buffer in
                    nonisolated(unsafe) let results = buffer
                    try pool.run(tasks: wanted.count) { task, _ in
                        let senses = rows.places[wanted[task]].map { matrix.selecting($0.map(Int32.init)) }
                        // Each word has its own numbers, alone or among others.
                        var random = SeededRandom(seed: seed, stream: 0x7365, wanted[task])
                        results[task] = try SenseSeparation(
                            senses[0], senses[1], centre: centre, splits: splits, seed: random.next(), control: control)
                    }
                }
                return separations.compactMap(\.self)
            }
            for (task, separation) in separations.enumerated() { found[task].append(separation) }
        }
        return found
    }
}
