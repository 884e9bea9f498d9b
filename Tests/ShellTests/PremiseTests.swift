import Foundation
import TestSupport
import Testing

/// What a report says of the premises of its numbers, by the real binary.
@Suite("Numbers with their premises")
struct PremiseTests {
    private static let model = "Tests/Fixtures/models/tiny-chat.h5"
    private let folder = TemporaryFolder()

    private func write(_ name: String, _ lines: [String]) throws -> String {
        try (lines.joined(separator: "\n") + "\n").write(
            toFile: folder.file(name), atomically: true, encoding: .utf8)
        return folder.file(name)
    }

    private func run(_ commands: [String], options: [String] = []) throws -> NacreProcess {
        try NacreProcess(["--no-init"] + options + [Self.model] + commands.flatMap { ["-c", $0] })
    }

    private var words: [String] { (0..<24).map { "the sea and the shore number \($0)" } }

    @Test("copies of a prompt count once, and the report says how many there were")
    func copies() throws {
        let lines = words.prefix(2).map { "{\"text\": \"\($0)\", \"answer\": \"x\"}" }
        let (twice, often) = (
            try write("twice.jsonl", lines),
            try write("often.jsonl", Array(repeating: lines, count: 50).flatMap(\.self))
        )
        func evaluated(_ path: String) throws -> String {
            let run = try run(["q = prompts \(path) > /dev/null", "evaluate q --tokens 2"])
            #expect(run.code == 0, "\(run.errors)")
            return run.output
        }
        let all = try evaluated(often)
        #expect(all.contains("2 of 100 prompts of q are distinct; copies count once."))
        let kept = all.split(separator: "\n").filter { !$0.contains("distinct") && !$0.contains("tokens/s") }
        let single = try evaluated(twice).split(separator: "\n").filter { !$0.contains("tokens/s") }
        #expect(kept == single)
    }

    @Test("a selection of copies is that of the distinct prompts, to the last digit")
    func selection() throws {
        func texts(_ file: String) throws -> [String] {
            let path = NacreProcess.root.appending(path: "Scripts/prompts/\(file)")
            return try String(contentsOf: path, encoding: .utf8).split(separator: "\n").prefix(12).map(String.init)
        }
        func selected(_ copies: Int) throws -> String {
            let paths = try ["taboo.jsonl", "plain.jsonl"].map { file in
                try write("\(copies)-\(file)", Array(repeating: texts(file), count: copies).flatMap(\.self))
            }
            let run = try NacreProcess([
                "--no-init", "Checkpoints/pearl-tuned.h5", "-c", "p = prompts \(paths[0]) --chat > /dev/null",
                "-c", "n = prompts \(paths[1]) --chat > /dev/null", "-c", "mode csv",
                "-c", "select p n --train 8 --validation 4 --positions -1,-2 --no-filter --every",
            ])
            #expect(!run.output.isEmpty, "\(run.errors)")
            return run.output
        }
        let once = try selected(1)
        for copies in [2, 8] { #expect(try selected(copies) == once) }
    }

    @Test("a capture runs each copy, and a direction of captures counts them once")
    func captures() throws {
        let path = try write("p.txt", Array(repeating: Array(words.prefix(8)), count: 3).flatMap(\.self))
        let other = try write("n.txt", Array(words.suffix(8)))
        let run = try run([
            "p = prompts \(path)", "n = prompts \(other)", "a = capture resid_post[0] --prompts p",
            "b = capture resid_post[0] --prompts n", "direction a b",
        ])
        #expect(run.code == 0, "\(run.errors)")
        #expect(run.output.contains("8 of 24 prompts are distinct"))
        #expect(run.output.contains("8 of 24 prompts of a are distinct; copies count once."))
        #expect(run.output.contains("N = 8 + 8"))
    }

    @Test("a text in both of two sets is named")
    func shared() throws {
        let (first, second) = (
            try write("p.txt", Array(words.prefix(8))), try write("n.txt", Array(words.dropFirst(7)))
        )
        let run = try run([
            "p = prompts \(first)", "n = prompts \(second)", "direction p n --at resid_post[0],last",
        ])
        #expect(run.output.contains("1 text stands in both p and n: \"\(words[7])\"."), "\(run.output)\(run.errors)")
    }

    @Test("pairs are refused if different lines of the two files are empty")
    func pairs() throws {
        var (first, second) = (Array(words.prefix(8)), Array(words.suffix(8)))
        (first[2], second[5]) = ("", " ")
        let paths = (try write("p.txt", first), try write("n.txt", second))
        let read = ["p = prompts \(paths.0)", "n = prompts \(paths.1)"]
        let run = try run(read + ["direction p n --method pca --at resid_post[0],last"])
        #expect(run.output.contains("1 empty line was left out (line 3).") && run.code == 1)
        #expect(run.errors.contains("different lines of p and n are empty (line 3; line 6), so that their pairs"))
        #expect(try self.run(read + ["direction p n --at resid_post[0],last"]).code == 0)
    }

    @Test("a file that is written over while it is open is no longer computed with")
    func writtenOver() throws {
        let root = NacreProcess.root
        let path = folder.file("live.h5")
        try FileManager.default.copyItem(at: root.appending(path: Self.model), to: URL(filePath: path))
        // As many bytes as before.
        var bytes = readBytes(path)
        bytes[bytes.count / 2] ^= 1
        let near = folder.file("near.h5")
        writeBytes(bytes, near)
        let run = try NacreProcess([
            "--no-init", "--allow-shell", "--keep-going", path, "-c", "next sea --top 1",
            "-c", "list | cp \(near) \(path)", "-c", "next sea --top 1", "-c", "info", "-c", "close",
            "-c", "open \(path)", "-c", "next sea --top 1",
        ])
        let errors = run.errors.split(separator: "\n").filter { $0.contains("was written to since it was opened") }
        #expect(errors.count == 2, "\(run.errors)")
        #expect(run.output.components(separatedBy: "rank").count == 3, "\(run.output)")
    }

    @Test("csv has nothing but data on standard output, and its notes on standard error; other modes hold theirs")
    func csv() throws {
        let path = try write("p.txt", [words[0], words[0], words[1]])
        let note = "2 of 3 prompts of p are distinct; copies count once."
        let commands = ["p = prompts \(path) > /dev/null", "loss --prompts p"]
        for mode in ["csv", "json", "jsonl", "table", "markdown", "line"] {
            let run = try run(commands, options: ["--mode", mode])
            let (shown, other) = mode == "csv" ? (run.errors, run.output) : (run.output, run.errors)
            #expect(
                run.code == 0 && shown.contains(note) && !other.contains(note), "\(mode): \(run.output)\(run.errors)")
            #expect(mode == "csv" || run.errors.isEmpty, "\(mode): \(run.errors)")
        }
        let csv = try run(commands, options: ["--mode", "csv"])
        let rows = csv.output.split(separator: "\n")
        #expect(rows[0] == "name,value,value_low,value_high,unit,note" && rows.allSatisfy { $0.contains(",") })
        #expect(csv.errors.contains("The interval is 95 %, normal, over prompts.\n"))
        // A file has the data alone, too, and a note of the report that is printed again comes again.
        let file = folder.file("out.csv")
        let again = try run(
            [commands[0], "l = loss --prompts p > \(file)", "print l > /dev/null"], options: ["--mode", "csv"])
        #expect(again.output.isEmpty && again.errors.ranges(of: note).count == 2, "\(again.errors)")
        #expect(String(decoding: readBytes(file), as: UTF8.self) == csv.output)
    }

    @Test("a text that is rendered already is noticed, and taken as it stands with --rendered")
    func rendered() throws {
        func run(_ command: String) throws -> NacreProcess {
            try NacreProcess(["--no-init", "Checkpoints/pearl-tuned.h5", "-c", command])
        }
        let bos = try run("tokens '<|begin|>the sea'")
        #expect(bos.output.contains("The text already begins with <|begin|>, which is put before it again; --rendered"))
        let rendered = try run("tokens '<|begin|>the sea' --rendered")
        #expect(!rendered.output.contains("already") && rendered.output.hasPrefix("4 tokens"), "\(rendered.output)")
        let turn = try run("tokens '<|user|>the sea' --chat")
        #expect(turn.output.contains("The text already begins as the chat template does, into which it is put again"))
        #expect(try run("tokens sea --chat --rendered").code == 2)
        let path = try write("p.txt", ["<|begin|>the sea", "the shore"])
        let set = try NacreProcess([
            "--no-init", "Checkpoints/pearl-tuned.h5", "-c", "p = prompts \(path)", "-c", "loss --prompts p",
        ])
        #expect(set.output.contains("1 of 2 prompts of p already begins with <|begin|>"), "\(set.output)\(set.errors)")
    }

    @Test("the place of a word is shown")
    func places() throws {
        let run = try run(["tokens \"a theory of the sea\" --at token:the"])
        let chosen = run.output.split(separator: "\n").filter { $0.contains("yes") }
        #expect(chosen.count == 1, "\(run.output)")
    }
}
