package import Statistics
import TerminalText

/// A claim about a checkpoint and what it was tuned from, with what was measured of it.
package struct Claim {
    /// Why the verdict is what it is.
    package enum Reason {
        /// A sentence without its full stop.
        case found(String)
        /// The claim can't be held against these files.
        case failed(any Error)
    }

    /// The study that shows the whole of what a claim rests on, as its user would ask for it.
    package struct Study {
        package let name: String
        package let operands: [String]
        package let settings: [(name: String, value: String)]
        /// Studies that make what this one is of.
        package let inputs: [Study]

        init(
            _ name: String, _ operands: [String], settings: KeyValuePairs<String, String> = [:], inputs: [Study] = []
        ) {
            self.name = name
            self.operands = operands
            self.settings = settings.map { (name: $0.key, value: $0.value) }
            self.inputs = inputs
        }
    }

    /// The name of its test.
    package internal(set) var name = ""
    /// The claim in a sentence, with its numbers.
    package internal(set) var statement = ""
    /// What was measured, and where.
    package let measure: String
    package let value: Estimate?
    /// What the same measure says where the claim is empty.
    package let null: Estimate?
    package let verdict: Verdict
    package let reason: Reason
    /// Nil where nothing was measured.
    package let study: Study?

    init(
        measure: String = "", value: Estimate? = nil, null: Estimate? = nil, _ verdict: Verdict, because reason: String,
        study: Study? = nil
    ) {
        self.measure = measure
        self.value = value
        self.null = null
        self.verdict = verdict
        self.reason = .found(reason)
        self.study = study
    }

    /// A claim that these files can't be held against.
    init(untestable error: any Error) {
        (measure, value, null, study) = ("", nil, nil, nil)
        verdict = .notTestable
        reason = .failed(error)
    }

    /// Four digits, for a reason.
    static func text(_ value: Double?) -> String { value.map { NumberFormat.significant($0) } ?? "-" }

    /// A value with its interval, for a reason.
    static func text(_ estimate: Estimate?) -> String {
        guard let estimate else { return "-" }
        guard let low = estimate.low, let high = estimate.high else { return text(estimate.value) }
        return NumberFormat.interval(value: estimate.value, low: low, high: high)
    }

    /// `2 to 10`.
    static func text(_ range: ClosedRange<Double>) -> String {
        "\(NumberFormat.significant(range.lowerBound)) to \(NumberFormat.significant(range.upperBound))"
    }
}
