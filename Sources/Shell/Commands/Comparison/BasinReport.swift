import Comparison
import Geometry
import Reports
import Sites
import Statistics
import TerminalText

/// The report on how tuning changed the dimensions of classes of prompts, beside its controls.
struct BasinReport {
    let result: BasinRun.Result
    let base: String
    let tuned: String
    let options: BasinRun.Options

    var report: Report {
        Report(scalars: scalars, tables: [verdicts] + result.classes.flatMap(tables), series: series, notes: notes)
    }

    private static func change(_ found: DifferenceInDifferences?) -> Cell {
        guard let found else { return .missing }
        return .interval(value: found.value, low: found.interval.lowerBound, high: found.interval.upperBound)
    }

    private static func own(_ found: DifferenceInDifferences?) -> Cell {
        guard let found else { return .missing }
        return .interval(value: found.own, low: found.ownInterval.lowerBound, high: found.ownInterval.upperBound)
    }

    /// Makes a cell of the null: the interval of the permutations about 0, around which they are spread.
    private static func null(_ found: DifferenceInDifferences?) -> Cell {
        guard let found else { return .missing }
        return .interval(value: 0, low: found.null.lowerBound, high: found.null.upperBound)
    }

    /// One scalar for each class: its change against open prompts, at the site on which the verdict is based.
    private var scalars: [Scalar] {
        result.classes.map { found in
            let open = found.place.map { found.open.sites[$0] }
            return Scalar(
                found.name, Self.change(open?.found), unit: "dimensions",
                note: "\(found.verdict.rawValue); against \(found.open.other)"
                    + (open.map { " at \($0.site.shortName)" } ?? ""), null: 0)
        }
    }

    private var verdicts: Table {
        var table = Table(
            "verdicts",
            columns: ["class", "verdict", "site", "against", "own change", "change", "null", "p", "p Holm", "pairs"])
        for found in result.classes {
            for comparison in [found.open, found.control] {
                let at = found.place.map { comparison.sites[$0] }
                table.append([
                    .text(found.name), .text(found.verdict.rawValue),
                    at.map { .text($0.site.shortName) } ?? .missing, .text(comparison.other),
                    Self.own(at?.found), Self.change(at?.found), Self.null(at?.found), Cell(at?.found?.p),
                    Cell(at?.adjusted),
                    .integer(comparison.match.pairs.count),
                ])
            }
        }
        return table
    }

    private func tables(_ found: BasinRun.ClassResult) -> [Table] {
        [found.open, found.control].map { comparison in
            var table = Table(
                "\(found.name) against \(comparison.other)",
                columns: [
                    "site", .init("\(found.name), \(base)"), .init("\(comparison.other), \(base)"),
                    .init("\(found.name), \(tuned)"), .init("\(comparison.other), \(tuned)"), "own change", "change",
                    "null", "p", "p Holm",
                ])
            for at in comparison.sites {
                guard let found = at.found else {
                    table.append([.text(at.site.shortName)] + Array(repeating: .missing, count: 9))
                    continue
                }
                table.append([
                    .text(at.site.shortName), .number(found.before.first), .number(found.before.second),
                    .number(found.after.first), .number(found.after.second), Self.own(found), Self.change(found),
                    Self.null(found), .number(found.p), Cell(at.adjusted),
                ])
            }
            return table
        }
    }

    private var series: [Series] {
        result.classes.flatMap { found in
            [found.open, found.control].flatMap { comparison -> [Series] in
                let x = LayerAxis.axis(comparison.sites.map(\.site))
                let name = "\(found.name) against \(comparison.other)"
                // Each comparison has a vertical axis of its own, which keeps its null in the same picture as its
                // curve.
                let y = Series.Axis("change of d(\(found.name)) - d(\(comparison.other))")
                var own = Series(name, x: x, y: y)
                var null = Series("permuted, 95 %", x: x, y: y, style: .band)
                for (place, at) in comparison.sites.enumerated() {
                    guard let value = at.found else { continue }
                    let x = LayerAxis.place(comparison.sites.map(\.site), place)
                    own.points.append(
                        .init(x: x, y: value.value, low: value.interval.lowerBound, high: value.interval.upperBound))
                    null.points.append(
                        .init(x: x, y: 0, low: value.null.lowerBound, high: value.null.upperBound))
                }
                return [null, own]
            }
        }
    }

    private var notes: [String] {
        var notes = [
            "change: [d(class) - d(other)] in \(tuned), minus the same in \(base); d is the debiased participation ratio of the"
                + " rows at \(options.position). own change: d(class) in \(tuned) minus that in \(base). Intervals are 95 %, by"
                + " halves.",
            "null: 2.5 % and 97.5 % of \(options.permutations) permutations in which prompts of a pair trade places; p is"
                + " two-sided, p Holm over the \(counted(options.sites.count, "site")) of a comparison.",
        ]
        for found in result.classes {
            for comparison in [found.open, found.control] {
                let lengths = comparison.match.meanLengths
                notes.append(
                    "\(found.name) against \(comparison.other): \(counted(comparison.match.pairs.count, "pair")) of"
                        + (options.slack == 0 ? " one length" : " lengths within \(counted(options.slack, "token"))")
                        + ", \(NumberFormat.significant(lengths.first))"
                        + (lengths.first == lengths.second ? "" : " and \(NumberFormat.significant(lengths.second))")
                        + " tokens on average.")
            }
        }
        notes += result.classes.map { "\($0.name): \($0.verdict.rawValue): \($0.reason)." }
        notes += result.classes.filter { $0.open.match.widening > 1 }.map { found in
            "\(found.name): fewer than \(BasinRun.defaultLeast) pairs: its intervals are widened by a factor of"
                + " \(NumberFormat.significant(found.open.match.widening)), and a difference that is there may be missed."
        }
        notes += result.repeated.map {
            "\($0.name): \(counted($0.count, "prompt")) left out that stood there before."
        }
        for found in result.classes {
            for comparison in [found.open, found.control] {
                notes += comparison.sites.compactMap { at in
                    at.reason.map { "\(found.name) against \(comparison.other), \(at.site.shortName): \($0)." }
                }
            }
        }
        return notes
    }
}
