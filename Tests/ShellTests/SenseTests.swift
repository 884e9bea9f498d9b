import Foundation
import TestSupport
import Testing

@testable import Shell

/// `sense` by the real binary, where a transcript does not reach.
@Suite("Senses of words")
struct SenseTests {
    private let folder = TemporaryFolder()

    private func run(_ commands: [String], threads: Int = 2) throws -> NacreProcess {
        try NacreProcess(
            ["--no-init", "--threads", "\(threads)", "Checkpoints/pearl-base.h5"],
            input: commands.joined(separator: "\n") + "\n")
    }

    private func file(_ lines: [(text: String, word: String, sense: String)]) throws -> String {
        let path = folder.file("s.jsonl")
        try lines.map { "{\"text\": \"\($0.text)\", \"word\": \"\($0.word)\", \"sense\": \"\($0.sense)\"}" }
            .joined(separator: "\n").write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    @Test(
        "at the embedding the senses of every word of pearl are apart by 0, exactly, and from the first layer on by more"
    )
    func pearl() throws {
        let found = try run([
            "s = sense all Scripts/prompts/senses.jsonl --sample 40 --sites hook_embed",
            "expect s.separation == 0 and s.separation.low == 0 and s.separation.high == 0 and s.words_that_split == 0",
            "t = sense all Scripts/prompts/senses.jsonl --sample 40 --sites hook_embed,resid_post[*]",
            "expect t.words_that_split == 20 and t.separation.low > 1", "mode csv", "print t",
        ])
        #expect(found.code == 0, "\(found.errors)")
        // In torch, fitted on other cues, the nearer mean tells 88.8 % at resid_pre[1], then 98.1, 99.3 and all.
        let lines = found.output.split(separator: "\n").map { $0.split(separator: ",") }
        let header = try #require(lines.last { $0.first == "site" })
        let column = try #require(header.firstIndex(of: "nearer mean"))
        for (site, range) in [(0, 0.85...0.96), (1, 0.95...0.995), (2, 0.98...1), (3, 0.99...1), (5, 0.995...1)] {
            let row = try #require(lines.last { $0.first == "resid_post[\(site)]" })
            #expect(range.contains(try #require(Double(row[column]))), "resid_post[\(site)]: \(row[column])")
        }
    }

    @Test("the same numbers at any number of threads, and for a word alone or among others")
    func repeats() throws {
        let command = "sense bank Scripts/prompts/senses.jsonl --sample 20 --splits 50"
        let one = try run(["mode csv", command], threads: 1).output
        let two = try run(["mode csv", command]).output
        #expect(one.contains("resid_post[5]") && one == two)
        let all = try run(["mode csv", "sense all Scripts/prompts/senses.jsonl --sample 20 --splits 50"]).output
        let last = try #require(one.split(separator: "\n").first { $0.hasPrefix("resid_post[5],") })
        // Separation with its interval.
        let value = try #require(last.split(separator: ",").dropFirst().first)
        #expect(all.contains(value), "\(value)")
    }

    @Test("contexts that stand under both senses, and lines that repeat, are said")
    func contexts() throws {
        let people = ["Arthur", "Agnes", "Anna", "Colin", "Hugo", "David", "Walter", "Cecil", "Ralph", "Edith"]
        let late = people.flatMap { name in
            [
                (text: "\(name) saw the bank of the river", word: "bank", sense: "river"),
                (text: "\(name) saw the bank of gold", word: "bank", sense: "money"),
            ]
        }
        let path = try file(late + [(text: "Anna saw the bank of the sea", word: "bank", sense: "river")])
        let found = try run(["sense \(path) --splits 20"])
        #expect(found.code == 0, "\(found.errors)")
        #expect(found.output.contains("bank: 10 contexts up to the word stand under both senses"), "\(found.output)")
        #expect(found.output.contains("1 line left out"))
        #expect(found.output.contains("No cosine") && found.output.contains("splits at   nowhere"), "\(found.output)")
    }

    @Test("a word is measured although another word of the file can't be; asked for all, that one is named")
    func otherWord() throws {
        let good = (0..<24).map { (text: "\($0) saw the bank", word: "bank", sense: $0 % 2 == 0 ? "river" : "money") }
        let path = try file(good + [(text: "nothing here", word: "bat", sense: "club")])
        let one = try run(["sense bank \(path) --splits 20 --sites hook_embed"])
        #expect(one.code == 0 && one.output.contains("No cosine"), "\(one.errors)")
        let all = try run(["sense \(path) --splits 20 --sites hook_embed"])
        #expect(all.code == 1 && all.errors.contains("line 25"), "\(all.errors)")
        // A word of one sense is left out beside others, with the reason.
        let lone = try file(good + [(text: "a bat", word: "bat", sense: "club")])
        let rest = try run(["sense all \(lone) --splits 20 --sites hook_embed"])
        #expect(rest.code == 0 && rest.output.contains("Left out: bat has 1 sense in the file"), "\(rest.errors)")
    }

    @Test("bad files and words are refused, each with its line")
    func refusals() throws {
        let senses = "Scripts/prompts/senses.jsonl"
        let cases: [(String, String)] = [
            ("sense bnak \(senses)", "has no word bnak; did you mean bank?"),
            ("sense bank Scripts/prompts/open.txt", "is no .jsonl file"),
            ("sense bank a \(senses)", "sense takes a word and a file"),
            ("sense bank \(senses) --word-field nosuch", "line 1 has no field nosuch; choose one with --word-field"),
            ("sense bank \(senses) --sample 3", "--sample must be at least 10"),
            ("sense bank \(senses) --sites attn.pattern[0]", "can't be measured here"),
            ("sense bank \(senses) --checkpoint nosuch", "nothing is called nosuch"),
            (
                "sense \(try file([("the river", "bank", "river")]))",
                "s.jsonl, line 1: \"the river\" does not hold the word bank"
            ),
        ]
        for (command, message) in cases {
            let found = try run([command])
            #expect(found.code != 0 && found.errors.contains(message), "\(command): \(found.errors)")
        }
        let one = try file((0..<20).map { (text: "\($0) the bank", word: "bank", sense: "river") })
        #expect(try run(["sense bank \(one)"]).errors.contains("bank has 1 sense in the file (river), not two"))
        let few = try file([("a bank", "bank", "river"), ("the bank", "bank", "money")])
        #expect(try run(["sense \(few)"]).errors.contains("bank as river has 1 context that differ"))
    }
}
