import Claims
import Comparison
import Language
import TerminalText

extension PenaltyMember {
    /// Returns the checkpoints that some words stand for, with the penalties under which they were tuned, sorted by
    /// penalty. A word is a file or a name whose recipe holds the penalty, or `0.1=FILE`.
    ///
    /// - Throws: `CommandError` for a penalty that is not a number from 0 on, and `ClaimsError` for a checkpoint whose
    ///   recipe does not hold its penalty.
    static func list(_ words: [String], in session: Session) throws -> [PenaltyMember] {
        try sorted(
            words.flatMap { word -> [PenaltyMember] in
                let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
                // A path may itself contain an equals sign.
                guard parts.count == 2, !parts[0].contains("/") else {
                    return try SeriesMember.list([word], in: session).map { try PenaltyMember(recordedBy: $0) }
                }
                guard let value = Double(parts[0]), value.isFinite, value >= 0 else {
                    throw CommandError(
                        "a penalty can't be \(parts[0].escapedForTerminal)",
                        remedy: "give a number from 0 on: 0.1=FILE", exitCode: 2)
                }
                return try SeriesMember.list([parts[1]], in: session).map { PenaltyMember(penalty: value, member: $0) }
            })
    }
}
