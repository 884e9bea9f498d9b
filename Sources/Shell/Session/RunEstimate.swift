import Reports

/// Floating-point operations a second of whole runs, by checkpoint.
struct MeasuredSpeeds {
    private var runs: [String: (operations: Double, seconds: Double)] = [:]

    /// Notes a run. One that is much shorter than the one known says less and is left out.
    mutating func note(_ checkpoint: LoadedCheckpoint, operations: Double, seconds: Double) {
        let known = runs[checkpoint.identity]
        guard seconds > 0.1, operations > 0.25 * (known?.operations ?? 0) else { return }
        runs[checkpoint.identity] = (operations, seconds)
    }

    /// What the last run of any length to speak of showed; nil if there was none.
    func speed(_ checkpoint: LoadedCheckpoint) -> (perSecond: Double, seconds: Double)? {
        runs[checkpoint.identity].map { ($0.operations / $0.seconds, $0.seconds) }
    }
}

/// What a run will take, before it begins.
struct RunEstimate {
    /// Of matrix products.
    var operations: Double
    var sweeps: Int
    /// Bytes of weights that each sweep reads.
    var weightBytes: Int
    /// The most anonymous memory it takes, its result included.
    var memoryBytes: Int
    /// Seconds.
    var low: Double
    var high: Double
    /// What the time is judged by.
    var source: String

    /// The middle of the range, in ratio.
    var seconds: Double { (low * high).squareRoot() }

    /// "12 to 18 min"
    var range: String { Self.range(low, high) }

    static func range(_ low: Double, _ high: Double) -> String {
        let (unit, name) = high >= 5400 ? (3600.0, "h") : high >= 90 ? (60.0, "min") : (1.0, "s")
        let numbers = [low, high].map { NumberFormat.significant($0 / unit, digits: 2) }
        return numbers[0] == numbers[1] ? "\(numbers[0]) \(name)" : "\(numbers[0]) to \(numbers[1]) \(name)"
    }

    var scalars: [Scalar] {
        [
            Scalar("operations", .number(operations * 1e-9), unit: "GFLOP", note: "of matrix products"),
            Scalar(
                "weights read", .text(NumberFormat.bytes(weightBytes)),
                note: sweeps == 1 ? "in one sweep" : "in each of \(sweeps) sweeps"),
            Scalar("memory", .text(NumberFormat.bytes(memoryBytes)), note: "at most"),
            Scalar(
                "time", .interval(value: seconds, low: low, high: high), unit: "s",
                note: "\(range), judged by \(source)"),
        ]
    }
}
