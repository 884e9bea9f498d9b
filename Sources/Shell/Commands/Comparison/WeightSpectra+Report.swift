import Comparison
import Geometry
import Reports
import TerminalText

extension WeightSpectraRun.Found {
    private static let counts: [Table.Column] = ["stable rank", "eff. rank of sigma", "eff. rank of lambda"]

    var notes: [String] {
        var notes: [String] = []
        if tooLarge > 0 {
            notes.append(
                "\(counted(tooLarge, "matrix", "matrices")) with sides above \(WeightSpectraRun.sizeLimit)"
                    + " \(agreeing(tooLarge, "has", "have")) no spectrum.")
        }
        notes += [
            "rank: singular values of B - A above what rounding both sides would give; above noise: those also above"
                + " Gaussian noise with the median of them all.",
            "Gaussian: independent normal numbers, the same shape, seed \(seed).",
        ]
        if top > 0 {
            notes.append(
                "left, right k: |U_A'U_B|_F²/k of the first k singular vectors; null: of A and A plus a Gaussian matrix of"
                    + " the norm of B - A.")
        }
        return notes
    }

    private static func counts(_ dimensions: LinearDimensions?) -> [Cell] {
        [
            Cell(dimensions?.stableRank), Cell(dimensions?.effectiveRankOfSingularValues),
            Cell(dimensions?.effectiveRank),
        ]
    }

    var table: Table {
        let k = spectra.compactMap(\.spectrum.overlap?.dimension).max()
        let overlaps: [Table.Column] =
            k.map { k in
                ["left \(k)", "right \(k)", "null left", "null right"].map { .init($0, alignment: .right) }
            } ?? []
        var table = Table(
            "change of matrices",
            columns: ["tensor", "rank", "above noise", "largest", "rounding"] + Self.counts + overlaps)
        for (name, _, spectrum) in spectra {
            let o = spectrum.overlap
            table.append(
                [
                    .text(name), .integer(spectrum.rank), .integer(spectrum.rankAboveBulk),
                    .number(spectrum.singularValues.first ?? 0), .number(spectrum.roundingEdge),
                ] + Self.counts(spectrum.dimensions)
                    + (k == nil
                        ? [] : [Cell(o?.left), Cell(o?.right), Cell(o?.null?.left), Cell(o?.null?.right)]))
        }
        return table
    }

    /// The table of the ranks of Gaussian matrices of the same shapes.
    var nulls: Table {
        var table = Table("Gaussian matrices", columns: ["shape"] + Self.counts)
        var seen: Set<[Int]> = []
        for (_, shape, spectrum) in spectra where seen.insert(shape).inserted {
            table.append([.text(shapeText(shape))] + Self.counts(spectrum.nullDimensions))
        }
        return table
    }
}
