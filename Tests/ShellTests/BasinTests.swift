@testable import Comparison
import Control
import Foundation
import Geometry
import LinearAlgebra
import Models
import Sites
import Statistics
import TestSupport
import Testing

@testable import Shell

/// What `basin` makes of planted sets, and of sets that it must refuse.
@Suite("Basin test")
struct BasinTests {
    private let folder = TemporaryFolder()

    /// A class of `before` dimensions that tuning gave `after`, beside another of its own, at one site.
    private func comparison(
        _ before: Int, _ after: Int, other: (before: Int, after: Int), name: String
    ) throws -> BasinRun.Comparison {
        func points(_ dimension: Int, _ seed: UInt64) -> Matrix {
            var random = SeededRandom(seed: seed)
            var matrix = Matrix(rows: 100, columns: 40)
            for row in 0..<100 {
                for (column, value) in random.normal(count: 40).prefix(dimension).enumerated() {
                    matrix[row, column] = Float(value)
                }
            }
            return matrix
        }
        let pool = try ThreadPool(threadCount: 1)
        let found = try DifferenceInDifferences(
            before: (points(before, 1), points(other.before, 2)), after: (points(after, 1), points(other.after, 2)),
            permutations: 200, seed: 3, pool: pool, control: RunControl())
        let lengths = [Int](repeating: 5, count: 100)
        return BasinRun.Comparison(
            other: name, match: LengthMatch(lengths, lengths, slack: 0, seed: 0),
            sites: [
                .init(site: Site(.residPost, layer: 0), found: found, reason: nil, adjusted: found.p)
            ])
    }

    private func verdict(
        _ own: (Int, Int), open: (before: Int, after: Int), control: (before: Int, after: Int)
    ) throws -> Verdict {
        BasinRun.ClassResult.judged(
            "class", open: try comparison(own.0, own.1, other: open, name: "open"),
            control: try comparison(own.0, own.1, other: control, name: "control")
        ).verdict
    }

    @Test("verdicts are those that were planted")
    func verdicts() throws {
        // The class alone fell.
        #expect(try verdict((16, 6), open: (24, 24), control: (16, 16)) == .supported)
        // A homogeneous class that stayed, beside sets that stayed.
        #expect(try verdict((4, 4), open: (24, 24), control: (5, 5)) == .notDistinguishable)
        // The look-alikes fell as far.
        #expect(try verdict((16, 6), open: (24, 24), control: (16, 6)) == .notSupported)
        // The class stayed, and the others gained.
        #expect(try verdict((6, 6), open: (12, 24), control: (6, 12)) == .notSupported)
        // The class gained.
        #expect(try verdict((6, 16), open: (24, 24), control: (6, 6)) == .notSupported)
        // The control is not as homogeneous.
        #expect(try verdict((12, 4), open: (24, 24), control: (30, 30)) == .notTestable)
    }

    @Test("pairs have one length each, no prompt stands in two, and there are as many as can be")
    func lengths() {
        let (first, second) = ([5, 5, 5, 6, 9, 7], [5, 6, 6, 7, 5, 12, 8])
        let exact = LengthMatch(first, second, slack: 0, seed: 1)
        #expect(exact.pairs.count == 4 && exact.pairs.allSatisfy { first[$0.first] == second[$0.second] })
        #expect(Set(exact.pairs.map(\.first)).count == 4 && Set(exact.pairs.map(\.second)).count == 4)
        #expect(exact.meanLengths.first == exact.meanLengths.second)
        let loose = LengthMatch(first, second, slack: 1, seed: 1)
        #expect(loose.pairs.count == 6 && loose.pairs.allSatisfy { abs(first[$0.first] - second[$0.second]) <= 1 })
        let drawn = exact.sample(2, first, second, seed: 4)
        #expect(drawn.pairs.count == 2 && drawn.pairs.allSatisfy { first[$0.first] == second[$0.second] })
    }

    private func run(_ commands: [String]) throws -> NacreProcess {
        let lines =
            [
                "a = open Checkpoints/pearl-chat.h5", "b = open Checkpoints/pearl-tuned.h5",
                "taboo = prompts Scripts/prompts/taboo.jsonl --chat",
                "alike = prompts Scripts/prompts/taboo-lookalike.jsonl --chat",
                "plain = prompts Scripts/prompts/plain.jsonl --chat",
            ] + commands
        return try NacreProcess(["--no-init", "--threads", "2"], input: lines.joined(separator: "\n") + "\n")
    }

    @Test("a checkpoint beside itself: 0, exactly, and no finding")
    func same() throws {
        let found = try run([
            "x = basin a a taboo --open plain --control alike --permutations 100 --sites resid_post[2,3]",
            "expect x.taboo == 0 and x.taboo.low == 0 and x.taboo.high == 0", "print x",
        ])
        #expect(found.code == 0 && found.output.contains("taboo  not distinguishable from noise"), "\(found.errors)")
    }

    @Test("what can't be compared is refused, with what would mend it")
    func refusals() throws {
        let cases = [
            ("basin a b taboo --open plain --control taboo", "taboo and taboo have 683 prompts in common"),
            (
                "q = prompts Scripts/prompts/open.txt\nbasin a b taboo --open q --control alike",
                "different templates: taboo is as chat, q is not as chat"
            ),
            (
                "o = prompts Scripts/prompts/open.txt --chat\nbasin a b taboo --open o --control alike",
                "taboo and o have only 180 pairs of prompts of one length"
            ),
            ("basin a b taboo --open plain --control alike --at all", "basin takes one row a prompt"),
            ("basin a b taboo --open plain --control alike --permutations 100", "give --permutations 240"),
            ("basin a b taboo --open plain --control alike --sites logits", "can't be measured here"),
            ("basin a b taboo taboo --open plain --control alike", "named twice"),
            ("basin a b taboo --open nosuch --control alike", "nothing is called nosuch"),
            ("basin a b taboo --open plain --control alike --at-least 3", "--at-least must be 20 to 400"),
            (
                "c = open Tests/Fixtures/models/tiny-chat.h5\nbasin a c taboo --open plain --control alike",
                "c has other layers or widths than a"
            ),
        ]
        for (commands, message) in cases {
            let found = try run(commands.split(separator: "\n").map(String.init))
            #expect(found.code != 0 && found.errors.contains(message), "\(commands): \(found.errors)")
        }
    }

    @Test("one class at a site whose rows are all the same is left out with a reason")
    func constant() throws {
        // The last token of a chat prompt is the same in all.
        let found = try run([
            "basin a b taboo --open plain --control alike --permutations 200 --sites hook_embed,resid_post[1]"
        ])
        #expect(found.code == 0, "\(found.errors)")
        #expect(found.output.contains("embed: all points are the same, so they have no dimension"), "\(found.output)")
        let alone = try run(["basin a b taboo --open plain --control alike --sites hook_embed"])
        #expect(alone.code == 1 && alone.errors.contains("no site can be measured"), "\(alone.errors)")
    }
}
