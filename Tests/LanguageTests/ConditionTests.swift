import Language
import Testing

@testable import Language

@Suite("Conditions of expect")
struct ConditionTests {
    private func parse(_ line: String) throws -> [Condition.Comparison] {
        let words = try Parser.parse(line).words.dropFirst()
        return try Condition(Condition.tokens(Array(words), in: line).map(\.text)).comparisons
    }

    @Test(
        "operands and comparisons, with or without blanks",
        arguments: [
            ("expect it.value < 0.1", .path("it.value"), .less, .number(0.1)),
            ("expect it.value<=-1e-3", .path("it.value"), .atMost, .number(-0.001)),
            ("expect 3>a[0,b<c]", .number(3), .more, .path("a[0,b<c]")),
            ("expect r.end == 'a  \"b\"'", .path("r.end"), .equal, .text("a  \"b\"")),
            ("expect \"<\" != r.'new tokens'", .text("<"), .unequal, .path("r.new tokens")),
            ("expect r[\"a b\",c] >= '5'", .path("r[a b,c]"), .atLeast, .text("5")),
            ("expect '' == \"\"", .text(""), .equal, .text("")),
            ("expect \"\u{301}a\" == '\u{301}'", .text("\u{301}a"), .equal, .text("\u{301}")),
        ] as [(String, Condition.Operand, Condition.Relation, Condition.Operand)])
    func one(
        line: String, left: Condition.Operand, relation: Condition.Relation, right: Condition.Operand
    ) throws {
        let comparison = try #require(parse(line).first)
        #expect(comparison.left == left && comparison.relation == relation && comparison.right == right)
    }

    @Test("several are joined with and; ~ has a distance")
    func several() throws {
        let all = try parse("expect a.b ~ 2 within 5% and 1 < 2 and c.d~e.f within 0.5")
        let distances: [Condition.Distance?] = [.relative(0.05), nil, .absolute(0.5)]
        #expect(all.map(\.within) == distances)
        #expect(all.map(\.text) == ["a.b ~ 2 within 5%", "1 < 2", "c.d ~ e.f within 0.5"])
    }

    @Test(
        "what can't be read is a usage error",
        arguments: [
            ("expect", "a number, a text in quotes or a value must stand at the end"),
            ("expect a.b", "a comparison must follow a.b"), ("expect a.b <", "a number"), ("expect a.b = 1", "= is no"),
            ("expect a.b => 1", "=> is no comparison"), ("expect a.b < 1 c", "c can't follow"),
            ("expect a.b < 1 and", "a number"), ("expect a.b ~ 1", "~ needs"),
            ("expect a.b < 1 within 2", "within goes"),
            ("expect a.b ~ 1 within", "a distance"), ("expect a.b ~ 1 within -1", "-1 is no distance"),
            ("expect a.b ~ 1 within x%", "x% is no distance"), ("expect < 1 2", "< is no number"),
            ("expect and < 1", "and is no number"), ("expect [0] < 1", "[0] is no number"),
            ("expect a.b | c", "| is no comparison"),
        ])
    func refused(line: String, problem: String) {
        let error = #expect(throws: CommandError.self) { try parse(line) }
        #expect(error?.problem.hasPrefix(problem) == true, "\(error?.problem ?? "")")
        #expect(error?.exitCode == 2)
    }
}
