import Language
import TerminalText

/// How many random directions stand beside those of edits, and of which kind: `random:20`, `isotropic:20`.
struct RandomControls: Equatable {
    enum Kind: String, CaseIterable {
        /// With the covariance of the activations.
        case random
        /// Every direction alike.
        case isotropic

        /// What is said of them in notes.
        var summary: String {
            switch self {
            case .random: "drawn with the covariance within each set"
            case .isotropic: "every one as likely as another"
            }
        }
    }

    let kind: Kind
    let count: Int

    static let none = RandomControls(kind: .random, count: 0)
    /// For completion.
    static let words = ["random:20", "isotropic:20"]

    init(kind: Kind, count: Int) {
        self.kind = kind
        self.count = count
    }

    /// A kind alone stands for 20, 0 for none.
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
