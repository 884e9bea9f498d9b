import Checkpoints
import Comparison
import Geometry
import Reports
import TerminalText
import Workbench

/// The report of `diff A B TENSOR`.
struct DiffReport {
    let pair: CheckpointPair
    let row: WeightsComparison.Row
    let places: LargestChanges
    /// The spectrum of the change, or nil for a tensor that is not a matrix.
    let spectra: WeightSpectraRun.Found?
    /// The number of lines in each table.
    let top: Int

    func report() throws -> Report {
        let info = row.pair.a
        let types = [info.type.name, row.pair.b.type.name]
        var report = Report(
            title: "\(row.pair.name) \(shapeText(info.shape)): A: \(pair.a.name), \(types[0]); B: \(pair.b.name),"
                + " \(types[1])")
        report.scalars = WeightScalars.scalars(row.difference)
        report.scalars.append(
            Scalar("state", .text(WeightsReport.text(row.difference, try pair.differences().count))))
        report.notes = ["Exact over all numbers, in float64: no interval."]
        if let spectrum = spectra?.spectra.first?.spectrum {
            report.scalars += Self.scalars(spectrum)
            report.tables.append(table(spectrum))
            report.series = series(spectrum)
        }
        report.notes += spectra?.notes ?? ["A tensor that is no matrix has no spectrum."]
        report.tables += placeTables
        if row.difference.isIdentical {
            report.notes.append("The two tensors have the same numbers: there are no places to list.")
        }
        report.notes += WeightNotes.edits(pair)
        return report
    }

    private static func scalars(_ spectrum: DifferenceSpectrum) -> [Scalar] {
        func scalar(_ name: String, _ value: Double, _ what: String?, _ null: Double?) -> Scalar {
            let shown = null.map { "null \(NumberFormat.significant($0))" }
            return Scalar(
                name, .number(value), note: [what, shown].compactMap(\.self).joined(separator: "; "), null: null)
        }
        var scalars = [
            Scalar(
                "rank", .integer(spectrum.rank),
                note: "singular values above rounding, \(NumberFormat.significant(spectrum.roundingEdge)); null 0",
                null: 0),
            Scalar(
                "rank above noise", .integer(spectrum.rankAboveBulk), note: "and above noise of their median; null 0",
                null: 0),
        ]
        if let own = spectrum.dimensions {
            let null = spectrum.nullDimensions
            scalars += [
                scalar("stable rank", own.stableRank, nil, null.stableRank),
                scalar(
                    "effective rank of sigma", own.effectiveRankOfSingularValues, nil,
                    null.effectiveRankOfSingularValues),
                scalar("effective rank of lambda", own.effectiveRank, nil, null.effectiveRank),
            ]
        }
        if let overlap = spectrum.overlap {
            let what = "of the first \(counted(overlap.dimension, "singular vector"))"
            scalars += [
                scalar("left overlap", overlap.left, what, overlap.null?.left),
                scalar("right overlap", overlap.right, what, overlap.null?.right),
            ]
        }
        return scalars
    }

    private func table(_ spectrum: DifferenceSpectrum) -> Table {
        Table(
            "spectrum of B - A", columns: ["rank", "singular value", "Gaussian"],
            rows: spectrum.singularValues.indices.prefix(top).map {
                [.integer($0 + 1), .number(spectrum.singularValues[$0]), .number(spectrum.nullValues[$0])]
            })
    }

    private func series(_ spectrum: DifferenceSpectrum) -> [Series] {
        func curve(_ name: String, _ values: [Double]) -> Series {
            Series(
                name, x: .init("singular value, by rank", isLogarithmic: true), y: .init("size", isLogarithmic: true),
                points: values.enumerated().map { .init(x: Double($0.offset + 1), y: $0.element) })
        }
        guard (spectrum.singularValues.first ?? 0) > 0 else { return [] }
        return [curve("B - A", spectrum.singularValues), curve("Gaussian of the same norm", spectrum.nullValues)]
    }

    private var placeTables: [Table] {
        func lines(_ name: String, _ found: [LargestChanges.Line], _ label: ((Int) -> String?)?) -> Table {
            var columns: [Table.Column] = [.init(name)]
            if label != nil { columns.append(.init("token", isQuoted: true)) }
            return Table(
                "\(name)s that changed most", columns: columns + ["|B-A|", "|B-A|/|A|"],
                rows: found.map { line in
                    let token: [Cell] = label.map { [$0(line.index).map { .text($0) } ?? .missing] } ?? []
                    return [.integer(line.index)] + token + [.number(line.change), Cell(line.relative)]
                })
        }
        var tables: [Table] = []
        let isVector = row.pair.a.shape.count < 2
        if !isVector { tables += [lines("row", places.rows, tokens), lines("column", places.columns, nil)] }
        tables.append(
            Table(
                "numbers that changed most", columns: (isVector ? [] : ["row"]) + ["column", "A", "B", "B - A"],
                rows: places.elements.map {
                    (isVector ? [] : [.integer($0.row)])
                        + [.integer($0.column), .number($0.a), .number($0.b), .number($0.b - $0.a)]
                }))
        return tables.filter { !$0.rows.isEmpty }
    }

    /// A closure that returns the token for which a row stands, or nil if the tensor's rows are not tokens.
    private var tokens: ((Int) -> String?)? {
        let kind = ModelPart(row.pair.name).kind
        guard kind == .embed || kind == .head, let texts = try? pair.a.checkpoint.tokenTexts(),
            (try? pair.a.checkpoint.facts().vocabularySize) == row.pair.a.shape[0]
        else { return nil }
        return { texts.piece(Int32(clamping: $0)) }
    }
}
