import Comparison
import Reports

extension LogitsComparison {
    /// Returns the mean of a measure of divergence, in nats, with its interval over prompts; missing where it has no value.
    func cell(_ measure: (Divergence) -> Double?) -> Cell {
        mean(measure).map { Cell($0, within: 0 ... .infinity) } ?? .missing
    }

    /// The share of positions with the same likeliest token, with its interval over prompts.
    var topCell: Cell { mean { $0.agrees ? 1 : 0 }.map { Cell($0, within: 0...1) } ?? .missing }
}
