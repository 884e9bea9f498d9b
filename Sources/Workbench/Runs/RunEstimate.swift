import TerminalText

/// Floating-point operations a second of whole runs, by checkpoint.
package struct MeasuredSpeeds {
    private var runs: [String: (operations: Double, seconds: Double)] = [:]

    /// Notes a run. One that is much shorter than the one known says less and is left out.
    package mutating func note(_ checkpoint: LoadedCheckpoint, operations: Double, seconds: Double) {
        let known = runs[checkpoint.identity]
        guard seconds > 0.1, operations > 0.25 * (known?.operations ?? 0) else { return }
        runs[checkpoint.identity] = (operations, seconds)
    }

    /// What the last run of any length to speak of showed; nil if there was none.
    package func speed(_ checkpoint: LoadedCheckpoint) -> (perSecond: Double, seconds: Double)? {
        runs[checkpoint.identity].map { ($0.operations / $0.seconds, $0.seconds) }
    }
}

/// What a run will take, before it begins.
package struct RunEstimate {
    /// Of matrix products.
    package var operations: Double
    package var sweeps: Int
    /// Bytes of weights that each sweep reads.
    package var weightBytes: Int
    /// The most anonymous memory it takes, its result included.
    package var memoryBytes: Int
    /// Seconds.
    package var low: Double
    package var high: Double
    /// What the time is judged by.
    package var source: String

    /// The middle of the range, in ratio.
    package var seconds: Double { (low * high).squareRoot() }

    /// "12 to 18 min"
    package var range: String { Self.range(low, high) }

    package static func range(_ low: Double, _ high: Double) -> String {
        let (unit, name) = high >= 5400 ? (3600.0, "h") : high >= 90 ? (60.0, "min") : (1.0, "s")
        let numbers = [low, high].map { NumberFormat.significant($0 / unit, digits: 2) }
        return numbers[0] == numbers[1] ? "\(numbers[0]) \(name)" : "\(numbers[0]) to \(numbers[1]) \(name)"
    }
}
