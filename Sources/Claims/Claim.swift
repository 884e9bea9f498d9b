package import Statistics
import TerminalText

/// The outcome of testing a claim about a checkpoint and the base that it was tuned from: what was measured, and the
/// verdict.
package struct Claim {
    /// The reason for the verdict on a claim.
    package enum Reason {
        /// The finding that the verdict rests on, a sentence without its full stop.
        case found(String)
        /// The claim can't be tested on these files, because of this error.
        case failed(any Error)
    }

    /// The study that shows in full what a claim rests on, as its user would ask for it.
    package struct Study {
        /// The name of the command that makes the study.
        package let name: String
        package let operands: [String]
        package let settings: [(name: String, value: String)]
        /// The studies whose results are this one's inputs.
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

    /// The name of the claim's test, such as `basin-dimension`.
    package internal(set) var name = ""
    /// The claim in a sentence, with its numbers.
    package internal(set) var statement = ""
    /// A phrase that says what was measured to test the claim, and where.
    package let measure: String
    /// The value that was measured to test the claim, with its interval; nil if nothing was measured.
    package let value: Estimate?
    /// The value that the measure has if the claim is not true (the null hypothesis); nil if there is none.
    package let null: Estimate?
    package let verdict: Verdict
    package let reason: Reason
    /// The study that shows in full what the verdict rests on; nil if nothing was measured.
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

    /// Makes the outcome for a claim that can't be tested on these files, because of this error.
    init(untestable error: any Error) {
        (measure, value, null, study) = ("", nil, nil, nil)
        verdict = .notTestable
        reason = .failed(error)
    }

    /// Writes a value with four digits, for the sentence that gives a verdict's reason.
    static func text(_ value: Double?) -> String { value.map { NumberFormat.significant($0) } ?? "-" }

    /// Writes a value with its interval, for the sentence that gives a verdict's reason.
    static func text(_ estimate: Estimate?) -> String {
        guard let estimate else { return "-" }
        guard let low = estimate.low, let high = estimate.high else { return text(estimate.value) }
        return NumberFormat.interval(value: estimate.value, low: low, high: high)
    }

    /// Writes a range such as `2 to 10`, for claims and reasons.
    static func text(_ range: ClosedRange<Double>) -> String {
        "\(NumberFormat.significant(range.lowerBound)) to \(NumberFormat.significant(range.upperBound))"
    }
}
