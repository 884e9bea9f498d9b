import Checkpoints
import Foundation
import Language
import TerminalText
import TestSupport
import Testing

@testable import Shell

/// Captures to files by the real binary: interrupted in every way, gone on with, refused.
@Suite("Captures to files")
struct CaptureTests {
    private let model = "Tests/Fixtures/models/tiny-chat.h5"
    private let folder = TemporaryFolder()
    private var path: String { folder.file("a.h5") }
    private var journal: String { folder.file("a.h5.partial/journal") }

    private func writePrompts(_ count: Int) throws {
        let lines = (0..<count).map { "prompt \($0) " + String(repeating: "ab c", count: $0 % 7) }
        try lines.joined(separator: "\n").write(toFile: folder.file("p.txt"), atomically: true, encoding: .utf8)
    }

    private func commands(_ capture: String) -> [String] {
        ["--no-init", "--overwrite", model, "-c", "p = prompts \(folder.file("p.txt"))", "-c", capture]
    }

    private var capture: String {
        "acts = capture resid_post[*] attn.z[1].h0..1 attn.pattern[0] --prompts p --at all --to \(path) --section 1"
    }

    /// Starts a capture and returns once some sections are done.
    private func start(_ capture: String, sections: Int) throws -> Process {
        let process = Process()
        process.executableURL = NacreProcess.binary
        process.arguments = commands(capture)
        process.currentDirectoryURL = NacreProcess.root
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle(forWritingAtPath: folder.file("errors"))
        try process.run()
        let end = Date().addingTimeInterval(60)
        while process.isRunning, lines(of: journal) <= sections, Date() < end { usleep(2000) }
        return process
    }

    private func lines(of path: String) -> Int {
        guard FileManager.default.fileExists(atPath: path) else { return 0 }
        return ((try? Data(contentsOf: URL(filePath: path))) ?? Data()).count { $0 == 10 }
    }

    @Test(
        "killed, interrupted, hung up and terminated, then gone on with: the same bytes",
        arguments: [SIGKILL, SIGINT, SIGTERM, SIGHUP])
    func interrupted(number: Int32) throws {
        try writePrompts(1500)
        let whole = try NacreProcess(commands(capture))
        #expect(whole.code == 0, "\(whole.errors)")
        let expected = readBytes(path)
        try FileManager.default.removeItem(atPath: path)
        _ = FileManager.default.createFile(atPath: folder.file("errors"), contents: nil)

        var done = 0
        for round in 0..<2 {
            let process = try start(capture, sections: done + 20)
            kill(process.processIdentifier, number)
            process.waitUntilExit()
            #expect(process.terminationStatus == (number == SIGINT ? 130 : number))
            #expect(folder.names.contains("a.h5.partial") && !folder.names.contains("a.h5"), "round \(round)")
            done = lines(of: journal) - 1
            #expect(done > 0 && done < 1500)
            let said = String(decoding: readBytes(folder.file("errors")), as: UTF8.self)
            if number != SIGKILL {
                #expect(
                    said.contains("of 1500 prompts are kept in \(path).partial; the same command goes on from there"))
            }
            // What is there opens as HDF5, but not as a capture.
            let load = try NacreProcess(["--no-init", "-c", "load \(path).partial/unfinished.h5"])
            #expect(load.code == 1 && load.errors.contains("unfinished capture"))
        }
        let kept = readBytes(journal)
        for (other, what) in [
            ("capture resid_post[0] --prompts p --at all --to \(path)", "sites ("),
            (
                "capture resid_post[*] attn.z[1].h0..1 attn.pattern[0] --prompts p --to \(path)",
                "positions (all there, last here)"
            ),
            ("capture resid_post[*] attn.z[1].h0..1 attn.pattern[0] --text x --at all --to \(path)", "prompts"),
        ] {
            let refused = try NacreProcess(commands(other))
            #expect(refused.code == 1 && refused.errors.contains("other \(what)"), "\(refused.errors)")
            #expect(refused.errors.contains("--restart"))
        }
        #expect(readBytes(journal) == kept)
        // Neither another name for the result nor other settings make another command of it.
        let rest = try NacreProcess(commands("b = \(capture.dropFirst(7)) --memory 64MiB"))
        #expect(rest.code == 0, "\(rest.errors)")
        #expect(rest.errors.contains("resuming \(path): \(done) of 1500 prompts are done"))
        #expect(readBytes(path) == expected)
        #expect(!folder.names.contains("a.h5.partial"))
    }

    @Test("a capture that is replaced is the old one until the new one is complete")
    func replaced() throws {
        try writePrompts(1500)
        writeBytes([1, 2, 3], path)
        let process = try start(capture + " --overwrite", sections: 5)
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        #expect(readBytes(path) == [1, 2, 3])
        let refused = try NacreProcess(commands(capture))
        #expect(refused.code == 1 && refused.errors.contains("the file exists"))
        let restarted = try NacreProcess(
            commands("capture resid_post[0] --prompts p --to \(path) --overwrite --restart"))
        #expect(restarted.code == 0 && restarted.errors.isEmpty, "\(restarted.errors)")
        #expect(try CaptureFile.open(path).sites == ["blocks.0.hook_resid_post"])
        #expect(folder.names == ["a.h5", "p.txt"])
    }

    @Test("another checkpoint, or another configuration of the same, does not go on with it")
    func otherModel() throws {
        try writePrompts(1500)
        let process = try start(capture, sections: 5)
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        let other = folder.file("other.h5")
        let bytes = readBytes(NacreProcess.root.appending(path: model).path)
        writeBytes(bytes, other)
        // The same tensors under another name are the same model.
        let config = folder.file("config.json")
        let open = try Checkpoint.open(other)
        let text = String(decoding: open.configJSON ?? [], as: UTF8.self)
        #expect(text.contains("\"rope_theta\": 10000"))
        try text.replacing("\"rope_theta\": 10000", with: "\"rope_theta\": 20000")
            .write(toFile: config, atomically: true, encoding: .utf8)
        let refused = try NacreProcess(
            ["--no-init", other, "--config", config, "-c", "p = prompts \(folder.file("p.txt"))", "-c", capture])
        #expect(refused.code == 1 && refused.errors.contains("with other configuration;"), "\(refused.errors)")
        let same = try NacreProcess(
            ["--no-init", other, "-c", "p = prompts \(folder.file("p.txt"))", "-c", capture])
        #expect(same.code == 0 && same.errors.contains("resuming"), "\(same.errors)")
    }

    @Test("what other killed runs have left is named")
    func leftovers() throws {
        try writePrompts(1500)
        let process = try start(capture, sections: 5)
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        let name = ".c.h5.\(process.processIdentifier)-abc.tmp"
        writeBytes([1], folder.file(name))
        let run = try NacreProcess(
            commands("o = capture resid_post[0] --prompts p --to \(folder.file("b.h5"))")
                + ["-c", "save o \(folder.file("c.h5"))"])
        #expect(run.code == 0, "\(run.errors)")
        #expect(run.output.components(separatedBy: "has left \(name) in \(folder.path)").count == 3)
        #expect(run.output.components(separatedBy: "holds 1 unfinished capture: a.h5.partial").count == 3)
    }

    @Test("a head's columns are those of the whole site, in memory and in files")
    func heads() throws {
        try writePrompts(9)
        let run = try NacreProcess(
            ["--no-init", "--mode", "csv", model],
            input: """
                p = prompts \(folder.file("p.txt")) > /dev/null
                a = capture attn.z[1] attn.z[1].h1 attn.k[0].h* --prompts p --at all > /dev/null
                b = capture attn.z[1] attn.z[1].h1 attn.k[0].h* --prompts p --at all --to \(path) > /dev/null
                print a[*,*] --site attn.z[1].h1 > \(folder.file("1"))
                print b[*,*] --site blocks.1.attn.hook_z.h1 > \(folder.file("2"))
                print a[*,8..15] --site attn.z[1] > \(folder.file("3"))
                """)
        #expect(run.code == 1 || run.code == 0)
        let capture = try CaptureFile.open(path)
        #expect(capture.sites.contains("blocks.1.attn.hook_z.h1"))
        let width = try #require(capture.width(of: "blocks.1.attn.hook_z.h1"))
        let whole = try #require(capture.width(of: "blocks.1.attn.hook_z"))
        let head = try capture.values(of: "blocks.1.attn.hook_z.h1")
        let all = try capture.values(of: "blocks.1.attn.hook_z")
        #expect(width < whole && whole % width == 0)
        for row in capture.rows.indices {
            #expect(head[row * width..<(row + 1) * width] == all[row * whole + width..<row * whole + 2 * width])
        }
        #expect(readBytes(folder.file("1")) == readBytes(folder.file("2")) && !readBytes(folder.file("1")).isEmpty)
    }

    @Test("patterns go to a file whole: rows sum to one, scores are their logarithms")
    func patterns() throws {
        try writePrompts(30)
        let run = try NacreProcess(
            commands(
                "capture attn.pattern[*] attn.attn_scores[1].h1 --prompts p --to \(path) --section 7"))
        #expect(run.code == 0, "\(run.errors)")
        let capture = try CaptureFile.open(path)
        #expect(capture.patterns.count == 3 && capture.sites.isEmpty && capture.rows.isEmpty)
        for prompt in capture.prompts.indices {
            let n = capture.promptTokens[prompt]
            let pattern = try capture.values(of: "blocks.1.attn.hook_pattern", prompt: prompt)
            let heads = try #require(capture.heads(of: "blocks.1.attn.hook_pattern"))
            #expect(pattern.count == heads * n * n)
            for row in 0..<heads * n {
                let values = pattern[row * n..<(row + 1) * n]
                #expect(abs(values.reduce(0, +) - 1) < 1e-5)
                #expect(values.dropFirst(row % n + 1).allSatisfy { $0 == 0 })
            }
            let scores = try capture.values(of: "blocks.1.attn.hook_attn_scores.h1", prompt: prompt)
            #expect(scores.count == n * n)
            for query in 0..<n {
                let row = scores[query * n..<(query + 1) * n]
                let total = row.reduce(0) { $0 + exp($1) }
                for (key, score) in row.enumerated() {
                    #expect(abs(exp(score) / total - pattern[n * n + query * n + key]) < 1e-5)
                }
            }
        }
    }

    @Test(
        "what makes no sense is refused before anything runs",
        arguments: [
            ("--section 0 --to FILE", "--section must be at least 1"), ("--section x --to FILE", "section"),
            ("--section 5", "--section is about a file"), ("--restart", "--restart is about a file"),
            ("--overwrite", "--overwrite is about a file"), ("--memory lots", "--memory can't be \"lots\""),
            ("--memory 0", "--memory can't be"), ("--memory 1MiB", "--memory 1MiB is too small"),
            ("--to ''", "the name of a file is empty"), ("--to /nowhere/a.h5", "there is no folder /nowhere"),
            ("--memory 2GB --memory 1GB", "given twice"), ("--estimate=yes", "takes no value"),
        ])
    func refusals(options: String, message: String) throws {
        try writePrompts(3)
        let run = try NacreProcess(
            commands("capture resid_post[0] --prompts p \(options.replacing("FILE", with: path))"))
        #expect(run.code != 0)
        #expect(run.errors.contains(message), "\(run.errors)")
        #expect(folder.names == ["p.txt"])
    }

    @Test("what would not fit in memory is refused with its size; a file is proposed, and works")
    func tooLarge() throws {
        try writePrompts(6000)
        let command =
            "capture resid_post[*] mlp.post[*] mlp.pre[*] mlp.pre_linear[*] attn.z[*] attn.q[*] logits --prompts p --at all"
        let shell = Process()
        shell.executableURL = URL(filePath: "/bin/sh")
        shell.currentDirectoryURL = NacreProcess.root
        _ = FileManager.default.createFile(atPath: folder.file("errors"), contents: nil)
        shell.standardError = FileHandle(forWritingAtPath: folder.file("errors"))
        shell.standardOutput = FileHandle.nullDevice
        // The limit stands for a small machine.
        shell.arguments = [
            "-c",
            "ulimit -v 700000; '\(NacreProcess.binary.path)' --no-init --threads 1 \(model) -c 'p = prompts \(folder.file("p.txt"))' -c '\(command)'",
        ]
        try shell.run()
        shell.waitUntilExit()
        #expect(shell.terminationStatus == 1)
        let said = String(decoding: readBytes(folder.file("errors")), as: UTF8.self)
        #expect(said.contains("this capture takes") && said.contains("capture to a file instead: --to FILE"), "\(said)")
    }

    @Test("an estimate runs nothing, names nothing, and says what the result will be")
    func estimate() throws {
        try writePrompts(20)
        let run = try NacreProcess(
            ["--no-init", "--mode", "json", model],
            input: """
                p = prompts \(folder.file("p.txt")) > /dev/null
                e = capture resid_post[*] attn.z[0].h1 --prompts p --at last --to \(path) --estimate
                """)
        #expect(run.code == 0, "\(run.errors)")
        #expect(folder.names == ["p.txt"])
        let json = try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any]
        let scalars = try #require(json?["scalars"] as? [[String: Any]])
        func scalar(_ name: String) -> [String: Any]? { scalars.first { $0["name"] as? String == name } }
        #expect(scalar("rows")?["value"] as? Int == 20)
        // Two layers of 32 and a head of 8, 20 rows of f32: 5,760 bytes.
        #expect(scalar("result")?["value"] as? String == "5.8 kB")
        let time = try #require(scalar("time"))
        #expect((time["low"] as? Double ?? 1) < (time["high"] as? Double ?? 0))
        #expect((time["note"] as? String)?.contains("a probe") == true)
    }

    @Test("sizes in binary and decimal units")
    func sizes() throws {
        for (text, bytes) in [
            ("2GB", 2_000_000_000), ("2GiB", 2 << 30), ("2g", 2 << 30), ("512M", 512 << 20), ("1048576", 1 << 20),
            ("1.5 GB", 1_500_000_000), ("1048576B", 1 << 20), ("2048kb", 2_048_000), ("1TiB", 1 << 40),
        ] {
            #expect(try ByteSize.parse(text, for: "x") == bytes)
            #expect(try ByteSize.parse(ByteSize.text(bytes), for: "x") == bytes)
        }
        for text in [
            "", "B", "GB", "-2GB", "2XB", "2 G B", "0x10M", "1e9", "nan", "inf", "1.2.3G", "1MB", "9999999TB", "٢GB",
        ] {
            #expect(throws: CommandError.self, "\(text)") { try ByteSize.parse(text, for: "x") }
        }
    }

    @Test("the setting memory bounds every command, and the option is stronger")
    func setting() throws {
        let run = try NacreProcess(
            ["--no-init", "--keep-going", model],
            input: """
                set memory 2MiB
                show memory
                loss "a b c"
                lens hello
                next hello
                loss "a b c" --memory 1GB
                set memory auto
                show memory
                """)
        #expect(run.output.contains("memory = 2MiB") && run.output.contains("memory = auto"))
        #expect(run.errors.components(separatedBy: "the setting memory 2MiB is too small").count == 4)
        #expect(run.output.contains("perplexity"))
    }
}
