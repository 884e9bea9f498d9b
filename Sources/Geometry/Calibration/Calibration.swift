package import Control
package import LinearAlgebra
import Statistics

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// What each estimator says of flat Gaussians and spheres of known dimension with as many points: the map from a raw
/// number to the dimension that it speaks for.
///
/// A rigid embedding changes no distance, so samples are drawn in as few coordinates as hold them; D only ends the grid.
package struct Calibration: Sendable, Equatable {
    /// N: points of each sample.
    package let count: Int
    /// Dimensions that were sampled, ascending.
    package let dimensions: [Int]
    /// [dimension]: geometric mean of the raw estimates over the samples; nil where there was none.
    package let raw: [DimensionEstimator: [Double?]]

    package init(count: Int, dimensions: [Int], raw: [DimensionEstimator: [Double?]]) {
        self.count = count
        self.dimensions = dimensions
        self.raw = raw
    }

    /// Samples of each family at each dimension.
    package static let repetitions = 2
    /// Patches of a sample that are read: what they say is averaged over samples too.
    package static let patchLimit = 300
    /// Samples of more dimensions have no spectrum measured, which takes time with the cube and follows the last line.
    package static let spectrumLimit = 1024
    /// Points of more coordinates than this are calibrated by lines beyond it.
    package static let largestDimension = 16_384

    /// The dimensions that are sampled for points of so many coordinates: steps of about a quarter, the last at or above
    /// `width`. They are the same for every width but for their end, so that what one needs another can use.
    package static func grid(width: Int) -> [Int] {
        var result = [1]
        var next = 2.0
        while result[result.count - 1] < min(width, largestDimension) {
            result.append(Int(next.rounded()))
            next = max(next + 1, next * 1.25)
        }
        return result
    }

    /// Measures the samples.
    ///
    /// - Parameters:
    ///   - count: N.
    ///   - width: D, at least 1.
    ///   - known: of the same N and seed, whose samples are not measured again.
    ///   - seed: of the samples.
    /// - Throws: `GeometryError`, `CancellationError`.
    package init(
        count: Int, width: Int, extending known: Calibration? = nil,
        estimators: [DimensionEstimator] = DimensionEstimator.calibrated, seed: UInt64 = 0, pool: ThreadPool,
        control: RunControl
    ) throws {
        let dimensions = Self.grid(width: width)
        let known = known?.count == count && estimators.allSatisfy { known?.raw[$0] != nil } ? known : nil
        let done = known?.dimensions.count ?? 0
        guard done < dimensions.count else {
            self = known!
            return
        }
        var raw: [DimensionEstimator: [Double?]] = [:]
        for estimator in estimators { raw[estimator] = known?.raw[estimator] ?? [] }
        let quiet = control.silent
        for (place, dimension) in dimensions.enumerated().dropFirst(done) {
            control.report(done: place - done, total: dimensions.count - done, unit: "calibration samples")
            let measured = dimension > Self.spectrumLimit ? estimators.filter { !$0.readsSpectrum } : estimators
            var logs: [DimensionEstimator: [Double]] = [:]
            for family in PlantedSample.allCases {
                for repetition in 0..<Self.repetitions {
                    var random = SeededRandom(seed: seed, stream: dimension, family == .sphere ? 1 : 0, repetition)
                    let points = family.points(dimension: dimension, count: count, random: &random)
                    let profile = try DimensionProfile(
                        PointSet(points), estimators: measured, patchLimit: Self.patchLimit, pool: pool,
                        control: quiet)
                    for (estimator, value) in profile.values where value > 0 {
                        // A sphere fills one linear dimension more than its own.
                        if estimator.neighbours == 0, family == .sphere { continue }
                        logs[estimator, default: []].append(log(value))
                    }
                }
            }
            for estimator in estimators {
                let values = logs[estimator] ?? []
                raw[estimator]?.append(values.isEmpty ? nil : exp(values.reduce(0, +) / Double(values.count)))
            }
        }
        self.count = count
        self.dimensions = dimensions
        self.raw = raw
    }

    /// ln of dimension and of raw estimate, strictly rising: where samples fall or level off, neighbours are pooled
    /// (Ayer et al. 1955), and the lowest dimension stands for all.
    private func curve(_ estimator: DimensionEstimator) -> [(x: Double, y: Double)] {
        var blocks: [(sum: Double, count: Double, place: Int)] = []
        for (place, value) in (raw[estimator] ?? []).enumerated() {
            guard let value, value > 0 else { continue }
            blocks.append((log(value), 1, place))
            while blocks.count > 1 {
                let (before, last) = (blocks[blocks.count - 2], blocks[blocks.count - 1])
                guard before.sum / before.count >= last.sum / last.count - 1e-6 else { break }
                blocks.removeLast(2)
                blocks.append((before.sum + last.sum, before.count + last.count, before.place))
            }
        }
        return blocks.map { (log(Double(dimensions[$0.place])), $0.sum / $0.count) }
    }

    /// The dimension that a raw estimate speaks for: between samples by straight lines of logarithms, beyond the last by
    /// the last line, to four times the last dimension at most.
    ///
    /// - Returns: nil where the estimator was not calibrated.
    package func dimension(_ estimator: DimensionEstimator, raw value: Double) -> Double? {
        let points = curve(estimator)
        guard points.count >= 2, value > 0, value.isFinite else { return nil }
        let y = log(value)
        if y <= points[0].y { return exp(points[0].x + (y - points[0].y)) }
        let upper = points.firstIndex { $0.y >= y } ?? points.count - 1
        let (a, b) = (points[upper - 1], points[upper])
        return exp(min(a.x + (y - a.y) / (b.y - a.y) * (b.x - a.x), points[points.count - 1].x + log(4)))
    }

    /// What an estimator says of independent Gaussian coordinates that fill all D: the ceiling of white noise.
    package func whiteNoise(_ estimator: DimensionEstimator, width: Int) -> Double? {
        let points = curve(estimator)
        guard points.count >= 2, width >= 1 else { return nil }
        let x = log(Double(width))
        let upper = points.firstIndex { $0.x >= x } ?? points.count - 1
        guard upper > 0 else { return exp(points[0].y) }
        let (a, b) = (points[upper - 1], points[upper])
        return exp(a.y + (x - a.x) / (b.x - a.x) * (b.y - a.y))
    }
}

extension Calibration {
    private static let heading = "nacre calibration 2"

    /// Lines of text that `init(text:)` reads back to the same bits.
    package var text: String {
        var lines = [
            Self.heading, "points\t\(count)", "dimension\t" + dimensions.map(String.init).joined(separator: "\t"),
        ]
        for estimator in DimensionEstimator.calibrated {
            guard let curve = raw[estimator] else { continue }
            lines.append(estimator.name + "\t" + curve.map { $0.map { "\($0)" } ?? "-" }.joined(separator: "\t"))
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// - Returns: nil for anything that `text` does not write.
    package init?(text: String) {
        let lines = text.split(separator: "\n").map { $0.split(separator: "\t").map(String.init) }
        guard lines.count > 3, lines[0] == [Self.heading], lines[1].count == 2, lines[1][0] == "points",
            let count = Int(lines[1][1]), count > 1, lines[2].first == "dimension"
        else { return nil }
        let dimensions = lines[2].dropFirst().compactMap { Int($0) }
        guard dimensions.count == lines[2].count - 1, let last = dimensions.last, last <= 2 * Self.largestDimension,
            dimensions == Self.grid(width: last)
        else { return nil }
        var raw: [DimensionEstimator: [Double?]] = [:]
        for line in lines[3...] {
            guard let estimator = DimensionEstimator.calibrated.first(where: { $0.name == line.first }),
                line.count == dimensions.count + 1
            else { return nil }
            var curve: [Double?] = []
            for word in line.dropFirst() {
                if word == "-" {
                    curve.append(nil)
                } else if let value = Double(word), value.isFinite, value > 0 {
                    curve.append(value)
                } else {
                    return nil
                }
            }
            raw[estimator] = curve
        }
        self.init(count: count, dimensions: dimensions, raw: raw)
    }
}
