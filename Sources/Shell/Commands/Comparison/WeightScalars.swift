import Checkpoints
import Comparison
import Reports
import TerminalText
import Workbench

/// The scalars that describe a change of weights, each with its null.
enum WeightScalars {
    static func scalars(_ difference: TensorDifference, largestIn tensor: String? = nil) -> [Scalar] {
        let floor = difference.roundingFloor
        var scalars = [
            Scalar(
                "relative change", Cell(difference.relativeChange),
                note: "|B - A|_F / |A|_F" + (floor.map { "; rounding gives \(NumberFormat.significant($0))" } ?? ""),
                null: floor),
            Scalar("change / rounding", Cell(difference.changeOverRounding), note: "null 1", null: 1),
            Scalar(
                "relative gap", Cell(difference.relativeGap), note: "sum|A - B| / (sum|A| + sum|B|); null 0", null: 0),
            Scalar("cosine", Cell(difference.cosine), note: "null 1", null: 1),
            Scalar("1 - cosine", Cell(difference.cosine.map { 1 - $0 }), note: "null 0", null: 0),
            Scalar("changed", .number(difference.changedShare), note: "share of the numbers; null 0", null: 0),
            Scalar(
                "largest change", .number(difference.largestChange),
                note: (tensor.map { "max |B - A|, \($0)" } ?? "max |B - A|") + "; null 0", null: 0),
        ]
        if let rounded = difference.rounded {
            let other = rounded.side == .a ? "B" : "A"
            scalars.append(
                Scalar(
                    "rounded", .number(Double(rounded.count) / Double(max(difference.count, 1))),
                    note: "share of \(rounded.side.rawValue) that is \(other) rounded to \(difference.grain.name)"))
        }
        return scalars
    }
}

/// The notes on two checkpoints whose weights are compared.
enum WeightNotes {
    static func edits(_ pair: CheckpointPair) -> [String] {
        [pair.a, pair.b].filter { !$0.checkpoint.edits.active.isEmpty }.map {
            "The edits in force on \($0.name) are no part of its weights."
        }
    }
}
