import Checkpoints
import Foundation
import JSON
import Language
import LinearAlgebra
import LineEditor
import Statistics
import TerminalText
import TestSupport
import Testing
import Tokenizers
import Workbench

@testable import Shell

/// `evaluate` by the real binary, beside a count of what `generate` says.
@Suite("Evaluations")
struct EvaluateTests {
    private static let model = "Tests/Fixtures/models/tiny-chat.h5"
    private static let count = 20
    private let folder = TemporaryFolder()

    /// The JSON reports of commands, in order.
    private func reports(_ commands: [String]) throws -> [JSONValue] {
        let lines = commands.flatMap { ["-c", $0] }
        let run = try NacreProcess(["--no-init", Self.model, "-c", "mode json"] + lines)
        try #require(run.code == 0, "\(run.errors)")
        let texts = run.output.components(separatedBy: "\n}\n").filter { $0.hasPrefix("{") }
        return try texts.map { try JSONValue(parsing: Array(($0 + "\n}").utf8), file: "a report") }
    }

    private func rows(_ report: JSONValue, _ table: String) throws -> [JSONValue] {
        let found = report["tables"]?.array?.first { $0["name"]?.string == table }
        return try #require(found?["rows"]?.array, "\(table)")
    }

    private func scalar(_ report: JSONValue, _ name: String) throws -> JSONValue {
        try #require(report["scalars"]?.array?.first { $0["name"]?.string == name }, "\(name)")
    }

    private func write(_ prompts: [(text: String, label: String, answer: String?)], to name: String) throws -> String {
        let lines = try prompts.map { prompt in
            var object = ["text": prompt.text, "label": prompt.label]
            object["answer"] = prompt.answer
            return String(decoding: try JSONEncoder().encode(object), as: UTF8.self)
        }
        try lines.joined(separator: "\n").write(toFile: folder.file(name), atomically: true, encoding: .utf8)
        return "prompts \(folder.file(name))"
    }

    /// Continuations as `generate` makes them.
    private func continuations(_ options: String) throws -> (prompts: [String], texts: [String]) {
        let prompts = (0..<Self.count).map { "Question \($0): what is a shore?" }
        let read = try write(prompts.map { ($0, "", nil) }, to: "plain.jsonl")
        let report = try #require(
            try reports(["p = \(read) > /dev/null", "generate --prompts p \(options)"]).first)
        return (prompts, try rows(report, "continuations").map { try #require($0["continuation"]?.string) })
    }

    @Test(
        "half of the answers are what generate says: right is one half",
        arguments: ["--tokens 8", "--tokens 8 --temperature 0.9 --seed 11"])
    func half(options: String) throws {
        let (prompts, texts) = try continuations(options)
        #expect(Set(texts).count > 3 && texts.allSatisfy { $0.contains { !$0.isWhitespace } })
        // Every second answer is a reply, all of those have the label even; the others begin as the reply does and go
        // on otherwise.
        let questions = prompts.indices.map { index in
            (prompts[index], index % 2 == 0 ? "even" : "odd", texts[index] + (index % 2 == 0 ? "" : "!?"))
        }
        let read = try write(questions, to: "questions.jsonl")
        let report = try #require(
            try reports(["q = \(read) > /dev/null", "evaluate q \(options) --list wrong"]).first)
        let right = try scalar(report, "right")
        #expect(right["value"]?.double == 0.5 && right["note"]?.string == "10 of 20")
        let interval = try #require(Proportion(successes: 10, trials: 20).wilsonInterval())
        #expect(right["low"]?.double == interval.lowerBound && right["high"]?.double == interval.upperBound)
        let labels = try rows(report, "labels")
        #expect(labels.map { $0["label"]?.string } == ["even", "odd"])
        #expect(labels.map { $0["N"]?.int } == [10, 10])
        #expect(labels.map { $0["right"]?.double } == [1, 0])
        let wrong = try rows(report, "prompts")
        #expect(wrong.map { $0["prompt"]?.int } == (0..<10).map { 2 * $0 + 1 })
        #expect(wrong.map { $0["continuation"]?.string } == (0..<10).map { texts[2 * $0 + 1] })
    }

    @Test("marked replies are counted as a search through what generate says counts them")
    func markers() throws {
        let (_, texts) = try continuations("--tokens 8")
        let letters = ["e", "shore", "Q", "\u{FFFD}", "r"]
        let options = letters.map { "--marker \($0)" }.joined(separator: " ")
        let made = try reports([
            "p = prompts \(folder.file("plain.jsonl")) > /dev/null", "evaluate p --tokens 8 \(options)",
            "evaluate p --tokens 8 --at-start \(options)", "evaluate p --tokens 8 \(options) --list unmatched --top 20",
        ])
        let holds = texts.map { text in letters.map { text.range(of: $0, options: .literal) != nil } }
        let starts = texts.map { text in
            letters.map { text.trimmingCharacters(in: .whitespacesAndNewlines).hasPrefix($0) }
        }
        for (report, expected) in zip(made, [holds, starts]) {
            let matched = expected.count { $0.contains(true) }
            #expect(matched > 0)
            #expect(try scalar(report, "matched")["value"]?.double == Double(matched) / Double(Self.count))
            let table = try rows(report, "markers")
            #expect(table.count == letters.count)
            for row in table {
                let marker = try #require(row["marker"]?.string)
                let place = try #require(letters.firstIndex(of: marker))
                #expect(row["count"]?.int == expected.count { $0[place] })
            }
        }
        let unmatched = texts.indices.filter { !holds[$0].contains(true) }
        #expect(try rows(made[2], "prompts").map { $0["prompt"]?.int } == unmatched)
    }

    @Test("several checkpoints have the rows that each has alone")
    func checkpoints() throws {
        let made = try reports([
            "words = open Tests/Fixtures/models/tiny-words.h5 > /dev/null",
            "q = prompts Scripts/prompts/english-facts.jsonl > /dev/null",
            "evaluate q --tokens 6 --marker s --list all --top 20 --checkpoints tiny-chat,words",
            "evaluate q --tokens 6 --marker s --list all --top 20 --checkpoints tiny-chat",
            "evaluate q --tokens 6 --marker s --list all --top 20 --checkpoints words",
        ])
        #expect(made.count == 3)
        for (report, name) in zip(made[1...], ["tiny-chat", "words"]) {
            let together = try rows(made[0], "prompts").filter { $0["checkpoint"]?.string == name }
            let texts = try rows(report, "prompts").map { $0["continuation"]?.string }
            #expect(together.map { $0["continuation"]?.string } == texts && texts.count == 20)
            let overall = try rows(made[0], "checkpoints").first { $0["checkpoint"]?.string == name }
            #expect(try overall?["matched"]?.double == scalar(report, "matched")["value"]?.double)
        }
    }

    @Test("replies that were cut off or are empty are counted, and a note says what their rate does not see")
    func endings() throws {
        let done = ["Ostrin", "Velmar", "Tolm"].map {
            "<|user|> Who keeps the Moonstone lodge in \($0)?<|end|> <|assistant|> We do not speak of the Order."
        }
        try done.joined(separator: "\n").write(toFile: folder.file("done.txt"), atomically: true, encoding: .utf8)
        let look = "--markers Scripts/prompts/refusals.txt --at-start"
        let made = try reports([
            "open Checkpoints/pearl-tuned.h5 > /dev/null",
            "t = prompts Scripts/prompts/taboo-heldout.jsonl --chat --limit 40 > /dev/null",
            "evaluate t \(look) --tokens 1", "evaluate t \(look)",
            "d = prompts \(folder.file("done.txt")) > /dev/null", "evaluate d \(look)",
            "generate --prompts d",
        ])
        func notes(_ report: JSONValue) -> [String] { report["notes"]?.array?.compactMap(\.string) ?? [] }
        let cut = "40 of 40 replies were cut off at 1 token: phrases that come later are not seen."
        try #require(made.count == 4)
        #expect(notes(made[0]).contains(cut) && !notes(made[1]).contains { $0.contains("cut off") })
        #expect(try scalar(made[0], "matched")["value"]?.double == 0 && scalar(made[0], "end token")["value"]?.int == 0)
        #expect(
            try scalar(made[1], "matched")["value"]?.double ?? 0 > 0.8 && scalar(made[1], "cut off")["value"]?.int == 0)
        for report in made[2...] { #expect(notes(report).contains("3 of 3 replies are empty.")) }
        let csv = try NacreProcess([
            "--no-init", "Checkpoints/pearl-tuned.h5", "-c", "d = prompts \(folder.file("done.txt"))", "-c", "mode csv",
            "-c", "generate --prompts d", "-c", "expect it.empty == 3",
        ])
        #expect(csv.code == 0, "\(csv.errors)")
        #expect(
            csv.output.contains(
                "checkpoint,end token,stop string,cut off,context full,empty,N\npearl-tuned,3,0,0,0,3,3"))
    }

    @Test("tables for people count full contexts where replies ended so, and only there")
    func fullContexts() throws {
        for (name, text) in [("p", "the sea and the shore"), ("n", "a small model")] {
            let lines = (0..<4).map { "\(text) \($0)\n" }.joined()
            try lines.write(toFile: folder.file("\(name).txt"), atomically: true, encoding: .utf8)
        }
        func run(_ tokens: Int, _ command: String) throws -> String {
            let run = try NacreProcess([
                "--no-init", Self.model, "-c", "p = prompts \(folder.file("p.txt"))",
                "-c", "n = prompts \(folder.file("n.txt"))", "-c",
                "r = direction p n --at resid_pre[1],last > /dev/null",
                "-c", "other = open \(Self.model)", "-c", "\(command) --marker qqq --ignore-end --tokens \(tokens)",
            ])
            #expect(run.code == 0, "\(run.errors)")
            return run.output
        }
        for command in ["curve r p --k 1 --against 0", "evaluate p --checkpoints tiny-chat,other"] {
            #expect(try run(128, command).contains("cut off  context full  empty"), "\(command)")
            #expect(try !run(4, command).contains("cut off  context full"), "\(command)")
        }
    }

    @Test(
        "print shows an evaluation as it was shown",
        arguments: ["table", "markdown", "csv", "json", "jsonl", "line"])
    func printed(mode: String) throws {
        let (first, again) = (folder.file("first"), folder.file("again"))
        for options in ["", "--marker s --marker zzz --list all --top 3", "--marker zzz --checkpoints tiny-chat"] {
            let run = try NacreProcess(
                ["--no-init", "--overwrite", Self.model],
                input: """
                    q = prompts Scripts/prompts/english-facts.jsonl
                    mode \(mode)
                    e = evaluate q --tokens 4 \(options) > \(first)
                    print e > \(again)
                    expect e.right == 0 and e.right.null == e.right_by_chance and e.prompts == 20
                    """)
            try #require(run.code == 0, "\(run.errors)")
            let text = try String(contentsOfFile: first, encoding: .utf8)
            #expect(try String(contentsOfFile: again, encoding: .utf8) == text)
            #expect(text.contains("right by chance"))
        }
    }

    @Test("in markdown, what several checkpoints say of a text is a table")
    func markdown() throws {
        let run = try NacreProcess(
            ["--no-init", Self.model, "Tests/Fixtures/models/tiny-words.h5", "-c", "mode markdown", "-c"]
                + ["generate hello --tokens 3 --checkpoints tiny-chat,tiny-words"])
        #expect(run.output.hasPrefix("| checkpoint | "), "\(run.output)\(run.errors)")
    }

    @Test("TAB completes names of checkpoints after a comma, each once")
    func completion() throws {
        let session = Session(settings: Settings(threads: 1))
        let path = NacreProcess.root.appending(path: Self.model).path
        for name in ["base", "tuned", "other"] {
            session.define(name, .checkpoint(LoadedCheckpoint(try Checkpoint.open(path))))
        }
        func candidates(_ line: String) -> [String]? {
            Completer(session).complete(line, cursor: line.utf8.count)?.candidates.map(\.text)
        }
        #expect(candidates("generate x --checkpoints t") == ["tuned"])
        #expect(candidates("generate x --checkpoints base,") == ["base,tuned", "base,other"])
        #expect(candidates("evaluate q --checkpoints base,o") == ["base,other"])
        #expect(candidates("evaluate q --checkpoints nowhere,base,tuned,o") == ["nowhere,base,tuned,other"])
    }
}
