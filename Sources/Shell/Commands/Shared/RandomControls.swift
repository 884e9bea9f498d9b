import Directions
import Language
import TerminalText

/// Reads random controls from the text of an option: `random:20` stands for 20 random controls that are drawn with the
/// covariance of the activations, `isotropic:20` for 20 of which every direction is equally likely. On a path by
/// weights, `random:20` stands for 20 random changes of the weights.
extension RandomControls {
    /// The words that completion offers.
    static let words = ["random:20", "isotropic:20"]

    /// Reads the controls from an option's text. A kind without a number stands for 20 controls, and `0` for none.
    ///
    /// - Throws: `CommandError` if the text is neither a kind with a number from 0 to 1000 nor `0`.
    init(_ text: String) throws {
        guard text != "0" else {
            self = .none
            return
        }
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let kind = parts.first.flatMap({ Kind(rawValue: String($0)) }),
            let count = parts.count == 1 ? 20 : Int(parts[1]), (0...1000).contains(count)
        else {
            throw CommandError(
                "--against can't be \(text.escapedForTerminal)",
                remedy: "give random:N or isotropic:N, N from 0 to 1000", exitCode: 2)
        }
        self.init(kind: kind, count: count)
    }
}
