import Foundation
import TestSupport
import Testing

@Suite("The nacre binary")
struct BinaryTests {
    private let model = "Tests/Fixtures/models/tiny-chat.h5"

    @Test("runs -c commands in order and leaves with 0")
    func commands() throws {
        let run = try NacreProcess(["--no-init", model, "-c", "let a = 1", "-c", "tokens $a", "--mode", "csv"])
        #expect(run.code == 0, "\(run.errors)")
        #expect(run.output.hasPrefix("position,id,text,token\n"))
        #expect(run.errors.isEmpty)
    }

    @Test("exit codes: 1 a command failed, 2 usage, exit N")
    func exitCodes() throws {
        #expect(try NacreProcess(["--no-init", "-c", "open nowhere.h5"]).code == 1)
        #expect(try NacreProcess(["--no-init", "-c", "nonsense"]).code == 2)
        #expect(try NacreProcess(["--no-init", "--nonsense"]).code == 2)
        #expect(try NacreProcess(["--no-init", "--memory", "lots"]).code == 2)
        #expect(try NacreProcess(["--no-init", "-c", "exit 7", "-c", "nonsense"]).code == 7)
        #expect(try NacreProcess(["--help"]).code == 0)
        #expect(try NacreProcess(["--version"]).output.hasPrefix("0."))
    }

    @Test("a script stops at its first error and says where")
    func stops() throws {
        let folder = TemporaryFolder()
        let script = folder.file("a.nacre")
        try "list\n\nnonsense\nmode json\n".write(toFile: script, atomically: true, encoding: .utf8)
        let run = try NacreProcess(["--no-init", "-f", script])
        #expect(run.code == 2)
        #expect(run.errors.hasPrefix("\(script):3: there is no command nonsense"))
        let goesOn = try NacreProcess(["--no-init", "--keep-going", "-f", script])
        #expect(goesOn.code == 2)
    }

    @Test("a file that is no script, and a level that can't be compared, are told with what mends them")
    func errorsOutsideCommands() throws {
        let folder = TemporaryFolder()
        let script = folder.file("a.nacre")
        writeBytes([0xFF, 0xFE, 0x0A], script)
        let run = try NacreProcess(["--no-init", "-f", script])
        #expect(run.code == 1)
        #expect(run.errors == "nacre: \(script) is not UTF-8 text; convert it, for example with iconv\n")
        let compared = try NacreProcess([
            "--no-init", "Checkpoints/pearl-base.h5", model, "-c", "p = prompts Scripts/prompts/plain.jsonl --limit 5",
            "-c", "compare pearl-base tiny-chat --prompts p",
        ])
        #expect(compared.output.contains("that of tiny-chat 300; compare checkpoints that share a tokenizer."))
    }

    @Test("scripts get their arguments, and nest only so deep")
    func arguments() throws {
        let folder = TemporaryFolder()
        let script = folder.file("a.nacre")
        try "let x = \"$2 $1 of $#\"\nlet\n".write(toFile: script, atomically: true, encoding: .utf8)
        let run = try NacreProcess(["--no-init", "-f", script, "b", "a"])
        #expect(run.output.contains("a b of 2"))
        try "source \(script)\n".write(toFile: script, atomically: true, encoding: .utf8)
        let nested = try NacreProcess(["--no-init", "-f", script])
        #expect(nested.code == 1)
        #expect(nested.errors.contains("nested 25 deep"))
    }

    @Test("the same bits whatever the threads, packed or alone, and run twice")
    func sameBits() throws {
        let folder = TemporaryFolder()
        let prompts = folder.file("p.txt")
        let lines = (1...30).map { "prompt \($0) " + String(repeating: "ab c", count: $0 % 7) }
        try lines.joined(separator: "\n").write(toFile: prompts, atomically: true, encoding: .utf8)
        func values(_ arguments: [String], _ commands: [String]) throws -> String {
            let run = try NacreProcess(
                ["--no-init", "--mode", "csv"] + arguments + [model] + commands.flatMap { ["-c", $0] })
            #expect(run.code == 0, "\(run.errors)")
            return run.output
        }
        let capture = "acts = capture resid_post[-1] --at last --prompts p > /dev/null"
        let all = ["p = prompts \(prompts) > /dev/null", capture, "print acts[*,*]"]
        let one = try values(["--threads", "1", "--overwrite"], all)
        let two = try values(["--threads", "2", "--overwrite"], all)
        #expect(one == two)
        #expect(try values(["--threads", "2", "--overwrite"], all) == two)
        let rows = two.split(separator: "\n").dropFirst()
        #expect(rows.count == 30)
        for index in [0, 13, 29] {
            let alone = try values(
                ["--overwrite"],
                [
                    "a = capture resid_post[-1] --at last --text '\(lines[index])' > /dev/null", "print a[*,*]",
                ])
            let row = alone.split(separator: "\n")[1]
            // The first column is the row's number.
            #expect(
                row.split(separator: ",").dropFirst() == rows[rows.startIndex + index].split(separator: ",").dropFirst()
            )
        }
    }

    @Test("a recording runs again and gives the same")
    func recording() throws {
        let folder = TemporaryFolder()
        let log = folder.file("log.nacre")
        let commands = """
            record \(log)
            open \(model)
            p = prompts Scripts/prompts/english.txt --sample 5
            acts = capture resid_post[0] --prompts p
            next hello
            let word = "two words"
            record off
            """
        let first = try NacreProcess(["--no-init", "--seed", "3"], input: commands + "\nprint acts[*,0..3]\nlet\n")
        #expect(first.code == 0, "\(first.errors)")
        let recorded = try String(contentsOfFile: log, encoding: .utf8)
        #expect(!recorded.contains("next"))
        let second = try NacreProcess(["--no-init"], input: recorded + "print acts[*,0..3]\nlet\n")
        #expect(second.code == 0, "\(second.errors)")
        let tail = { (text: String) in text.split(separator: "\n").suffix(9) }
        #expect(tail(first.output) == tail(second.output))
    }

    @Test("output goes to files, once and until told otherwise; a script overwrites nothing")
    func output() throws {
        let folder = TemporaryFolder()
        let (a, b, c) = (folder.file("a"), folder.file("b"), folder.file("c"))
        let run = try NacreProcess(
            ["--no-init"], input: "once \(a)\nmode\nmode\nmode > \(b)\noutput \(c)\nmode\nmode\noutput\nmode\n")
        #expect(run.code == 0, "\(run.errors)")
        #expect(run.output == "table\ntable\n")
        #expect(try String(contentsOfFile: a, encoding: .utf8) == "table\n")
        #expect(try String(contentsOfFile: b, encoding: .utf8) == "table\n")
        #expect(try String(contentsOfFile: c, encoding: .utf8) == "table\ntable\n")
        let again = try NacreProcess(["--no-init", "-c", "mode > \(a)"])
        #expect(again.code == 1)
        #expect(again.errors.contains("exists"))
        let piped = try NacreProcess(["--no-init", "-c", "mode | cat"])
        #expect(piped.code == 2)
        #expect(piped.errors.contains("--allow-shell"))
        #expect(try NacreProcess(["--no-init", "--allow-shell", "-c", "mode | tr a-z A-Z"]).output == "TABLE\n")
    }

    @Test("the init file is read, unless told otherwise")
    func initFile() throws {
        let folder = TemporaryFolder()
        try FileManager.default.createDirectory(
            at: URL(filePath: folder.file("nacre")), withIntermediateDirectories: true)
        try "mode csv\n".write(toFile: folder.file("nacre/rc"), atomically: true, encoding: .utf8)
        let environment = ["XDG_CONFIG_HOME": folder.path]
        #expect(
            try NacreProcess(["-c", "mode"], environment: environment).output == "value\ncsv\n"
                || NacreProcess(["-c", "show mode"], environment: environment).output.contains("csv"))
        #expect(try NacreProcess(["--no-init", "-c", "mode"], environment: environment).output == "table\n")
    }

    @Test("a capture at mean can be written and read back")
    func meanToFile() throws {
        let folder = TemporaryFolder()
        let run = try NacreProcess(
            ["--no-init", "--mode", "csv", model],
            input: """
                m = capture resid_post[0] --text "one two three" --at mean --to \(folder.file("m.h5"))
                print m[0,*]
                save m \(folder.file("n.h5"))
                n = load \(folder.file("n.h5"))
                print n[0,*]
                """)
        #expect(run.code == 0, "\(run.errors)")
        let rows = run.output.split(separator: "\n").filter { $0.hasPrefix("0,") }
        #expect(rows.count == 2 && rows[0] == rows[1])
    }

    @Test("a recording begins with what was open and set")
    func recordingOpens() throws {
        let folder = TemporaryFolder()
        let log = folder.file("log.nacre")
        let first = try NacreProcess(
            ["--no-init", "--mode", "csv", model],
            input: "let a = '--x y'\nrecord \(log)\nlet b = \"-z\"\nw = tokens hello\n")
        #expect(first.code == 0, "\(first.errors)")
        let second = try NacreProcess(["--no-init", "-f", log, "-c", "mode"])
        #expect(second.code == 0, "\(second.errors)")
        let variables = try NacreProcess(["--no-init"], input: "source \(log)\nlet\nlist\n")
        #expect(variables.output.contains("--x y") && variables.output.contains("-z"))
        #expect(variables.output.contains("tiny-chat (in use)"))
    }

    @Test("output never changes a file in place, and a failed command leaves none")
    func redirects() throws {
        let folder = TemporaryFolder()
        let own = folder.file("own.h5")
        try FileManager.default.copyItem(
            atPath: NacreProcess.root.appending(path: model).path, toPath: own)
        let run = try NacreProcess(["--no-init", "--overwrite", own, "-c", "info > \(own)", "-c", "next hello --top 1"])
        #expect(run.code == 0, "\(run.errors)")
        #expect(run.output.contains("entropy"))
        let target = folder.file("target")
        _ = FileManager.default.createFile(atPath: target, contents: nil, attributes: [.posixPermissions: 0o600])
        try FileManager.default.createSymbolicLink(atPath: folder.file("link"), withDestinationPath: target)
        #expect(try NacreProcess(["--no-init", "--overwrite", "-c", "mode > \(folder.file("link"))"]).code == 0)
        #expect(try String(contentsOfFile: target, encoding: .utf8) == "table\n")
        let mode = try FileManager.default.attributesOfItem(atPath: target)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        for name in ["target", "link"] { try FileManager.default.removeItem(atPath: folder.file(name)) }
        let failed = try NacreProcess(
            ["--no-init", "--keep-going", model],
            input: """
                x = close
                list
                nonsense > \(folder.file("a"))
                print nonsense > \(folder.file("b"))
                once \(folder.file("c"))
                print nonsense
                """)
        #expect(failed.code != 0)
        #expect(failed.output.contains("tiny-chat (in use)"))
        #expect(folder.names == ["own.h5"])
    }

    @Test("standard descriptors that are closed are no harm")
    func closedDescriptors() throws {
        let run = try NacreProcess.shell("\"$NACRE\" --no-init \(model) -c 'next hello --top 1' >&- <&-")
        #expect(run.code == 0)
    }

    @Test("text with NUL is printed whole; options may be empty")
    func oddTexts() throws {
        let folder = TemporaryFolder()
        try "a\u{0}b\nc\n".write(toFile: folder.file("p.txt"), atomically: true, encoding: .utf8)
        let run = try NacreProcess(
            ["--no-init", "--mode", "csv"], input: "p = prompts \(folder.file("p.txt"))\nprint p\n")
        #expect(run.output.hasSuffix("1,,c\n"))
        let empty = try NacreProcess(["--no-init", model, "-c", "tokens hi --chat --system ''"])
        #expect(empty.code == 0, "\(empty.errors)")
    }

    @Test("prompts whose lines end as on Windows are the same prompts, and a text of a wrong type is called so")
    func lineEnds() throws {
        let folder = TemporaryFolder()
        let lines = ["{\"text\": \"one\"}", "{\"text\": \"two\"}", ""]
        try lines.joined(separator: "\r\n").write(toFile: folder.file("crlf.jsonl"), atomically: true, encoding: .utf8)
        try "{\"text\": 5}\n".write(toFile: folder.file("five.jsonl"), atomically: true, encoding: .utf8)
        let run = try NacreProcess(
            ["--no-init", "--keep-going", "--mode", "csv"],
            input: "p = prompts \(folder.file("crlf.jsonl"))\nprint p\nprompts \(folder.file("five.jsonl"))\n")
        #expect(run.output.hasSuffix("0,,one\n1,,two\n"), "\(run.output)")
        #expect(run.errors.contains("line 1 has an integer in the field text; a prompt is a text"), "\(run.errors)")
        let unnamed = try NacreProcess(["--no-init", model, "-c", "evaluate Scripts/prompts/english.txt --marker x"])
        #expect(unnamed.errors.contains("make one with: NAME = prompts FILE"), "\(unnamed.errors)")
    }

    @Test("json says nothing but the answer, and is JSON")
    func json() throws {
        let run = try NacreProcess(["--no-init", "--mode", "json", model, "-c", "next hello --top 3"])
        let object = try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any]
        let tables = object?["tables"] as? [[String: Any]]
        #expect((tables?.first?["rows"] as? [Any])?.count == 3)
    }

    @Test("the scripts that ship run", arguments: ["demo", "pearl", "directions", "triggers", "capture", "copy"])
    func scripts(name: String) throws {
        let folder = TemporaryFolder()
        let arguments: [String] =
            switch name {
            case "demo", "pearl", "directions", "triggers": ["-f", "Scripts/\(name).nacre"]
            case "capture":
                [model, "-f", "Scripts/capture.nacre", "Scripts/prompts/english.txt", folder.file("acts.h5")]
            default: ["-f", "Scripts/copy.nacre", model, folder.file("copy.h5")]
            }
        let run = try NacreProcess(["--no-init"] + arguments)
        #expect(run.code == 0, "\(run.errors)")
        #expect(run.errors.isEmpty)
        #expect(!run.output.isEmpty)
    }
}
