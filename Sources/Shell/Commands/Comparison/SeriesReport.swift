import Comparison
import Reports
import Sites
import Statistics
import TerminalText

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// The report on a series of checkpoints: a table for each measure, verdicts on its order, and curves.
struct SeriesReport {
    let result: SeriesRun.Result
    let members: [SeriesMember]
    let seed: UInt64

    /// The steps of training, or nil unless all checkpoints have them and they ascend.
    private var steps: [Int]? {
        let steps = members.compactMap(\.steps)
        guard steps.count == members.count, zip(steps, steps.dropFirst()).allSatisfy({ $0 < $1 }) else { return nil }
        return steps
    }

    var report: Report {
        Report(
            tables: result.curves.map(table) + [verdicts], series: result.curves.compactMap(curve), notes: notes)
    }

    // MARK: Numbers

    /// Makes a cell of a number of a curve with its 95 % interval. The interval of a similarity ends at 1.
    ///
    /// - Parameters:
    ///   - estimate: The number with its standard error, in logarithms for a logarithmic curve.
    ///   - curve: The curve.
    ///   - measured: The number itself, which is given where the estimate is its logarithm.
    private static func cell(
        _ estimate: SeriesCurve.Estimate?, _ curve: SeriesCurve, measured: Double? = nil
    ) -> Cell {
        guard let estimate else { return .missing }
        func shown(_ number: Double) -> Double { curve.isLogarithmic ? exp(number) : number }
        guard let error = estimate.standardError, error > 0 else { return .number(measured ?? shown(estimate.value)) }
        let half = Proportion.z95 * error
        let most = curve.isSimilarity ? 1 : Double.infinity
        return .interval(
            value: measured ?? shown(estimate.value), low: shown(estimate.value - half),
            high: min(most, shown(estimate.value + half)))
    }

    private func table(_ curve: SeriesCurve) -> Table {
        let hasFloor = curve.floors?.contains { $0 != nil } ?? false
        let word = curve.values == nil ? "to" : curve.isLogarithmic ? "over" : "minus"
        var table = Table(
            curve.name,
            columns: ["checkpoint"] + (steps == nil ? [] : ["steps"])
                + (curve.values == nil ? [] : [.init(curve.name, unit: curve.unit)])
                + ["the first", "the one before", "the last"].map {
                    .init("\(word) \($0)", unit: curve.values == nil ? curve.unit : nil)
                }
                + (hasFloor ? ["to the last, floor"] : []))
        for (index, member) in members.enumerated() {
            table.append(
                [.text(member.name)] + (steps.map { [.integer($0[index])] } ?? [])
                    + (curve.values.map { [Self.cell($0[index], curve, measured: curve.measured?[index])] } ?? [])
                    + [curve.toFirst, curve.toBefore, curve.toLast].map { Self.cell($0[index], curve) }
                    + (hasFloor ? [Cell(curve.floors?[index])] : []))
        }
        return table
    }

    // MARK: Verdicts

    /// Returns the text for a step of the series, such as `64 to 256`.
    private func place(_ step: Int) -> String {
        let labels = steps.map { $0.map(String.init) } ?? members.map(\.name)
        return "\(labels[step]) to \(labels[step + 1])"
    }

    private func text(_ test: StepTest?, saysDirection: Bool) -> Cell {
        guard let test else { return .missing }
        let places = test.verdict == .notSupported ? test.against : test.undecided
        let shown = places.prefix(2).map(place).joined(separator: ", ") + (places.count > 2 ? ", ..." : "")
        return .text(
            (saysDirection ? "\(test.direction.rawValue): " : "") + test.verdict.rawValue
                + (places.isEmpty ? "" : " (\(shown))"))
    }

    private var verdicts: Table {
        var table = Table(
            "order",
            columns: [
                "measure", "null", "spearman", "spearman p", "isotonic", "isotonic p", "largest step", "share",
                "share, null", "share p", "phases", "monotone", "converges",
            ])
        for curve in result.curves {
            let order = curve.order(seed: seed)
            let largest = curve.largestStep
            table.append([
                .text(curve.name), Cell(curve.null?.value), Cell(order?.spearman), Cell(order?.spearmanP),
                Cell(order?.isotonic), Cell(order?.isotonicP),
                largest.map { .text(place($0.index)) } ?? .missing, Cell(largest?.share), Cell(largest?.expected),
                Cell(largest?.p),
                curve.hasPhase.map { .text($0.rawValue) } ?? .missing, text(curve.monotone, saysDirection: true),
                text(curve.convergence, saysDirection: false),
            ])
        }
        return table
    }

    // MARK: Curves

    private func curve(_ curve: SeriesCurve) -> Series? {
        let isDistance = curve.values == nil
        let numbers = curve.values ?? curve.toLast
        let isLogarithmic = steps.map { $0[0] > 0 && Double($0[$0.count - 1]) > 50 * Double($0[0]) } ?? false
        var series = Series(
            isDistance ? "\(curve.name), to the last" : curve.name,
            x: steps == nil
                ? Series.Axis("checkpoint, in order") : Series.Axis("steps", isLogarithmic: isLogarithmic),
            y: Series.Axis(curve.name, unit: curve.unit))
        for (index, number) in numbers.enumerated() {
            let x = steps.map { Double($0[index]) } ?? Double(index + 1)
            guard let number else {
                if isDistance, index == numbers.count - 1 {
                    series.points.append(.init(x: x, y: curve.isSimilarity ? 1 : 0))
                }
                continue
            }
            let cell = Self.cell(number, curve, measured: curve.measured?[index])
            if let point = Series.Point(x: x, cell) { series.points.append(point) }
        }
        return series.points.isEmpty ? nil : series
    }

    private var notes: [String] {
        var notes: [String] = []
        let names = result.curves.map(\.name)
        let isOfRows = names.contains { $0 != "loss" && $0 != "weights" }
        let sources =
            (names.contains("loss") ? ["of loss over prompts"] : [])
            + (isOfRows ? ["of dimensions and CKA from \(SeriesRun.draws) halves of the rows"] : [])
        if !sources.isEmpty {
            notes.append(
                "Intervals are 95 %: \(sources.joined(separator: ", ")); those of changes are of what both share.")
        }
        if let site = result.site {
            notes.append("Rows: \(site.shortName) at the last position of \(counted(result.prompts, "prompt")).")
        }
        let nulls = result.curves.compactMap { curve in curve.null.map { "of \(curve.name) \($0.of)" } }
        if !nulls.isEmpty { notes.append("null: \(nulls.joined(separator: ", ")).") }
        if names.contains("cka") {
            notes.append("floor: the mean over \(SeriesRun.draws) orders of the rows paired at random.")
        }
        notes.append(
            "p of order: the share of orders at least as steady; of the largest step: Fisher's, against change that falls on"
                + " steps by chance.")
        if members.count < 4 { notes.append("Fewer than four checkpoints: no order of them is unlikely.") }
        notes += result.refusals.prefix(6)
        if result.refusals.count > 6 { notes.append("... and \(result.refusals.count - 6) more.") }
        notes.append("seed \(seed)")
        return notes
    }
}
