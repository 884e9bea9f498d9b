/// How many of a patch's variances count as dimensions: rules on eigenvalues of its covariance, largest first.
///
/// What the rules read is min(k, D) long for k points of D coordinates, as in skdim.id.lPCA: the eigenvalue 0 that
/// centring leaves when k <= D belongs to it, and moves `maximumGap`, `kaiser` and `brokenStick`.
package enum LocalPCARule: Sendable, Hashable {
    /// Those above `alpha` times the largest (Fukunaga and Olsen 1971).
    case fukunagaOlsen(alpha: Double = 0.05)
    /// A gap above 10, or 80 % of the variance that noise, which is 5 % of all, leaves (Fan et al. 2010).
    case fan
    /// Those before the largest quotient of neighbours, eigenvalues below 10^-12 of the largest counting as so much:
    /// below it lies the rounding of coordinates in float32, and quotients there are accidents.
    case maximumGap
    /// The fewest that hold `share` of the variance.
    case ratio(share: Double = 0.95)
    /// (Σλ)² / Σλ², not an integer.
    case participationRatio
    /// Those above their mean.
    case kaiser
    /// Those at the top above what a stick broken at random would give (Jackson 1993).
    case brokenStick

    /// With their usual parameters.
    package static let all: [LocalPCARule] = [
        .fukunagaOlsen(), .fan, .maximumGap, .ratio(), .participationRatio, .kaiser, .brokenStick,
    ]

    /// The name that tables use.
    package var name: String {
        switch self {
        case .fukunagaOlsen: "FO"
        case .fan: "Fan"
        case .maximumGap: "maxgap"
        case .ratio: "ratio"
        case .participationRatio: "PR"
        case .kaiser: "Kaiser"
        case .brokenStick: "broken stick"
        }
    }

    /// - Parameter eigenvalues: largest first, none negative.
    /// - Throws: `GeometryError` for none, for NaN, for eigenvalues out of order, and if all are 0.
    package func dimension(_ eigenvalues: [Double]) throws -> Double {
        let total = try checkedTotal(ofEigenvalues: eigenvalues)
        switch self {
        case .fukunagaOlsen(let alpha):
            return Double(eigenvalues.count { $0 > alpha * eigenvalues[0] })
        case .fan:
            return try Self.fan(eigenvalues, total: total)
        case .maximumGap:
            return Self.maximumGap(eigenvalues)
        case .ratio(let share):
            var sum = 0.0
            var below = 0
            for value in eigenvalues {
                sum += value
                if sum / total < share { below += 1 }
            }
            // A share of 1 or more is never reached by rounding alone.
            return Double(min(below + 1, eigenvalues.count))
        case .participationRatio:
            // Divided by the largest, so that squares do not overflow.
            let largest = eigenvalues[0]
            let squares = eigenvalues.reduce(0) { $0 + ($1 / largest) * ($1 / largest) }
            return (total / largest) * (total / largest) / squares
        case .kaiser:
            return Double(eigenvalues.count { $0 > total / Double(eigenvalues.count) })
        case .brokenStick:
            return Self.brokenStick(eigenvalues, total: total)
        }
    }

    private static func fan(_ eigenvalues: [Double], total: Double) throws -> Double {
        let count = eigenvalues.count
        var sum = 0.0
        var first = count - 1
        for index in 0..<count {
            sum += eigenvalues[index]
            if sum / total > 0.95 {
                first = index
                break
            }
        }
        // One component holds 95 %: what exceeds the mean of all sums to 0, and skdim decides by the sign of its rounding.
        if first == 0 { return 1 }
        let noise = eigenvalues[first...].reduce(0, +) / Double(count - first)
        let signal = eigenvalues.map { $0 - noise }
        let signalTotal = signal.reduce(0, +)
        var cumulative = 0.0
        for index in 0..<count {
            cumulative += signal[index]
            let gapIsLarge = index + 1 < count && signal[index] / signal[index + 1] > 10
            if gapIsLarge || cumulative / signalTotal > 0.8 { return Double(index + 1) }
        }
        // Equal eigenvalues leave no signal.
        throw GeometryError.unresolved(estimator: "Fan's rule", points: count)
    }

    private static func maximumGap(_ eigenvalues: [Double]) -> Double {
        let least = eigenvalues[0] * 1e-12
        var (largest, place) = (-Double.infinity, 1)
        for index in 0..<(eigenvalues.count - 1) {
            let gap = max(eigenvalues[index], least) / max(eigenvalues[index + 1], least)
            if gap > largest { (largest, place) = (gap, index + 1) }
        }
        return Double(place)
    }

    private static func brokenStick(_ eigenvalues: [Double], total: Double) -> Double {
        let count = eigenvalues.count
        // Summed as skdim does, so that what lies at the edge falls on the same side.
        for index in 0..<count {
            var piece = 0.0
            for place in index..<count { piece += 1 / Double(place + 1) }
            if piece / Double(count) > eigenvalues[index] / total { return Double(index) }
        }
        return 0
    }
}

/// Σλ of eigenvalues that must be finite, not negative, largest first and not all 0.
func checkedTotal(ofEigenvalues eigenvalues: [Double]) throws -> Double {
    guard !eigenvalues.isEmpty else { throw GeometryError.tooFewPoints(found: 0, needed: 2) }
    var before = Double.infinity
    var total = 0.0
    for (index, value) in eigenvalues.enumerated() {
        guard value.isFinite, value >= 0, value <= before else { throw GeometryError.badEigenvalue(index: index) }
        before = value
        total += value
    }
    guard total > 0 else { throw GeometryError.noVariance }
    guard total.isFinite else { throw GeometryError.badEigenvalue(index: 0) }
    return total
}
