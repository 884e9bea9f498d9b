#if canImport(Glibc)
    @preconcurrency internal import Glibc
#else
    internal import Darwin
#endif

/// Round numbers on an axis.
enum Ticks {
    /// Where a value stands between two ends, from 0 to 1; 0 if that can't be said.
    static func share(_ value: Double, _ low: Double, _ high: Double) -> Double {
        let span = high - low
        // The difference of two large numbers may be infinite, half of the smallest is nothing.
        let share = span.isFinite ? (value - low) / span : (value / 2 - low / 2) / (high / 2 - low / 2)
        return share.isNaN ? 0 : min(max(share, 0), 1)
    }

    /// Multiples of 1, 2 or 5 times a power of ten between two numbers, about `count` of them.
    static func between(_ low: Double, _ high: Double, count: Int) -> [Double] {
        let span = high - low
        guard span > 0, span.isFinite, count > 0 else { return [] }
        let raw = span / Double(count)
        let power = pow(10, log10(raw).rounded(.down))
        guard power > 0, power.isFinite else { return [] }
        let step = ([1, 2, 5].first { $0 * power >= raw * 0.7 } ?? 10) * power
        let first = (low / step - 1e-9).rounded(.up)
        let last = (high / step + 1e-9).rounded(.down)
        // A span that is tiny beside its ends has no multiples that could be told apart.
        guard last >= first, last - first < 100, first.magnitude < 1e9 else { return [low, high] }
        return stride(from: first, through: last, by: 1).map { $0 * step }
    }

    /// Where a value stands on an axis, from 0 to 1.
    static func share(_ value: Double, _ range: ClosedRange<Double>, isLogarithmic: Bool) -> Double {
        guard isLogarithmic else { return share(value, range.lowerBound, range.upperBound) }
        guard value > 0 else { return 0 }
        return share(log10(value), log10(range.lowerBound), log10(range.upperBound))
    }

    /// Round numbers on an axis, about `count` of them.
    static func on(_ range: ClosedRange<Double>, isLogarithmic: Bool, count: Int) -> [Double] {
        let (low, high) = (range.lowerBound, range.upperBound)
        guard isLogarithmic, low > 0, high / low >= 5 else { return between(low, high, count: count) }
        let first = Int(log10(low).rounded(.down))
        let last = Int(log10(high).rounded(.up))
        func inside(_ factors: [Double], every step: Int = 1) -> [Double] {
            stride(from: first, through: last, by: step).flatMap { power in factors.map { $0 * pow(10, Double(power)) }
            }
            .filter { (low * (1 - 1e-9)...high * (1 + 1e-9)).contains($0) }
        }
        let fine = inside([1, 2, 5])
        if fine.count <= 2 * count { return fine }
        let decades = inside([1])
        return decades.count <= 2 * count ? decades : inside([1], every: (last - first) / max(count, 1) + 1)
    }

    /// Every how many of `count` equal cells a label fits.
    ///
    /// - Parameters:
    ///   - size: of a cell, in the unit of `label`.
    ///   - label: the space that the longest label takes, its distance to the next included.
    static func step(count: Int, size: Double, label: Double) -> Int {
        let needed = label / max(size, 1e-9)
        var power = 1
        while power <= max(count, 1) {
            for factor in [1, 2, 5] where Double(factor * power) >= needed { return factor * power }
            power *= 10
        }
        return power
    }
}
