import Provenance
import Sites
import TerminalText
import Workbench

extension Session {
    /// Returns the notes on continuations: the seed if tokens were drawn, the rounding of products, and the speed.
    ///
    /// - Parameters:
    ///   - decodings: The continuations of one or several checkpoints.
    ///   - precision: The precision of the products.
    ///   - seconds: The time that decoding took.
    func notes(_ decodings: [Decoding], precision: Precision, seconds: Double) throws -> [String] {
        var notes = seedNotes(decodings)
        for decoding in decodings {
            let rounding = try context().roundingNotes(decoding.source.checkpoint, decoding.ids[0], precision)
            notes += decodings.count == 1 ? rounding : rounding.map { "\(decoding.source.name): \($0)" }
        }
        return notes + speedNotes(decodings, seconds: seconds)
    }

    func seedNotes(_ decodings: [Decoding]) -> [String] {
        guard let first = decodings.first, !first.isGreedy else { return [] }
        return ["seed \(first.seed)"]
    }

    /// Returns the number of new tokens per second if the timer is on, and no note otherwise.
    func speedNotes(_ decodings: [Decoding], seconds: Double) -> [String] {
        guard settings.timer, seconds > 0 else { return [] }
        let tokens = decodings.reduce(0) { $0 + $1.made.newTokens }
        return ["\(NumberFormat.significant(Double(tokens) / seconds)) tokens/s"]
    }

    func recipe(_ decodings: [Decoding], precision: Precision) -> Recipe {
        var recipe = recipe(decodings.map(\.source.checkpoint), precision: precision)
        recipe.seed = decodings.first?.seed ?? settings.seed
        return recipe
    }
}
