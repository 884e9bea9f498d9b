import Language
import Geometry
import Reports
import TerminalText
import Workbench

/// The report of `manifold`: one row for each of several sets, or the estimators of a single set.
struct ManifoldReport {
    let report: Report

    private static let intervalNote = "Intervals are 90 %."

    init(
        _ measured: [ManifoldRun.Measured], unmeasured: [ManifoldRun.Unmeasured], claim: ClosedRange<Double>?,
        isWithoutRogue: Bool, _ session: Session
    ) {
        var report =
            measured.count == 1 && unmeasured.isEmpty
            ? Self.one(measured[0], claim) : Self.several(measured, claim, session)
        for set in unmeasured.prefix(4) {
            let name = [set.set.name, set.set.group].compactMap { $0 }.joined(separator: ", ")
            report.notes.append("Not measured: \(name.escapedForTerminal): \(CommandError.words(set.error)).")
        }
        if unmeasured.count > 4 { report.notes.append("Not measured: \(unmeasured.count - 4) more.") }
        if isWithoutRogue { report.notes.append("Without the three coordinates of largest variance.") }
        let fewest = measured.map(\.measurement.count).min() ?? 0
        if fewest < 2000 {
            report.notes.append(
                "\(fewest) distinct points: fewer than 2,000; intervals are the wider for what halves of them vary.")
        }
        if let sampled = measured.first(where: { $0.measurement.count + $0.measurement.duplicates < $0.rows }) {
            report.notes.append("\(sampled.measurement.count) points of \(sampled.rows) rows, drawn with the seed.")
        }
        let unresolved = measured.count { $0.measurement.estimate.isUnresolved }
        if unresolved > 0 {
            let what = measured.count == 1 ? "" : " of \(unresolved) of \(measured.count) sets"
            report.notes.append(
                "global scale: the curvature between neighbours is unresolved. The 100 nearest reach as far as most points do,"
                    + " so that a bent set of half the dimensions would look the same; the lower end\(what) reaches down towards it."
            )
        }
        if let limited = measured.first(where: { $0.measurement.isRankLimited })?.measurement.profile.spectrum {
            report.notes.append(
                "\(limited.count) points span at most \(limited.count - 1) dimensions: d99 and the linear rank cannot say more."
            )
        }
        if let tied = measured.map(\.measurement.tieShare).max(), tied > 0.02 {
            report.notes.append(
                "Up to \(Self.percent(tied)) of the points have two nearest neighbours at one distance, as on a grid or after"
                    + " rounding; estimators by distance do not expect that.")
        }
        self.report = report
    }

    // MARK: One set

    private static func one(_ measured: ManifoldRun.Measured, _ claim: ClosedRange<Double>?) -> Report {
        let m = measured.measurement
        let surrogate = m.surrogate
        var scalars = [
            Scalar("dimension", interval(m.estimate), note: "90 %; hull of estimators \(span(m.estimate.hull))")
        ]
        if let rest = measured.withoutRogue {
            scalars.append(
                Scalar(
                    "without rogue", interval(rest.estimate),
                    note:
                        "without the 3 coordinates that hold \(percent(m.rogueShare)) of the variance; same surrogates")
            )
        }
        scalars.append(Scalar("structure", .text(m.structure.rawValue)))
        if let claim {
            scalars.append(Scalar("claim \(span(claim))", .text(m.finding(on: claim).rawValue)))
        }
        let spread = surrogate.nullSpread
        scalars += [
            Scalar(
                "surrogate ratio", .number(surrogate.ratio),
                note: "null \(NumberFormat.significant(surrogate.nullRatio)) "
                    + "[\(NumberFormat.significant(spread.lowerBound)), \(NumberFormat.significant(spread.upperBound))]",
                null: surrogate.nullRatio),
            Scalar(
                "TwoNN, raw", .number(surrogate.points),
                note: "white noise "
                    + "\(m.whiteNoise.map { NumberFormat.significant($0) } ?? "-"), Gaussian of the same covariance "
                    + NumberFormat.significant(surrogate.surrogate), null: m.whiteNoise),
        ]
        if let linear = m.profile.spectrum?.linear {
            scalars.append(
                Scalar("linear rank", .integer(m.rank), note: "d90 \(linear.d90), d95 \(linear.d95), d99 \(linear.d99)")
            )
        }
        scalars.append(Scalar("exact duplicates dropped", .integer(m.duplicates)))
        return Report(
            title: title(measured.set, m.count, m.width), scalars: scalars, tables: [estimators(m)],
            series: scale(m),
            notes: [
                "calibrated: the dimension at which flat and spherical samples of as many points give this number;"
                    + " white noise: the number for Gaussian noise in all \(m.width) coordinates."
            ])
    }

    private static func estimators(_ m: ManifoldMeasurement) -> Table {
        var table = Table(
            "estimators", columns: ["estimator", "name", "raw", "calibrated", "white noise", "r_k/median", "note"])
        for estimator in DimensionEstimator.calibrated {
            let raw = m.profile.values[estimator]
            let note = note(estimator, m.profile)
            table.append([
                .text(estimator.title), .text(estimator.name), Cell(raw), Cell(m.calibrated[estimator]),
                Cell(m.noise[estimator]),
                Cell(m.profile.locality[estimator.neighbours]), .text(note),
            ])
        }
        return table
    }

    /// Returns the reason why an estimator has no number, or a note that its number is near its cap. The text is empty
    /// otherwise.
    static func note(_ estimator: DimensionEstimator, _ profile: DimensionProfile) -> String {
        if let value = profile.values[estimator], let cap = estimator.cap, estimator.isCapped(value) {
            return "rank-capped at \(cap)"
        }
        return profile.failures[estimator].map { "\($0)" } ?? ""
    }

    /// Returns curves of the calibrated dimension by scale, which is the mean distance to the farthest neighbour that
    /// an estimator reads.
    private static func scale(_ m: ManifoldMeasurement) -> [Series] {
        let x = Series.Axis("distance to the k-th neighbour / median distance", isLogarithmic: true)
        let y = Series.Axis("dimension, calibrated", isLogarithmic: true)
        func series(_ name: String, _ estimators: [DimensionEstimator]) -> Series {
            Series(
                name, x: x, y: y,
                points: estimators.compactMap { estimator in
                    guard let scale = m.profile.locality[estimator.neighbours], let value = m.calibrated[estimator]
                    else { return nil }
                    return .init(x: scale, y: value)
                }.sorted { $0.x < $1.x })
        }
        let curves = [
            series("local participation ratio", [25, 50, 100, 300].map { .localParticipationRatio(k: $0) }),
            series("TwoNN and GRIDE", [.twoNN] + [2, 4, 8, 16, 32, 64].map { .gride(near: $0) }),
        ].filter { $0.points.count > 1 }
        let scales = curves.flatMap { $0.points.map(\.x) }
        guard let first = scales.min(), let last = scales.max(), first < last else { return [] }
        return curves + [
            Series("combined, 90 %", x: x, y: y, range: m.estimate.interval, across: first...last)
        ]
    }

    // MARK: Several sets

    private static func several(
        _ measured: [ManifoldRun.Measured], _ claim: ClosedRange<Double>?, _ session: Session
    ) -> Report {
        let isGrouped = measured.contains { $0.set.group != nil }
        // The column appears only where it is informative. Elsewhere its numbers are nearly those of the column before.
        let hasRogue = measured.contains { one in
            one.withoutRogue.map { abs($0.estimate.value / one.measurement.estimate.value - 1) > 0.1 } ?? false
        }
        var columns: [Table.Column] = [.init("site")]
        if isGrouped { columns.append("group") }
        columns += ["N", "local PCA", "dimension"]
        if hasRogue { columns.append("without rogue") }
        columns += ["TwoNN", "ratio", "null", "structure"]
        if let claim { columns.append(.init("claim \(span(claim))")) }
        var table = Table("dimension", columns: columns)
        for one in measured {
            let m = one.measurement
            var row: [Cell] = [.text(one.set.name)]
            if isGrouped { row.append(.text(one.set.group ?? "")) }
            row += [.integer(m.count), Cell(localPCA(m)), interval(m.estimate)]
            if hasRogue { row.append(one.withoutRogue.map { .number($0.estimate.value) } ?? .missing) }
            let spread = m.surrogate.nullSpread
            row += [
                Cell(m.calibrated[.twoNN]), .number(m.surrogate.ratio),
                .interval(value: m.surrogate.nullRatio, low: spread.lowerBound, high: spread.upperBound),
                .text(m.structure.rawValue),
            ]
            if let claim { row.append(.text(m.finding(on: claim).rawValue)) }
            table.append(row)
        }
        let isASCII = session.pictureOptions(isColored: false).isASCII
        var scalars = [
            Scalar(
                isGrouped ? "by group" : "by site",
                .text(Sparkline.text(measured.map { $0.measurement.estimate.value }, isASCII: isASCII)),
                note:
                    "dimension, from \(NumberFormat.significant(measured.map { $0.measurement.estimate.value }.min() ?? 0))"
                    + " to \(NumberFormat.significant(measured.map { $0.measurement.estimate.value }.max() ?? 0))")
        ]
        let dropped = measured.map(\.measurement.duplicates)
        if let most = dropped.max(), most > 0 {
            scalars.append(Scalar("exact duplicates dropped", .integer(most), note: "at most, of one site"))
        }
        return Report(
            scalars: scalars, tables: [table], series: bySite(measured, claim),
            notes: [
                "local PCA (- where its 100 neighbours cap it), TwoNN: calibrated. ratio: TwoNN over that of a Gaussian of the same covariance, null: its 90 % under"
                    + " that Gaussian. \(intervalNote)"
            ])
    }

    /// Returns the calibrated dimension by local PCA. It is nil where the number is near its cap and only means "many".
    private static func localPCA(_ m: ManifoldMeasurement) -> Double? {
        let estimator = DimensionEstimator.localPCA(k: 100)
        guard let raw = m.profile.values[estimator], !estimator.isCapped(raw) else { return nil }
        return m.calibrated[estimator]
    }

    private static func bySite(_ measured: [ManifoldRun.Measured], _ claim: ClosedRange<Double>?) -> [Series] {
        guard !measured.contains(where: { $0.set.group != nil }) else { return [] }
        let x = Series.Axis("site, in the order of the table")
        let y = Series.Axis("dimension", isLogarithmic: true)
        func curve(_ name: String, _ value: (ManifoldMeasurement) -> Double?) -> Series {
            Series(
                name, x: x, y: y,
                points: measured.enumerated().compactMap { place, one in
                    value(one.measurement).map { .init(x: Double(place), y: $0) }
                })
        }
        var estimate = Series("combined, 90 %", x: x, y: y)
        var null = Series("TwoNN were it Gaussian, calibrated", x: x, y: y, style: .band)
        for (place, one) in measured.enumerated() {
            let m = one.measurement
            estimate.points.append(
                .init(
                    x: Double(place), y: m.estimate.value, low: m.estimate.interval.lowerBound,
                    high: m.estimate.interval.upperBound))
            if let band = m.surrogateDimensions {
                null.points.append(
                    .init(
                        x: Double(place), y: (band.lowerBound * band.upperBound).squareRoot(), low: band.lowerBound,
                        high: band.upperBound))
            }
        }
        var series = [
            estimate, curve("local PCA, calibrated", localPCA),
            curve("TwoNN, calibrated") { $0.calibrated[.twoNN] }, null,
        ]
        if let claim, measured.count > 1 {
            series.append(
                Series("claim \(span(claim))", x: x, y: y, range: claim, across: 0...Double(measured.count - 1)))
        }
        return series
    }

    // MARK: Words

    static func title(_ set: MeasuredSet, _ count: Int, _ width: Int) -> String {
        let name = [set.name, set.group].compactMap { $0 }.joined(separator: ", ")
        return "\(name), N = \(count), D = \(width)"
    }

    private static func interval(_ estimate: CombinedEstimate) -> Cell {
        .interval(value: estimate.value, low: estimate.interval.lowerBound, high: estimate.interval.upperBound)
    }

    private static func span(_ range: ClosedRange<Double>) -> String {
        "\(NumberFormat.significant(range.lowerBound))..\(NumberFormat.significant(range.upperBound))"
    }

    static func percent(_ share: Double) -> String { "\(NumberFormat.significant(100 * share, digits: 3)) %" }
}
