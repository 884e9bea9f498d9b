import Foundation
import TestSupport
import Testing

/// What `basin` makes of planted sets, and of sets that it must refuse.
@Suite("Basin test")
struct BasinTests {
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
