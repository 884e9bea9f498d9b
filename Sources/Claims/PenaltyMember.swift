import Checkpoints
package import Comparison
import JSON
import Workbench

/// A checkpoint that was tuned under a penalty on moving away from its base, with that penalty.
package struct PenaltyMember {
    package let penalty: Double
    package let member: SeriesMember

    package init(penalty: Double, member: SeriesMember) {
        self.penalty = penalty
        self.member = member
    }

    /// Makes a member with the penalty that the checkpoint's recipe (the record of its training) names.
    ///
    /// - Throws: `ClaimsError.noPenalty` if the recipe names no penalty; the errors of opening the checkpoint.
    package init(recordedBy member: SeriesMember) throws {
        guard let value = Self.penalty(try member.load().file.recipeJSON), value.isFinite, value >= 0 else {
            throw ClaimsError.noPenalty(checkpoint: member.name)
        }
        self.init(penalty: value, member: member)
    }

    /// Returns checkpoints that were tuned with one penalty each in ascending order of their penalties.
    ///
    /// - Throws: `ClaimsError.samePenalty` for two checkpoints of one penalty.
    package static func sorted(_ members: [PenaltyMember]) throws -> [PenaltyMember] {
        let members = members.sorted { $0.penalty < $1.penalty }
        if let twice = zip(members, members.dropFirst()).first(where: { $0.penalty == $1.penalty }) {
            throw ClaimsError.samePenalty(twice.0.penalty)
        }
        return members
    }

    /// Reads the training penalty from a checkpoint's recipe, such as `{"training": {"penalty": 0.14}}`, or one at the
    /// top level.
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
