/// The number of successes in a number of independent trials.
package struct Proportion: Sendable, Equatable {
    package let successes: Int
    package let trials: Int

    /// The quantile at 0.975 of the standard normal distribution, the z of two-sided 95 % intervals.
    package static let z95 = 1.959963984540054

    package init(successes: Int, trials: Int) {
        precondition(0 <= successes && successes <= trials, "\(successes) successes of \(trials)")
        self.successes = successes
        self.trials = trials
    }

    package init(_ outcomes: some Sequence<Bool>) {
        var successes = 0
        var trials = 0
        for outcome in outcomes {
            trials += 1
            if outcome { successes += 1 }
        }
        self.init(successes: successes, trials: trials)
    }

    /// The share p = successes / trials, 0 to 1; nil without trials.
    package var value: Double? { trials == 0 ? nil : Double(successes) / Double(trials) }

    /// Returns Wilson's 95 % score interval of the share of successes: all shares that a test at z = z95 would not
    /// reject; nil without trials.
    ///
    /// With n trials and share p the interval is (p + z²/2n ± z √(p(1 - p)/n + z²/4n²)) / (1 + z²/n). Unlike p ± z
    /// √(p(1 - p)/n) it stays within 0...1 and has a width at p = 0 and p = 1. (Wilson 1927, J. Am. Stat. Assoc. 22,
    /// 209-212; Brown, Cai and DasGupta 2001.)
    package func wilsonInterval() -> ClosedRange<Double>? {
        guard let p = value else { return nil }
        let z = Self.z95
        let n = Double(trials)
        let centre = p + z * z / (2 * n)
        let half = z * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
        let scale = 1 + z * z / n
        // At the ends the two terms are equal but for their rounding.
        let low = successes == 0 ? 0 : max(0, (centre - half) / scale)
        let high = successes == trials ? 1 : min(1, (centre + half) / scale)
        return low...high
    }
}
