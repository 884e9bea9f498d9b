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

    @Test("what counts prompts of a capture or a set counts copies once: norms, project, contain")
    func copiesEverywhere() throws {
        let texts = (0..<80).map { "a \(["ship", "shore", "sail", "stone"][$0 % 4]) and the number \($0)" }
        let others = try write("others.txt", words)
        func reports(_ copies: Int) throws -> [String] {
            let lines = Array(repeating: texts, count: copies).flatMap(\.self).enumerated().map {
                "{\"text\": \"\($1)\", \"label\": \"\($1.contains("s 1") ? "a" : "b")\"}"
            }
            let path = try write("copied-\(copies).jsonl", lines)
            let run = try NacreProcess(
                ["--no-init", "Checkpoints/pearl-base.h5"]
                    + [
                        "p = prompts \(path)", "o = prompts \(others)", "a = capture resid_post[1] --prompts p",
                        "r = direction o p --at resid_post[1]", "output report.txt", "norms --prompts p",
                        "project a r --rows", "contain r a --apart o", "contain r p --apart o",
                    ].map { $0.replacing("report.txt", with: folder.file("report-\(copies).txt")) }
                    .flatMap { ["-c", $0] })
            #expect(run.code == 0, "\(run.errors)")
            return try String(contentsOfFile: folder.file("report-\(copies).txt"), encoding: .utf8)
                .split(separator: "\n").map(String.init)
        }
        let (once, often) = (try reports(1), try reports(3))
        #expect(often.count { $0.contains("80 of 240 prompts of a are distinct; copies count once.") } == 2)
        #expect(often.count { $0.contains("80 of 240 prompts of p are distinct; copies count once.") } == 2)
        #expect(often.filter { !$0.contains("are distinct") } == once)
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
        // So are those of captures, in memory or in files.
        let captures = ["a = capture resid_post[0] --prompts p", "b = capture resid_post[0] --prompts n"]
        for study in ["direction a b --method pca", "subspace a b"] {
            let refused = try self.run(read + captures + [study])
            #expect(
                refused.errors.contains("different lines of a and b are empty (line 3; line 6)"), "\(refused.errors)")
        }
        #expect(try self.run(read + captures + ["direction a b"]).code == 0)
        let files = [("a", folder.file("a.h5")), ("b", folder.file("b.h5"))]
        let written = try self.run(read + zip(captures, files).map { "\($0) --to \($1.1)" })
        #expect(written.code == 0, "\(written.errors)")
        let loaded = try self.run(files.map { "\($0) = load \($1)" } + ["direction a b --method pca"])
        #expect(loaded.code == 1 && loaded.errors.contains("(line 3; line 6)"), "\(loaded.errors)")
        // Of the lines that were read up to the limit the same are empty.
        let few = try self.run([
            "p = prompts \(paths.0) --limit 2", "n = prompts \(paths.1) --limit 2",
            "direction p n --method pca --at resid_post[0],last",
        ])
        #expect(few.code == 0 && !few.output.contains("left out"), "\(few.output)\(few.errors)")
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

    @Test(
        "every command that reads a text says that it is rendered already, and takes it as it stands",
        arguments: [
            "tokens TEXT", "next TEXT", "loss TEXT", "generate TEXT --tokens 2", "lens TEXT", "attention TEXT",
            "attribute TEXT", "norms TEXT", "capture resid_post[0] --text TEXT", "patch TEXT '<|begin|>a sea'",
            "compare a b logits TEXT", "compare a b text TEXT --tokens 2",
        ])
    func everyText(command: String) throws {
        func run(_ options: String, text: String = "'<|begin|>the sea'") throws -> String {
            let line = command.replacing("TEXT", with: text) + options
            let opened = ["a = open Checkpoints/pearl-base.h5", "b = open Checkpoints/pearl-tuned.h5"]
            let run = try NacreProcess(["--no-init"] + (opened + [line]).flatMap { ["-c", $0] })
            #expect(run.code == 0 || command.hasPrefix("patch"), "\(line): \(run.errors)")
            return run.output + run.errors
        }
        let subject = command.hasPrefix("patch") ? "2 of 2 texts already begin" : "The text already begins"
        #expect(
            try run("").contains("\(subject) with <|begin|>, which is put before it again; --rendered adds nothing."))
        #expect(try !run(" --rendered").contains("already begin"))
        if !command.hasPrefix("patch") {
            let turn = try run(" --chat", text: "'<|user|>the sea'")
            #expect(turn.contains("into which it is put again; --rendered instead of --chat adds nothing."), "\(turn)")
            #expect(
                try run(" --rendered", text: "sea").contains(
                    "The text does not look rendered: it holds no special token"))
        }
    }

    @Test(
        "every command that encodes a set says so of its texts, by the set's name",
        arguments: [
            "loss --prompts p", "norms --prompts p", "generate --prompts p --tokens 2",
            "capture resid_post[0] --prompts p",
            "evaluate p --marker x --tokens 2", "direction p n --at resid_post[0],last", "compare a b --prompts p",
            "compare a b activations --prompts p --sites resid_post[0]", "series a b --prompts p --measure loss",
            "attribute --prompts p", "direction n p --method probe --at resid_post[0],last",
        ])
    func everySet(command: String) throws {
        let lines = words.prefix(6).enumerated().map { $0.offset < 2 ? "<|begin|>\($0.element)" : $0.element }
        let paths = (try write("p.txt", lines), try write("n.txt", Array(words.suffix(6))))
        func run(_ options: String) throws -> NacreProcess {
            let opened = ["a = open Checkpoints/pearl-base.h5", "b = open Checkpoints/pearl-tuned.h5"]
            let read = ["p = prompts \(paths.0)\(options) > /dev/null", "n = prompts \(paths.1)\(options) > /dev/null"]
            return try NacreProcess(["--no-init"] + (opened + read + [command]).flatMap { ["-c", $0] })
        }
        let plain = try run("")
        #expect(
            plain.output.contains(
                "2 of 6 prompts of p already begin with <|begin|>, which is put before it again; prompts FILE --rendered"
                    + " adds nothing."), "\(plain.output)\(plain.errors)")
        #expect(plain.output.components(separatedBy: "of p already begin").count == 2)
        let rendered = try run(" --rendered")
        #expect(!rendered.output.contains("already begin") && !rendered.output.contains("prompts of p looks rendered"))
    }

    @Test("the texts of the file of sense are looked at, too")
    func senses() throws {
        let lines = (0..<24).map { place in
            "{\"text\": \"<|begin|>\(place) saw the bank\", \"word\": \"bank\", \"sense\": \(place % 2)}"
        }
        let path = try write("s.jsonl", lines)
        let run = try NacreProcess([
            "--no-init", "Checkpoints/pearl-tuned.h5", "-c", "sense \(path) --splits 20 --sites hook_embed",
        ])
        #expect(run.code == 0, "\(run.errors)")
        #expect(
            run.output.contains(
                "24 of 24 prompts of \(path) already begin with <|begin|>, which is put before it again; take it off the texts."
            ), "\(run.output)")
    }

    @Test("a set that is too small to select from, or a prompt too long for the model, is called by its name")
    func names() throws {
        let (few, long) = (
            try write("few.txt", Array(words.prefix(4))),
            try write("long.txt", ["a", Array(repeating: "the sea", count: 200).joined(separator: " ")])
        )
        let run = try self.run(
            [
                "few = prompts \(few)", "long = prompts \(long)", "select few few", "one = prompts \(few) --limit 1",
                "direction one few --at resid_post[0],last", "loss --prompts long",
                "next '\(Array(repeating: "the sea", count: 200).joined(separator: " "))'",
            ], options: ["--keep-going"])
        #expect(run.errors.contains("there is 1 positive row; it takes at least 2; give more prompts"), "\(run.errors)")
        #expect(run.errors.contains("few has 4 prompts, and "), "\(run.errors)")
        #expect(run.errors.contains("prompt 2 of long has "), "\(run.errors)")
        #expect(
            run.errors.contains("tokens, and tiny-chat.h5 takes at most 128; shorten it, or leave it out"),
            "\(run.errors)")
        #expect(run.errors.contains("takes at most 128; shorten it\n"), "\(run.errors)")
    }

    @Test("a file that is missing, or is a folder, is refused with a remedy, whatever was to be read of it")
    func files() throws {
        for (path, words) in [
            (folder.file("nosuch"), "there is no such file; check the path: TAB after a folder shows what is in it"),
            (folder.path, "it is a folder; name a file in it"),
        ] {
            let run = try run(["prompts \(path)", "source \(path)", "replay \(path)"], options: ["--keep-going"])
            #expect(run.errors.components(separatedBy: "can't read \(path): \(words)").count == 4, "\(run.errors)")
        }
    }

    @Test("of pairs it is said what they share")
    func sharingPairs() throws {
        var (first, second) = (Array(words.prefix(8)), Array(words.suffix(8)))
        (first[1], second[3], second[4]) = (first[0], second[2], second[2])
        let paths = (try write("p.txt", first), try write("n.txt", second))
        let read = ["p = prompts \(paths.0)", "n = prompts \(paths.1)"]
        for study in [
            "direction p n --method pca --at resid_post[0],last", "subspace p n --at resid_post[0],last --k 1",
        ] {
            let run = try run(read + [study])
            #expect(
                run.output.contains(
                    "Pairs with a text in common are not independent: 2 texts of p and n stand in several pairs, and the"
                        + " intervals are too narrow."), "\(run.output)\(run.errors)")
            #expect(!run.output.contains("Rows of one prompt"))
        }
    }

    @Test("the place of a word is shown")
    func places() throws {
        let run = try run(["tokens \"a theory of the sea\" --at token:the"])
        let chosen = run.output.split(separator: "\n").filter { $0.contains("yes") }
        #expect(chosen.count == 1, "\(run.output)")
    }
}
