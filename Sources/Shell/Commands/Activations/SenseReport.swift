import Comparison
import Directions
import Geometry
import Reports
import Sites
import Statistics
import TerminalText

/// The report on the layers at which the senses of words come apart, as tables and a picture.
struct SenseReport {
    let result: SenseRun.Result
    let sites: [Site]
    let splits: Int
    let hasLearnedPositions: Bool

    private var words: [SenseRun.Measured] { result.measured }

    var report: Report {
        Report(
            scalars: words.count == 1 ? scalars(words[0]) : medians,
            tables: words.count == 1 ? [distances(words[0]), accuracies(words[0])] : [byWord, byLayer],
            series: series, notes: notes)
    }

    // MARK: One word

    private func scalars(_ word: SenseRun.Measured) -> [Scalar] {
        guard let last = word.separations.last else { return [] }
        return [
            Scalar(
                "separation", Self.separation(last), note: "\(sites[sites.count - 1].shortName); null is random splits",
                null: last.nullMedian),
            Scalar("splits at", splitCell(word), note: "first site above the null there and at all later sites"),
        ]
    }

    private func splitCell(_ word: SenseRun.Measured) -> Cell {
        .text(word.split.map { sites[$0].shortName } ?? "nowhere")
    }

    /// Makes a cell of a separation with its interval. A separation is infinite where the rows of each sense are a
    /// single point, and then it has no interval.
    private static func separation(_ found: SenseSeparation) -> Cell {
        guard found.separation.isFinite else { return .number(found.separation) }
        return .interval(
            value: found.separation, low: found.interval.lowerBound, high: found.interval.upperBound)
    }

    private static func null(_ found: SenseSeparation) -> Cell {
        let quantiles = Quantiles(found.null)
        return .interval(
            value: found.nullMedian, low: quantiles?[0.05] ?? found.nullMedian, high: found.nullBound)
    }

    private func distances(_ word: SenseRun.Measured) -> Table {
        var table = Table(
            "distances",
            columns: [
                "site", "separation", "null", "p", "between", "within", "Fisher", "Fisher null", "silhouette",
                "silhouette null", "cosine",
            ])
        for (site, found) in zip(sites, word.separations) {
            table.append([
                .text(site.shortName), Self.separation(found), Self.null(found), .number(found.p),
                .number(found.ratio.between), .number(found.ratio.within), .number(found.fisher),
                .number(found.fisherNull), .number(found.silhouette), .number(found.silhouetteNull),
                Cell(found.cosine),
            ])
        }
        return table
    }

    private func accuracies(_ word: SenseRun.Measured) -> Table {
        var table = Table(
            "held-out rows", columns: ["site", "probe", "shuffled", "probe - shuffled", "nearer mean", "N"])
        for (site, found) in zip(sites, word.separations) {
            table.append([
                .text(site.shortName), Cell(found.probe), Cell(found.shuffledProbe),
                Cell(found.gain), Cell(found.nearerMean), .integer(found.probe.trials),
            ])
        }
        return table
    }

    // MARK: Several words

    private func values(_ site: Int, _ of: (SenseSeparation) -> Double?) -> [Double] {
        words.compactMap { of($0.separations[site]) }
    }

    private static func gainValue(_ found: SenseSeparation) -> Double? { found.gain.value }

    private var medians: [Scalar] {
        let last = sites.count - 1
        let splits = words.compactMap(\.split)
        return [
            Scalar(
                "separation", Cell(Estimate(signTestMedianOf: values(last, \.separation))),
                note: "median of \(counted(words.count, "word")), \(sites[last].shortName); null is random splits",
                null: Quantiles(values(last, \.nullMedian))?[0.5]),
            Scalar(
                "splits at",
                .text(Quantiles(splits.map(Double.init)).map { sites[Int($0[0.5])].shortName } ?? "nowhere"),
                note: "median of the words that do"),
            Scalar("words that split", .integer(splits.count), note: "of \(words.count)"),
        ]
    }

    private var byWord: Table {
        let last = sites.count - 1
        var table = Table(
            "words at \(sites[last].shortName)",
            columns: [
                "word", "senses", "splits at", "separation", "null", "p", "Fisher", "silhouette", "probe", "shuffled",
                "nearer mean", "cosine", "N",
            ])
        for word in words {
            let found = word.separations[last]
            table.append([
                .text(word.contexts.word), .text(word.contexts.senses.joined(separator: ", ")), splitCell(word),
                Self.separation(found), Self.null(found), .number(found.p), .number(found.fisher),
                .number(found.silhouette), Cell(found.probe), Cell(found.shuffledProbe.value),
                Cell(found.nearerMean.value), Cell(found.cosine), .integer(found.firstCount + found.secondCount),
            ])
        }
        return table
    }

    private var byLayer: Table {
        var table = Table(
            "medians over words",
            columns: [
                "site", "separation", "null", "above null", "Fisher", "silhouette", "probe", "shuffled",
                "probe - shuffled", "nearer mean", "cosine",
            ])
        for (index, site) in sites.enumerated() {
            func median(_ of: (SenseSeparation) -> Double?) -> Cell {
                Cell(Estimate(signTestMedianOf: values(index, of)))
            }
            func plain(_ of: (SenseSeparation) -> Double?) -> Cell {
                Cell(Quantiles(values(index, of)).map { $0[0.5] })
            }
            table.append([
                .text(site.shortName), median(\.separation), plain(\.nullBound),
                .integer(words.count { $0.separations[index].isAboveNull }), plain(\.fisher), plain(\.silhouette),
                pooled(index, \.probe), pooled(index, \.shuffledProbe), median(Self.gainValue),
                pooled(index, \.nearerMean), plain(\.cosine),
            ])
        }
        return table
    }

    /// Returns the share over the rows of all words together.
    private func pooled(_ site: Int, _ of: (SenseSeparation) -> Proportion) -> Cell {
        let shares = words.map { of($0.separations[site]) }
        return Cell(
            Proportion(
                successes: shares.reduce(0) { $0 + $1.successes }, trials: shares.reduce(0) { $0 + $1.trials }))
    }

    // MARK: Picture and notes

    private var series: [Series] {
        let (x, y) = (LayerAxis.axis(sites), Series.Axis("separation"))
        var own = Series(
            words.count == 1 ? words[0].contexts.senses.joined(separator: ", ") : "median of words", x: x, y: y)
        var null = Series("random splits, 90 %", x: x, y: y, style: .band)
        for index in sites.indices {
            let place = LayerAxis.place(sites, index)
            let found = words.map { $0.separations[index] }
            let cell =
                words.count == 1 ? Self.separation(found[0]) : Cell(Estimate(signTestMedianOf: found.map(\.separation)))
            guard let point = Series.Point(x: place, cell), point.y.isFinite else { continue }
            own.points.append(point)
            let bounds = found.compactMap { Quantiles($0.null) }
            guard let low = Quantiles(bounds.map { $0[0.05] }), let high = Quantiles(bounds.map { $0[0.95] }),
                let middle = Quantiles(bounds.map { $0[0.5] })
            else { continue }
            null.points.append(.init(x: place, y: middle[0.5], low: low[0.5], high: high[0.5]))
        }
        return [null, own]
    }

    private var notes: [String] {
        var notes = [
            "Separation: mean distance of rows of different senses over that within senses, minus 1. Its interval is 95 %,"
                + " by halves; null: median [5 %, 95 %] of \(splits) random splits.",
            "Rows are the word's last token; a decoder has seen nothing after it. Held out: 5 folds; shuffled: labels"
                + " shuffled. Wilson's 95 %.",
        ]
        if words.count > 1 {
            notes.append(
                "Medians have the sign test's 95 % interval over words; null in the medians is that of the 95th percentiles;"
                    + " shares are of all words' rows.")
        }
        if result.centreWords > 1 {
            notes.append(
                "Cosine: of the senses' means about the mean of \(counted(result.centreWords, "word")) of the file.")
        } else {
            notes.append("No cosine: the centre is the mean of the file's words, and it has one.")
        }
        let constant = sites.indices.filter { site in words.allSatisfy { $0.separations[site].isConstant } }
        if !constant.isEmpty {
            notes.append(
                "\(constant.map { sites[$0].shortName }.joined(separator: ", ")): each word has one and the same row"
                    + " everywhere, so nothing tells senses apart: 0, exactly.")
        }
        if hasLearnedPositions {
            notes.append(
                "This model adds learned positions after hook_embed, so from resid_pre[0] on rows differ by where the word"
                    + " stands.")
        }
        notes += caveats
        return notes
    }

    private var caveats: [String] {
        var notes: [String] = []
        for word in words where word.contexts.undecided > 0 {
            notes.append(
                "\(word.contexts.word): \(counted(word.contexts.undecided, "context")) up to the word"
                    + " \(agreeing(word.contexts.undecided, "stands", "stand")) under both senses, so what tells them apart"
                    + " comes after it, where a decoder has not looked.")
        }
        let repeated = words.reduce(0) { $0 + $1.contexts.repeated }
        if repeated > 0 {
            notes.append("\(counted(repeated, "line")) left out: the same up to the word as another of the same sense.")
        }
        let several = words.filter { !$0.contexts.hasOneLastToken }.map(\.contexts.word)
        if !several.isEmpty {
            notes.append(
                "\(several.joined(separator: ", ")): not the same token everywhere, so rows differ by it at hook_embed."
            )
        }
        notes += result.leftOut.map { "Left out: \($0.reason)." }
        return notes
    }
}
