import Checkpoints
import Comparison
import JSON
import Language
import LinearAlgebra
import Reports
import TerminalText
import Tokenizers
import Workbench

/// A checkpoint that was tuned under a penalty: `FILE` or a name, whose recipe says which, or `0.1=FILE`.
struct PenaltyMember {
    let penalty: Double
    let member: SeriesMember

    /// - Throws: `CommandError` for a penalty that is no number, and for a checkpoint that doesn't say its own.
    static func list(_ words: [String], in session: Session) throws -> [PenaltyMember] {
        let members = try words.flatMap { word -> [PenaltyMember] in
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            // A path may hold an equals sign of its own.
            guard parts.count == 2, !parts[0].contains("/") else {
                return try SeriesMember.list([word], in: session).map { member in
                    PenaltyMember(penalty: try recorded(member), member: member)
                }
            }
            guard let value = Double(parts[0]), value.isFinite, value >= 0 else {
                throw CommandError(
                    "a penalty can't be \(parts[0].escapedForTerminal)", remedy: "give a number from 0 on: 0.1=FILE",
                    exitCode: 2)
            }
            return try SeriesMember.list([parts[1]], in: session).map { PenaltyMember(penalty: value, member: $0) }
        }
        if let twice = members.first(where: { one in members.count { $0.penalty == one.penalty } > 1 }) {
            throw CommandError(
                "two checkpoints have the penalty \(NumberFormat.significant(twice.penalty))",
                remedy: "give one for each penalty", exitCode: 2)
        }
        return members.sorted { $0.penalty < $1.penalty }
    }

    private static func recorded(_ member: SeriesMember) throws -> Double {
        guard let value = penalty(try member.load().file.recipeJSON), value.isFinite, value >= 0 else {
            throw CommandError(
                "the recipe of \(member.name.escapedForTerminal) names no penalty",
                remedy: "say it: --penalties 0.1=\(member.name.escapedForTerminal)")
        }
        return value
    }

    /// `{"training": {"penalty": 0.14}}`, or at the top.
    private static func penalty(_ recipe: [UInt8]?) -> Double? {
        guard let recipe, let json = try? JSONValue(parsing: recipe, file: "recipe") else { return nil }
        for object in [json["training"], json] {
            for key in ["penalty", "kl_penalty", "beta", "kl_coef"] {
                if let value = object?[key]?.double { return value }
            }
        }
        return nil
    }
}
