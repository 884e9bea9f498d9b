import Claims
import Comparison
import Testing
import Workbench
import WorkbenchTestSupport

@Suite("Penalties of checkpoints")
struct PenaltyMemberTests {
    @Test("the penalty is the one that the checkpoint's recipe names")
    func recorded() throws {
        let found = try ["strong", "tuned-nokl", "tuned"].map { try PenaltyMember(recordedBy: member($0)) }
        #expect(found.map(\.penalty) == [0.25, 0, 0.14])
        let sorted = try PenaltyMember.sorted(found)
        #expect(sorted.map(\.member.name) == ["pearl-tuned-nokl", "pearl-tuned", "pearl-strong"])
    }

    @Test(
        "it stands under training or at the top, by any of its usual names",
        arguments: [
            (#"{"training": {"kl_penalty": 0.5}}"#, 0.5), (#"{"beta": 2}"#, 2), (#"{"kl_coef": 0}"#, 0),
            (#"{"penalty": 1, "training": {"beta": 3}}"#, 3),
        ])
    func names(recipe: String, penalty: Double) throws {
        let checkpoint = try changed(fixtureModel("tiny-chat"), recipe: recipe) { _, _ in nil }
        let member = try SeriesMember(name: "m", .open(checkpoint))
        #expect(try PenaltyMember(recordedBy: member).penalty == penalty)
    }

    @Test(
        "a recipe without one, or with one that can't be, is refused by the checkpoint's name",
        arguments: ["{}", #"{"penalty": -1}"#, #"{"penalty": "much"}"#, "no json"])
    func none(recipe: String) throws {
        let checkpoint = try changed(fixtureModel("tiny-chat"), recipe: recipe) { _, _ in nil }
        let member = try SeriesMember(name: "m", .open(checkpoint))
        #expect(throws: ClaimsError.noPenalty(checkpoint: "m")) { try PenaltyMember(recordedBy: member) }
    }

    @Test("two of one penalty have no order")
    func same() throws {
        let members = try [("tuned", 0.1), ("strong", 0.3), ("chat", 0.1)].map {
            PenaltyMember(penalty: $0.1, member: try member($0.0))
        }
        #expect(throws: ClaimsError.samePenalty(0.1)) { try PenaltyMember.sorted(members) }
    }
}
