import Control
import Geometry
import LinearAlgebra
import Models
package import Sites
import Statistics
import TerminalText
package import Workbench

/// Measures how the activations of words in different senses separate from layer to layer of one checkpoint.
package struct SenseRun {
    private let context: RunContext
    private let source: NamedCheckpoint
    private let file: SenseFile
    private let word: String?
    private let sites: [Site]
    private let most: Int
    private let splits: Int
    private let seed: UInt64
    private let choices: RunChoices

    /// - Parameters:
    ///   - word: the word to measure; nil measures every word of the file.
    ///   - sites: the sites (named places in the model) of the measurement, in the order of computation.
    ///   - most: the largest number of contexts (occurrences of a word) of a sense.
    ///   - splits: the number of random splits of a word's contexts with which its senses are compared.
    package init(
        context: RunContext, source: NamedCheckpoint, file: SenseFile, word: String?, sites: [Site], most: Int = 100,
        splits: Int = 200, seed: UInt64, choices: RunChoices = RunChoices()
    ) {
        self.context = context
        self.source = source
        self.file = file
        self.word = word
        self.sites = sites
        self.most = most
        self.splits = splits
        self.seed = seed
        self.choices = choices
    }

    /// The fewest contexts (occurrences of a word) of a sense with which it can be cross-validated.
    package static let fewest = 10
    /// The largest number of contexts of every word, from each sense, whose mean enters the common centre of all words.
    private static let centreContexts = 16

    /// The measurements of one word's senses at every site (a named place in the model).
    package struct Measured {
        package let contexts: SenseContexts
        /// The separation of the word's senses at each site (a named place in the model).
        package let separations: [SenseSeparation]

        /// The number of rows of activations (one per context) of both senses.
        package var rows: Int { separations.first.map { $0.firstCount + $0.secondCount } ?? 0 }

        /// The index of the first site from which on, up to the last, the word's senses are farther apart than random
        /// splits; nil if there is none.
        package var split: Int? {
            let last = separations.lastIndex { !$0.isAboveNull }.map { $0 + 1 } ?? 0
            return last < separations.count ? last : nil
        }
    }

    package struct Result {
        package let measured: [Measured]
        /// The words that could not be measured, among others that could, with the reasons.
        package let leftOut: [(word: String, reason: String)]
        /// The number of words whose mean activations make the common centre.
        package let centreWords: Int
    }

    /// Measures how far the senses of the words separate at every site (a named place in the model).
    ///
    /// - Throws: `SenseError` for a word that is not in the file or can't be measured; `ModelError`.
    package func run() throws -> Result {
        let words = file.words
        if let word, !words.contains(word) {
            throw SenseError.noWord(word, file: file.path, known: words)
        }
        let read = file.lines.filter { word == nil || $0.word == word }.map { PromptSet.Prompt(text: $0.text) }
        source.checkpoint.tellMarks(of: PromptSet(source: file.name, prompts: read, isChat: false), [], in: context)
        let all = try words.map { try contexts($0) }
        var wanted: [Int] = []
        var leftOut: [(word: String, reason: String)] = []
        for (index, contexts) in all.enumerated() {
            guard let contexts, word == nil || contexts.word == word else { continue }
            if let reason = Self.reason(contexts) {
                guard words.count > 1, word == nil else { throw reason }
                leftOut.append((contexts.word, reason.description))
            } else {
                wanted.append(index)
            }
        }
        guard !wanted.isEmpty else {
            throw SenseError.noneMeasured(file: file.path, reason: leftOut[0].reason)
        }
        // Of words that are not asked for, only the contexts for the centre are run.
        let chosen = all.enumerated().map { index, contexts in
            contexts?.sample(
                wanted.contains(index) ? most : min(most, Self.centreContexts), seed: seed, stream: index) ?? []
        }
        let rows = try captured(all, chosen)
        defer { context.tell(.scopeEnded) }
        let separations = try measured(wanted, chosen, rows)
        return Result(
            measured: zip(wanted, separations).compactMap { index, separations in
                all[index].map { Measured(contexts: $0, separations: separations) }
            }, leftOut: leftOut, centreWords: all.count { $0 != nil })
    }

    /// Returns the contexts (occurrences) of a word; nil if a word that was not asked for can't be read.
    private func contexts(_ word: String) throws -> SenseContexts? {
        do {
            return try SenseContexts(word, file, source.checkpoint, context.control)
        } catch let error where error is SenseError || error is WorkbenchError {
            guard let wanted = self.word, wanted != word else { throw error }
            return nil
        }
    }

    /// Returns the reason why a word's senses can't be measured; nil if they can.
    private static func reason(_ contexts: SenseContexts) -> SenseError? {
        guard contexts.senses.count == 2 else { return .notTwoSenses(contexts.word, contexts.senses) }
        for (index, sense) in contexts.senses.enumerated() {
            let count = contexts.contexts.count { $0.sense == index }
            guard count < fewest else { continue }
            return .fewContexts(contexts.word, sense: sense, count: count, needed: fewest)
        }
        return nil
    }

    // MARK: Activations

    /// The activations of all words by site, with the places of each word's rows in them.
    private struct Captured {
        package let matrices: [Site: Matrix]
        /// The ranges of rows of activations that belong to each word and sense, [word][sense].
        package let places: [[Range<Int>]]
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
        let matrices = try context.rows(
            source, ids, positions: ids.map { [$0.count - 1] }, sites: sites, choices: choices)
        return Captured(matrices: matrices, places: places)
    }

    /// Returns the mean, over words, of the mean activations of their first contexts, [width]: the part that all words
    /// have in common at this site.
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

    /// Measures how far the senses of the chosen words are apart at each site (a named place in the model).
    ///
    /// - Returns: the separations of the senses, [word][site].
    private func measured(
        _ wanted: [Int], _ chosen: [[[Int]]], _ rows: Captured
    ) throws -> [[SenseSeparation]] {
        let pool = context.pool
        var found = [[SenseSeparation]](repeating: [], count: wanted.count)
        var weighed = WeighedRows()
        defer { weighed.tell(in: context) }
        for (index, site) in sites.enumerated() {
            context.control.report(done: index, total: sites.count, unit: "sites")
            guard let matrix = rows.matrices[site] else {
                throw WorkbenchError.modelHasNoSite(site)
            }
            if let bad = matrix.firstNonFinite {
                throw SenseError.notFinite(site, Double(matrix[bad.row, bad.column]))
            }
            weighed.add(matrix, name: site.shortName)
            // With a single word its own mean would be the centre, with the two senses on either side of it whatever
            // they are.
            let centre = rows.places.count(where: { !$0.isEmpty }) > 1 ? Self.centre(matrix, rows.places) : nil
            let (splits, seed) = (splits, seed)
            let separations = try Interruptible.run(context.control) { control in
                var separations = [SenseSeparation?](repeating: nil, count: wanted.count)
                try separations.withUnsafeMutableBufferPointer { buffer in
                    nonisolated(unsafe) let results = buffer
                    try pool.run(tasks: wanted.count) { task, _ in
                        let senses = rows.places[wanted[task]].map { matrix.selecting($0.map(Int32.init)) }
                        // Each word has its own random numbers, whether measured alone or among others.
                        var random = SeededRandom(seed: seed, .senses, wanted[task])
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
