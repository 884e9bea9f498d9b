import LinearAlgebra
import Models
package import Sites
import TerminalText

extension RunContext {
    /// Measures how far matrix products in bf16 carry the model's logits from the reference in f32: both are run on the
    /// beginning of one prompt.
    ///
    /// - Parameter ids: the tokens of a prompt; of a long one the first 63 are run.
    /// - Returns: notes for reports on the error; none for f32, the reference itself.
    package func roundingNotes(_ checkpoint: LoadedCheckpoint, _ ids: [Int32], _ precision: Precision) throws
        -> [String]
    {
        guard precision != .f32 else { return [] }
        let head = Array(ids.prefix(63))
        let key = RoundedHead(
            checkpoint: checkpoint.identity, edits: checkpoint.edits.identity, head: head, precision: precision)
        if let known = history.roundings[key] { return [known] }
        func answer(_ precision: Precision) throws -> Distribution {
            try self.answer(checkpoint, after: head, choices: RunChoices(memory: nil, precision: precision))
        }
        let (exact, rounded) = (try answer(.f32), try answer(precision))
        let error = zip(exact.logits, rounded.logits).reduce(0.0) { max($0, Double(abs($1.0 - $1.1))) }
        let place = head.count < ids.count ? "token \(head.count) of the first prompt" : "the first prompt's last token"
        let note =
            "\(precision.rawValue): at \(place) logits differ from f32's by at most"
            + " \(NumberFormat.significant(error, digits: 2)),"
            + " KL \(NumberFormat.significant(exact.divergence(from: rounded), digits: 2)) nats"
        history.roundings[key] = note
        return [note]
    }
}

/// What a note on rounding errors is about (checkpoint, edits, first tokens, precision), by which the session finds the
/// note again.
package struct RoundedHead: Hashable {
    package let checkpoint: String
    package let edits: String
    package let head: [Int32]
    package let precision: Precision
}
