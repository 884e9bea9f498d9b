import TerminalText

/// The speed of whole model runs in floating-point operations per second, for each checkpoint.
package struct MeasuredSpeeds {
    private var runs: [String: (operations: Double, seconds: Double)] = [:]

    /// Notes the speed of a model's run of more than 0.1 s. A run with less than a quarter of the operations of the run
    /// that is known of this checkpoint says less and is left out.
    package mutating func note(_ checkpoint: LoadedCheckpoint, operations: Double, seconds: Double) {
        let known = runs[checkpoint.identity]
        guard seconds > 0.1, operations > 0.25 * (known?.operations ?? 0) else { return }
        runs[checkpoint.identity] = (operations, seconds)
    }

    /// Returns the speed, in floating-point operations per second, and the seconds of the checkpoint's last noted run;
    /// nil if there was none.
    package func speed(_ checkpoint: LoadedCheckpoint) -> (perSecond: Double, seconds: Double)? {
        runs[checkpoint.identity].map { ($0.operations / $0.seconds, $0.seconds) }
    }
}

/// The time and the memory that a run will take, estimated before it begins.
package struct RunEstimate {
    /// The number of floating-point operations of the run's matrix products.
    package var operations: Double
    /// The number of sweeps that the run makes, each a pass over all weights.
    package var sweeps: Int
    /// The bytes of weights that each sweep (a pass over all weights) reads.
    package var weightBytes: Int
    /// The most anonymous memory that the run takes, its result included, in bytes.
    package var memoryBytes: Int
    /// The least and the most time that the run may take, in seconds.
    package var low: Double
    package var high: Double
    /// A phrase that names what the estimated time is based on, such as an earlier run or a probe.
    package var source: String

    /// The geometric mean of the least and the most time that the run may take, in seconds.
    package var seconds: Double { (low * high).squareRoot() }

    /// The least and the most time that the run may take, in words such as "12 to 18 min".
    package var range: String { Self.range(low, high) }

    /// Writes a range of seconds in s, min or h with two digits.
    package static func range(_ low: Double, _ high: Double) -> String {
        let (unit, name) = high >= 5400 ? (3600.0, "h") : high >= 90 ? (60.0, "min") : (1.0, "s")
        let numbers = [low, high].map { NumberFormat.significant($0 / unit, digits: 2) }
        return numbers[0] == numbers[1] ? "\(numbers[0]) \(name)" : "\(numbers[0]) to \(numbers[1]) \(name)"
    }
}
