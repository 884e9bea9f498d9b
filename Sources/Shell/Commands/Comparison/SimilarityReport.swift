import Comparison
import Language
import Geometry
import Reports
import Sites
import Statistics
import TerminalText
import Workbench

/// The report of `compare A B activations`: measures by site, and their curves over the layers.
struct SimilarityReport {
    let activations: PairedActivations
    let sites: [MeasuredSite<SimilarityMeasurement>]

    var report: Report {
        Report(
            title: "A: \(activations.pair.a.name), B: \(activations.pair.b.name);"
                + " \(counted(activations.count, "row")) of \(counted(Set(activations.prompts).count, "prompt"))"
                + " at \(activations.position)",
            tables: [similarity, rows] + (isOfSeveralWidths ? [] : [distances]), series: series, notes: notes)
    }

    // MARK: Tables

    private var isOfSeveralWidths: Bool {
        sites.allSatisfy { $0.measurement.map { $0.widths.x != $0.widths.y } ?? true }
    }

    private var similarity: Table {
        table("similarity", [.cka, .ckaWithoutRogue, .rsa])
    }

    /// The table of canonical correlations and Procrustes distances.
    private var rows: Table {
        var table = Table(
            "canonical correlations and Procrustes",
            columns: [
                "site", "SVCCA", "SVCCA floor", "PWCCA", "dimensions A, B", "Procrustes", "Procrustes floor",
            ])
        for site in sites {
            let kept = site.measurement?.kept.map { Cell.text("\($0.x), \($0.y)") } ?? .missing
            table.append([
                .text(site.site.shortName), cell(.svcca, site), floor(.svcca, site), cell(.pwcca, site), kept,
                cell(.procrustes, site), floor(.procrustes, site),
            ])
        }
        return table
    }

    private var distances: Table {
        var table = self.table("rows as they are", [.relativeDistance, .cosine])
        table.columns[2].name = "random pairs' distance"
        table.columns[4].name = "random pairs' cosine"
        return table
    }

    private func table(_ name: String, _ measures: [SimilarityMeasure]) -> Table {
        var columns: [Table.Column] = ["site"]
        for measure in measures { columns += [.init(Self.name(measure)), .init("\(Self.name(measure)) floor")] }
        var table = Table(name, columns: columns)
        for site in sites {
            table.append(
                [.text(site.site.shortName)] + measures.flatMap { [cell($0, site), floor($0, site)] })
        }
        return table
    }

    static func name(_ measure: SimilarityMeasure) -> String {
        switch measure {
        case .cka: "CKA"
        case .ckaWithoutRogue: "CKA without rogue"
        case .svcca: "SVCCA"
        case .pwcca: "PWCCA"
        case .procrustes: "Procrustes"
        case .rsa: "RSA"
        case .relativeDistance: "relative distance"
        case .cosine: "cosine"
        }
    }

    private func cell(_ measure: SimilarityMeasure, _ site: MeasuredSite<SimilarityMeasurement>) -> Cell {
        guard let found = site.measurement?.values[measure] else { return .missing }
        guard let interval = Self.interval(found, measure) else { return .number(found.value) }
        return .interval(value: found.value, low: interval.lowerBound, high: interval.upperBound)
    }

    /// Returns the 95 % interval (normal) of a measure, cut off at the ends of the measure's range. It is nil if the
    /// spread is not known.
    static func interval(_ found: MeasuredSimilarity, _ measure: SimilarityMeasure) -> ClosedRange<Double>? {
        guard let spread = found.spread else { return nil }
        let half = Proportion.z95 * spread
        return max(measure.range.lowerBound, found.value - half)...min(measure.range.upperBound, found.value + half)
    }

    private func floor(_ measure: SimilarityMeasure, _ site: MeasuredSite<SimilarityMeasurement>) -> Cell {
        Cell(site.measurement?.values[measure]?.floor)
    }

    // MARK: Curves

    /// Curves of CKA, RSA and the floor of CKA by layer, for each kind of site.
    private var series: [Series] {
        let kinds = sites.map(\.site.kind).reduce(into: [Sites.Site.Kind]()) { if !$0.contains($1) { $0.append($1) } }
        let (x, y) = (Series.Axis("layer"), Series.Axis("similarity", range: 0...1))
        return kinds.flatMap { kind -> [Series] in
            let found = sites.filter { $0.site.kind == kind }
            guard found.count > 1 else { return [] }
            let prefix = kinds.count > 1 ? "\(kind.shortName) " : ""
            var curves = [SimilarityMeasure.cka, .rsa].map { measure in
                Series(
                    prefix + Self.name(measure), x: x, y: y,
                    points: found.compactMap { site in
                        site.measurement?.values[measure].map {
                            let interval = Self.interval($0, measure)
                            return .init(
                                x: Double(site.site.layer), y: $0.value, low: interval?.lowerBound,
                                high: interval?.upperBound)
                        }
                    })
            }
            curves.append(
                Series(
                    prefix + "CKA floor", x: x, y: y,
                    points: found.compactMap { site in
                        site.measurement?.values[.cka]?.floor.map { .init(x: Double(site.site.layer), y: $0) }
                    }))
            return curves.filter { !$0.points.isEmpty }
        }
    }

    // MARK: Notes

    private var notes: [String] {
        let measured = sites.compactMap(\.measurement)
        var notes = activations.notes
        if measured.contains(where: { $0.values[.cka]?.spread != nil }) {
            notes.append(
                "Intervals are 95 %, normal, from \(SimilarityMeasurement.draws) halves drawn without replacement.")
        } else {
            notes.append("Too few prompts for intervals: halves are drawn of \(Halves.fewest) or more.")
        }
        notes.append(
            "floor: the mean over \(SimilarityMeasurement.draws) pairings of rows at random. CKA is debiased, and without"
                + " rogue leaves out each side's \(SimilarityMeasurement.rogueCount) coordinates of largest variance.")
        if measured.contains(where: { $0.widths.x != $0.widths.y }) {
            notes.append(
                "Of different widths: Procrustes, relative distance and cosine are not defined where rows have"
                    + " different coordinates.")
        }
        var refused: [String: [String]] = [:]
        var order: [String] = []
        for site in sites {
            var reasons = site.measurement?.refusals.mapValues { "\($0)" } ?? [:]
            if case .failure(let error) = site.result { reasons[.cka] = CommandError.words(error) }
            for reason in Set(reasons.values).sorted() {
                if refused[reason] == nil { order.append(reason) }
                refused[reason, default: []].append(site.site.shortName)
            }
        }
        for reason in order.prefix(4) {
            let names = refused[reason] ?? []
            notes.append(
                "\(names.prefix(3).joined(separator: ", "))\(names.count > 3 ? " and \(names.count - 3) more" : ""):"
                    + " \(reason).")
        }
        if order.count > 4 { notes.append("Not measured for other reasons: \(order.count - 4) more.") }
        return notes
    }
}
