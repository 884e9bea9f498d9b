import Geometry
import Reports
import Statistics
import TerminalText
import Workbench

/// The report on how tangent spaces turn with distance.
struct TangentReport {
    let source: PointSource
    let set: PointSet
    let options: TangentCurvature.Options
    let found: TangentCurvature

    private static let degrees = 180 / Double.pi

    var report: Report {
        let chosen =
            options.dimension != nil
            ? "" : isCut ? " (the most that halves allow)" : " (local PCA's median)"
        return Report(
            title: "tangent spaces of \(source.name), N = \(set.count), D = \(set.width),"
                + " d = \(found.dimension)\(chosen), k = \(options.k)",
            scalars: scalars, tables: [angles, containments], series: series, notes: notes)
    }

    private var scalars: [Scalar] {
        let local = found.localDimension
        let quartiles = [local.low, local.median, local.high].map { NumberFormat.significant($0) }
        let leftOut = found.leftOut > 0 ? "\(found.leftOut) left out, whose points span fewer than d directions" : nil
        return [
            Scalar(
                "bins beyond sampling noise", .integer(found.bins.count { $0.finding == .curved }),
                note: "of \(found.bins.count)"),
            Scalar(
                "local PCA (FO)", .number(local.median),
                note: "quartiles of the patches \(quartiles[0]), \(quartiles[2])"),
            Scalar("patches", .integer(found.centres), note: leftOut),
            Scalar("median distance", .number(found.medianDistance)),
            Scalar(
                "patch radius / median", .number(found.locality),
                note: found.locality >= 0.8 ? "global scale: no patch is local" : nil),
            Scalar("largest angle, random spaces", .number(found.random.largest * Self.degrees), unit: "°"),
            Scalar("mean angle, random spaces", .number(found.random.mean * Self.degrees), unit: "°"),
            Scalar("containment, random spaces", .number(found.random.containment), note: "d / D"),
            Scalar("exact duplicates dropped", .integer(set.duplicates)),
        ]
    }

    private var angles: Table {
        var table = Table(
            "angles",
            columns: [
                .init("distance / median"), "pairs", "shared points", .init("largest angle", unit: "°"),
                .init("split-half", unit: "°"), .init("mean angle", unit: "°"), .init("split-half", unit: "°"),
            ])
        for bin in found.bins {
            table.append(
                [distance(bin), .integer(bin.pairs), .number(bin.overlap)]
                    + [bin.largest, bin.mean].flatMap {
                        [
                            Cell($0.between, factor: Self.degrees, within: 0...90),
                            Cell($0.splitHalf.mean * Self.degrees),
                        ]
                    })
        }
        return table
    }

    private var containments: Table {
        var table = Table(
            "containment",
            columns: [.init("distance / median"), "containment", "split-half", "difference", "verdict"])
        for bin in found.bins {
            table.append([
                distance(bin), Cell(bin.containment.between, within: 0...1), .number(bin.containment.splitHalf.mean),
                Cell(bin.containment.difference), bin.finding.map { .text(phrase($0)) } ?? .missing,
            ])
        }
        return table
    }

    private func phrase(_ finding: TangentCurvature.Finding) -> String {
        switch finding {
        case .curved: isNarrow ? "turns" : "curved"
        case .flat: "flat within sampling noise"
        case .undecided: "undecided"
        }
    }

    /// Whether the tangent spaces have, or may have, fewer directions than the points. They may then turn in a flat
    /// set, too.
    private var isNarrow: Bool { isRankCapped || isCut }

    /// Whether local PCA counts more directions than the tangent spaces have.
    private var isCut: Bool { Double(found.dimension) < found.localDimension.median.rounded() }

    /// Whether the patches have too few points for local PCA to count directions.
    private var isRankCapped: Bool { found.localDimension.median > Double(options.k - 1) / 2.5 }

    private func distance(_ bin: TangentCurvature.Bin) -> Cell {
        .interval(value: bin.distance, low: bin.range.lowerBound, high: bin.range.upperBound)
    }

    private var series: [Series] {
        func curves(_ name: String, _ value: (TangentCurvature.Bin) -> TangentCurvature.Comparison) -> [Series] {
            let x = Series.Axis("distance / median")
            let y = Series.Axis(name, unit: "°", range: 0...90)
            func points(_ mean: (TangentCurvature.Comparison) -> PairMean) -> [Series.Point] {
                found.bins.map { bin in
                    let mean = mean(value(bin))
                    return Series.Point(
                        x: bin.distance, y: mean.mean * Self.degrees, low: mean.low.map { max(0, $0) * Self.degrees },
                        high: mean.high.map { min(.pi / 2, $0) * Self.degrees })
                }
            }
            return [
                Series(name, x: x, y: y, points: points(\.between)),
                Series("split-half", x: x, y: y, points: points(\.splitHalf), style: .band),
            ]
        }
        return curves("largest angle", \.largest) + curves("mean angle", \.mean)
    }

    private var notes: [String] {
        var notes = [
            "split-half: the two halves of one patch. All spaces come from halves, \(found.pointsPerSpace) points each,"
                + " and none that are compared share a point; halves are drawn with seed \(options.seed).",
            "distance: of the patches' centres, mean [least, most] of the bin; other brackets: 95 % over"
                + " \(counted(found.regions, "group")) of patches.",
        ]
        if options.dimension == nil, isCut {
            notes.append(
                "Local PCA counts \(NumberFormat.significant(found.localDimension.median)) directions;"
                    + " \(found.dimension) are the most that halves of \(found.pointsPerSpace) points and"
                    + " \(set.width) coordinates allow.")
        }
        if isRankCapped {
            notes.append(
                "Local PCA's count is rank-capped: it cannot exceed \(options.k - 1), and is above 0.4 of that.")
        }
        if found.regions < PairMean.leastGroups {
            notes.append(
                "Too few points for an interval: give a --k below \(max(5, set.count / 8 + 1)), or take more points.")
        }
        if isNarrow, found.bins.contains(where: { $0.finding == .curved }) {
            notes.append(
                "turns, not curved: spaces of fewer directions than the points have follow the density's shape too, in a"
                    + " flat set as in a curved one.")
        }
        return notes
    }
}

extension Cell {
    /// Makes a cell of a mean over pairs with its interval.
    ///
    /// - Parameters:
    ///   - mean: The mean.
    ///   - factor: The number by which the mean is multiplied, such as 180 / π to turn radians into degrees.
    ///   - range: The possible values after the multiplication, at whose ends the interval is cut.
    fileprivate init(
        _ mean: PairMean, factor: Double = 1, within range: ClosedRange<Double> = -.infinity ... .infinity
    ) {
        guard let low = mean.low, let high = mean.high else {
            self = .number(mean.mean * factor)
            return
        }
        self = .interval(
            value: mean.mean * factor, low: max(range.lowerBound, low * factor),
            high: min(range.upperBound, high * factor))
    }
}
