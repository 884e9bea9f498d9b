import Comparison
import Geometry
import Language
import Reports
import Sites
import Statistics
import TerminalText
import Workbench

/// The report of `compare A B geometry`: dimensions by site, subspaces, and whether the shape is the same.
struct ShapeReport {
    let activations: PairedActivations
    let sites: [MeasuredSite<ShapeMeasurement>]

    private var measured: [(site: Sites.Site, shape: ShapeMeasurement)] {
        sites.compactMap { site in site.measurement.map { (site.site, $0) } }
    }

    var report: Report {
        Report(
            title: "A: \(activations.pair.a.name), B: \(activations.pair.b.name);"
                + " \(counted(activations.count, "row")) of \(counted(Set(activations.prompts).count, "prompt"))"
                + " at \(activations.position)",
            scalars: scalars, tables: [verdicts, dimensions] + (subspaces.map { [$0] } ?? []), series: series,
            notes: notes)
    }

    private var scalars: [Scalar] {
        ShapeMeasurement.Finding.allCases.map { finding in
            let count = measured.count { $0.shape.finding == finding }
            return Scalar(
                "sites \(finding == .notShown ? "where neither is shown" : finding.rawValue)", .integer(count),
                note: "of \(measured.count)")
        }
    }

    // MARK: Tables

    private static func cell(_ value: Double, _ spread: Double?, z: Double, within range: ClosedRange<Double>) -> Cell {
        guard let spread else { return .number(value) }
        return .interval(
            value: value, low: max(range.lowerBound, value - z * spread),
            high: min(range.upperBound, value + z * spread))
    }

    private static let everything = -Double.infinity...Double.infinity

    private var verdicts: Table {
        var table = Table("shape", columns: ["site", "points", "CKA", "ln PR B/A", "ln TwoNN B/A", "shape"])
        for (site, shape) in measured {
            func ratio(_ name: String) -> Cell {
                guard let found = shape.dimensions.first(where: { $0.name == name }) else { return .missing }
                return Self.cell(found.logRatio, found.ratioSpread, z: ShapeMeasurement.z, within: Self.everything)
            }
            table.append([
                .text(site.shortName), .integer(shape.count),
                Self.cell(shape.cka.value, shape.cka.spread, z: ShapeMeasurement.z, within: -1...1), ratio("PR"),
                ratio("TwoNN"), .text(shape.finding.rawValue),
            ])
        }
        return table
    }

    private var dimensions: Table {
        var table = Table("dimensions", columns: ["site", "estimator", "A", "B", "B/A"])
        for (site, shape) in measured {
            for dimension in shape.dimensions {
                let z = Proportion.z95
                let half = dimension.ratioSpread.map { z * $0 }
                let ratio = Elementary.exp(dimension.logRatio)
                table.append([
                    .text(site.shortName), .text(dimension.name),
                    Self.cell(dimension.x, dimension.spreads?.x, z: z, within: 0...Double.infinity),
                    Self.cell(dimension.y, dimension.spreads?.y, z: z, within: 0...Double.infinity),
                    half.map {
                        .interval(
                            value: ratio, low: Elementary.exp(dimension.logRatio - $0),
                            high: Elementary.exp(dimension.logRatio + $0))
                    } ?? .number(ratio),
                ])
            }
        }
        return table
    }

    private var subspaces: Table? {
        let found = measured.filter { $0.shape.subspaces != nil }
        guard !found.isEmpty else { return nil }
        var table = Table(
            "principal subspaces",
            columns: [
                "site", "m", .init("smallest angle", unit: "deg"), .init("largest angle", unit: "deg"),
                .init("ceiling", unit: "deg"), "overlap", "overlap of halves", "ceiling of halves", "random overlap",
            ])
        for (site, shape) in found {
            guard let spaces = shape.subspaces else { continue }
            func degrees(_ radians: Double?) -> Cell { Cell(radians.map { $0 * 180 / .pi }) }
            table.append([
                .text(site.shortName), .integer(spaces.dimension), degrees(spaces.angles.radians.first),
                degrees(spaces.angles.radians.last), degrees(spaces.ceilingAngle), .number(spaces.angles.overlap),
                .number(spaces.across), .number(spaces.ceiling), .number(spaces.random),
            ])
        }
        return table
    }

    // MARK: Curves

    private var series: [Series] {
        let kinds = measured.map(\.site.kind).reduce(into: [Sites.Site.Kind]()) {
            if !$0.contains($1) { $0.append($1) }
        }
        guard let kind = kinds.first, measured.count(where: { $0.site.kind == kind }) > 1 else { return [] }
        let (x, y) = (Series.Axis("layer"), Series.Axis("dimension"))
        return ["PR", "TwoNN"].flatMap { name in
            [true, false].map { isA in
                Series(
                    "\(name) \(isA ? "A" : "B")", x: x, y: y,
                    points: measured.filter { $0.site.kind == kind }.compactMap { site, shape in
                        shape.dimensions.first { $0.name == name }.map { found in
                            let value = isA ? found.x : found.y
                            let half = found.spreads.map { Proportion.z95 * (isA ? $0.x : $0.y) }
                            return .init(
                                x: Double(site.layer), y: value, low: half.map { max(0, value - $0) },
                                high: half.map { value + $0 })
                        }
                    })
            }
        }
    }

    // MARK: Notes

    private var notes: [String] {
        var notes = activations.notes
        notes.append(
            "unchanged: CKA above \(NumberFormat.significant(ShapeMeasurement.similarityMargin)), and PR and TwoNN within"
                + " \(NumberFormat.significant(ShapeMeasurement.ratioMargin)) in ln, each one-sided at 5 %; changed: one of"
                + " them surely beyond; not shown: neither. Not corrected for the number of sites. Intervals of the first table are"
                + " 90 %, others 95 %.")
        if measured.contains(where: { $0.shape.cka.spread != nil }) {
            notes.append(
                "Errors: normal, from \(ShapeMeasurement.draws) halves drawn without replacement, the same in A and B.")
        } else {
            notes.append("Too few prompts for errors: halves are drawn of \(Halves.fewest) or more.")
        }
        if measured.contains(where: { $0.shape.subspaces != nil }) {
            notes.append(
                "m: the participation ratio of A, rounded. halves: one half of A with the other of B; ceiling: halves of one"
                    + " model, the lower of both overlaps and the larger of both angles.")
        } else {
            notes.append("Principal subspaces are compared where both have one width, and halves can be drawn.")
        }
        for site in sites {
            guard case .failure(let error) = site.result else { continue }
            notes.append("\(site.site.shortName): \(CommandError.words(error)).")
        }
        return notes
    }
}
