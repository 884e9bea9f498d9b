import Foundation
import TestSupport
import Testing

@testable import Shell

@Suite("Replay")
struct ReplayTests {
    private let model = "Tests/Fixtures/models/tiny-chat.h5"
    private let shipped = NacreProcess.root.appending(path: "Tests/Transcripts/first-steps.transcript")

    private func write(_ text: String, _ path: String) throws {
        try text.write(toFile: path, atomically: true, encoding: .utf8)
    }

    private func read(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

    @Test("a number or a word that changed gives exit code 3 and shows both lines; --update accepts them once")
    func differences() throws {
        let folder = TemporaryFolder()
        let file = folder.file("t.transcript")
        let original = try String(contentsOf: shipped, encoding: .utf8)
        let changed = original.replacing("loss              7.06", with: "loss              7.16")
            .replacing("nothing has a name yet", with: "nothing has a name")
        #expect(changed != original)
        try write("# kept\n" + changed, file)
        let run = try NacreProcess(["--no-init", "-c", "replay \(file)", "-c", "mode"])
        #expect(run.code == 3)
        #expect(
            run.errors
                == "nacre: 2 of 15 commands of \(file) print something else; replay \(file) --update accepts it\n")
        let lines = Array((run.output).split(separator: "\n").map(String.init))
        #expect(lines[0] == "\(file) does not hold")
        #expect(lines.contains("   5 - nothing has a name; try: open FILE"))
        #expect(lines.contains("     + nothing has a name yet; try: open FILE"))
        let number = try #require(lines.firstIndex { $0.hasSuffix("- loss              7.16 nats a token") })
        #expect(lines[number + 1] == "     + loss              7.06 nats a token")
        #expect(lines[number + 2] == "       7.16 is now 7.06: relative difference 0.014")
        // A script stops there.
        #expect(!run.output.contains("table"))

        let update = try NacreProcess(["--no-init", "-c", "replay \(file) --update"])
        #expect(update.code == 0, "\(update.errors)")
        #expect(try read(file) == "# kept\n" + original)
        let again = try NacreProcess(["--no-init", "-c", "replay \(file) --update", "-c", "replay \(file)"])
        #expect(again.output.hasPrefix("\(file) is as it was\n") && again.output.contains("\(file) holds\n"))
        #expect(folder.names == ["t.transcript"])
    }

    @Test("a tolerance is given for all commands or stated at one")
    func tolerance() throws {
        let folder = TemporaryFolder()
        let file = folder.file("t.transcript")
        func code(_ option: String = "", comment: String = "") throws -> Int32 {
            try write("n> open \(model) > /dev/null\nn> show seed\(comment)\nseed = 100\n", file)
            try write(try read(file).replacing("show seed", with: "set seed 101\nn> show seed"), file)
            return try NacreProcess(["--no-init", "--overwrite", "-c", "replay \(file) \(option)"]).code
        }
        #expect(try code() == 3)
        #expect(try code("--tolerance 0.01") == 0)
        #expect(try code("--tolerance 0.009") == 3)
        #expect(try code("--tolerance any") == 0)
        #expect(try code(comment: " # tolerance 0.01") == 0)
        #expect(try code("--tolerance any", comment: " # tolerance 0") == 3)
        #expect(try code("--tolerance much") == 2)
    }

    @Test("the session that replays stays as it was")
    func isolation() throws {
        let folder = TemporaryFolder()
        let file = folder.file("t.transcript")
        try write("nacre> let a = 1\nnacre> mode json\nnacre> set seed 9\nnacre> show seed\n", file)
        let run = try NacreProcess(
            ["--no-init", "--seed", "5", model],
            input: """
                let a = 2
                next hello --top 1
                replay \(file) --tolerance any > \(folder.file("diff"))
                """)
        #expect(run.code == 3)
        #expect(try read(folder.file("diff")).contains("\"text\": \"seed = 9\""))
        let after = try NacreProcess(
            ["--no-init", "--keep-going", "--seed", "5", model],
            input: """
                let a = 2
                n = next hello --top 1
                replay \(file)
                mode
                show seed
                let
                expect n.entropy > 0 and it.commands_that_differ > 0
                list
                """)
        #expect(after.code == 3)
        for line in ["table", "seed = 5", "a         2", "holds: 4.728 > 0 and", "tiny-chat (in use)"] {
            #expect(after.output.contains(line), "\(line)")
        }
    }

    @Test("a transcript may do only what nacre was allowed to")
    func permissions() throws {
        let folder = TemporaryFolder()
        let (file, out) = (folder.file("t.transcript"), folder.file("out"))
        try write("kept", out)
        try write("n> mode > \(out)\nn> mode | tr a-z A-Z\nTABLE\n", file)
        let refused = try NacreProcess(["--no-init", "-c", "replay \(file)"])
        #expect(refused.code == 3 && refused.output.contains("File exists") && refused.output.contains("--allow-shell"))
        #expect(try read(out) == "kept")
        let allowed = try NacreProcess(["--no-init", "--overwrite", "--allow-shell", "-c", "replay \(file)"])
        #expect(allowed.code == 0, "\(allowed.output)")
        #expect(try read(out) == "table\n")

        // A script may not rewrite a transcript, nor may a transcript.
        try write("n> mode\n", file)
        let inner = folder.file("u.transcript")
        try write("n> replay \(file) --update\n", inner)
        for arguments in [["-f", folder.file("s.nacre")], ["-c", "replay \(inner)"]] {
            try write("replay \(file) --update\n", folder.file("s.nacre"))
            let script = try NacreProcess(["--no-init"] + arguments)
            #expect(script.code != 0 && (script.output + script.errors).contains("a script replaces no file"))
            #expect(try read(file) == "n> mode\n")
        }
        #expect(try NacreProcess(["--no-init", "--overwrite", "-f", folder.file("s.nacre")]).code == 0)
        #expect(try read(file) == "nacre> mode\ntable\n")
    }

    @Test("at the prompt a user may rewrite a transcript, a script that the user sources may not")
    func sourced() throws {
        let folder = TemporaryFolder()
        let (file, script) = (folder.file("t.transcript"), folder.file("s.nacre"))
        try write("n> mode\n", file)
        try write("replay \(file) --update\n", script)
        let interpreter = Interpreter(Session(settings: Settings(threads: 1), isInteractive: true))
        #expect(interpreter.run("source \(script)", from: .prompt, quietly: true) == .failed(code: 1))
        #expect(try read(file) == "n> mode\n")
        #expect(interpreter.run("replay \(file) --update", from: .prompt, quietly: true) == .done)
        #expect(try read(file) == "nacre> mode\ntable\n")
    }

    @Test("what --echo prints replays, a script's commands too, and so does a transcript with a script's output alone")
    func scripts() throws {
        let folder = TemporaryFolder()
        let (script, file) = (folder.file("s.nacre"), folder.file("t.transcript"))
        try write("let a = \"x y\"\n# comment\ntokens $a\nnonsense\nmode\n", script)
        let made = try NacreProcess(
            ["--no-init", "--echo", "--keep-going"],
            input: "open \(model)\nsource \(script) # \\\nlet\nlist\ntokens \"two\nlines\"\n", mergesErrors: true)
        try write(made.output, file)
        #expect(made.output.contains("tiny-chat> tokens $a\n"))
        let echoed = try NacreProcess(["--no-init", "-c", "replay \(file) --tolerance 0"])
        #expect(echoed.code == 0, "\(echoed.output)")
        let plain = try NacreProcess(
            ["--no-init", "--keep-going"], input: "open \(model)\nsource \(script)\n", mergesErrors: true)
        let output = plain.output.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
        try write("n> open \(model)\n\(output[0])\nn> source \(script)\n\(output[1])", file)
        let alone = try NacreProcess(["--no-init", "-c", "replay \(file) --tolerance 0"])
        #expect(alone.code == 0, "\(alone.output)")
    }

    @Test("replays nest as scripts do, and none replays itself")
    func nesting() throws {
        let folder = TemporaryFolder()
        func file(_ number: Int) -> String { folder.file("\(number).transcript") }
        for number in 0..<30 { try write("n> replay \(file(number + 1))\n", file(number)) }
        try write("n> mode\ntable\n", file(30))
        let deep = try NacreProcess(["--no-init", "-c", "replay \(file(0))"])
        #expect(deep.code == 3)
        try write("n> replay \(file(0)) > /dev/null\n", file(1))
        let circle = try NacreProcess(["--no-init", "--overwrite", "-c", "replay \(file(0))"])
        #expect(circle.code == 3)
        try write("n> replay \(folder.file("link"))\n", file(0))
        try FileManager.default.createSymbolicLink(atPath: folder.file("link"), withDestinationPath: file(0))
        let itself = try NacreProcess(["--no-init", "-c", "replay \(file(0))"])
        #expect(itself.code == 3 && itself.output.contains("is being replayed already"))
        for number in 6..<30 { try write("n> mode\ntable\n", file(number)) }
        try write("n> mode\n", file(0))
        for number in 0..<3 {
            try write("source \(folder.file("\(number + 1).nacre"))\n", folder.file("\(number).nacre"))
        }
        try write("replay \(file(29))\n", folder.file("3.nacre"))
        let mixed = try NacreProcess(["--no-init", "-f", folder.file("0.nacre")])
        #expect(mixed.code == 0 && mixed.output.hasPrefix("\(file(29)) holds\n"), "\(mixed.errors)")
    }

    @Test("the depth of replays is that of scripts")
    func depth() throws {
        let folder = TemporaryFolder()
        func file(_ number: Int) -> String { folder.file("\(number).transcript") }
        // Each holds if the one that it replays does.
        func chain(_ length: Int) throws -> NacreProcess {
            for number in 0..<length {
                try write("n> replay \(file(number + 1)) > /dev/null\n", file(number))
            }
            try write("n> mode\ntable\n", file(length))
            return try NacreProcess(["--no-init", "--overwrite", "-c", "replay \(file(0))"])
        }
        #expect(try chain(24).code == 0)
        #expect(try chain(25).code == 3)
    }

    @Test("commands after exit, files that are no transcripts and names that are no files are refused")
    func refusals() throws {
        let folder = TemporaryFolder()
        let file = folder.file("t.transcript")
        try write("n> exit 3\nn> mode\ntable\n", file)
        let ended = try NacreProcess(["--no-init", "-c", "replay \(file) --update"])
        #expect(ended.code == 1 && ended.errors.contains("t.transcript:2: the session has ended"))
        #expect(try read(file).hasPrefix("n> exit 3\n") && folder.names == ["t.transcript"])
        try write("n> exit 3\n", file)
        #expect(try NacreProcess(["--no-init", "-c", "replay \(file)", "-c", "exit 4"]).code == 4)
        #expect(try NacreProcess(["--no-init", "-c", "replay README.md"]).code == 2)
        #expect(try NacreProcess(["--no-init", "-c", "replay nowhere"]).code == 1)
        let timer = try NacreProcess(
            ["--no-init", "--echo"],
            input: "timer on\nopen \(model)\nnext hello --top 1\ngenerate hello --tokens 3\n", mergesErrors: true)
        #expect(timer.output.contains(" tokens/s\n"))
        try write(timer.output, file)
        let timed = try NacreProcess(["--no-init", "-c", "replay \(file)"])
        #expect(timed.code == 0, "\(timed.output)")
    }

    @Test("what does not hold is shown, kept by once, and named, although the command fails")
    func failing() throws {
        let folder = TemporaryFolder()
        let (file, diff) = (folder.file("t.transcript"), folder.file("diff"))
        try write("n> mode\ncsv\n", file)
        let run = try NacreProcess(
            ["--no-init", "--keep-going"],
            input: "once \(diff)\nr = replay \(file)\nexpect r.commands_that_differ == 1\nexpect it.commands == 1\n")
        #expect(run.code == 3 && run.output == "holds: 1 == 1\nholds: 1 == 1\n", "\(run.output)\(run.errors)")
        #expect(try read(diff).contains("- csv\n"))
        // A command that prints nothing leaves no file.
        let none = folder.file("none")
        #expect(try NacreProcess(["--no-init", "--keep-going"], input: "once \(none)\nexpect 1 > 2\n").code == 3)
        #expect(!folder.names.contains("none"))
    }

    @Test("its counts are values that expect reads")
    func counts() throws {
        let run = try NacreProcess([
            "--no-init", "-c", "r = replay Tests/Transcripts/first-steps.transcript", "-c",
            "expect r.commands == 15 and r.largest_relative_difference == 0 and r.commands_that_differ == 0",
        ])
        #expect(run.code == 0, "\(run.errors)")
    }
}
