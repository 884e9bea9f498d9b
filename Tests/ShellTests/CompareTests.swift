import Foundation
import TestSupport
import Testing

/// `compare` by the real binary, where a transcript does not reach.
@Suite("Comparing checkpoints")
struct CompareTests {
    private let folder = TemporaryFolder()
    private let models = "Tests/Fixtures/models"

    private func run(_ commands: [String], threads: Int = 2) throws -> NacreProcess {
        let lines = ["a = open \(models)/tiny-chat.h5", "b = open \(models)/tiny-near.h5"] + commands
        return try NacreProcess(
            ["--no-init", "--threads", "\(threads)"], input: lines.joined(separator: "\n") + "\n")
    }

    @Test("the same numbers in little memory, prompt by prompt, and at any number of threads")
    func memory() throws {
        let set = "corpus = prompts Scripts/prompts/english.txt"
        func scalars(_ command: String, threads: Int = 2) throws -> Substring {
            let found = try run([set, "mode json", command], threads: threads)
            #expect(found.code == 0, "\(found.errors)")
            // The recipe behind it has the command.
            return try #require(found.output.components(separatedBy: "\"text\": null").first)[...]
        }
        let refused = try run([set, "compare a b logits --prompts corpus --memory 2MiB"])
        let needed = try #require(try /give (\d+MB) or more/.firstMatch(in: refused.errors)?.1)
        let whole = try scalars("compare a b logits --prompts corpus --each")
        #expect(whole.contains("\"name\": \"kl\""))
        #expect(try scalars("compare a b logits --prompts corpus --each --memory \(needed)") == whole)
        #expect(try scalars("compare a b logits --prompts corpus --each", threads: 1) == whole)
    }

    @Test("its nulls are numbers that expect reads, and a checkpoint beside itself meets them exactly")
    func nulls() throws {
        let lines = [
            "corpus = prompts Scripts/prompts/english.txt", "same = compare a a logits --prompts corpus",
            "expect same.kl == same.kl.null and same.js == same.js.null and same.top-1_agreement.null == 1",
            "expect same.loss_difference == same.loss_difference.null and same.delta_p == same.delta_p.null",
            "other = compare a b logits --prompts corpus",
            "expect other.kl.low > other.kl.null and other.kl_reverse.low > other.kl_reverse.null",
        ]
        let found = try run(lines)
        #expect(found.code == 0, "\(found.errors)")
    }

    @Test("a text too long for either is refused before anything runs")
    func tooLong() throws {
        let text = Array(repeating: "the sea", count: 100).joined(separator: " ")
        try (["short", "shorter"] + [text]).joined(separator: "\n")
            .write(toFile: folder.file("p.txt"), atomically: true, encoding: .utf8)
        let found = try run(["p = prompts \(folder.file("p.txt"))", "compare a b logits --prompts p"])
        #expect(found.code == 1 && found.errors.contains("prompt 3 of p has"), "\(found.errors)")
    }

    @Test("loss A and loss B are what loss says of either")
    func loss() throws {
        let found = try run([
            "corpus = prompts Scripts/prompts/english.txt", "compare a b logits --prompts corpus",
            "loss --prompts corpus",
            "use a", "loss --prompts corpus",
        ])
        let values = found.output.matches(of: /(?m)^loss( [AB])? +(\S+ \[\S+ \S+\])/).map { String($0.2) }
        try #require(values.count == 4, "\(found.output)\(found.errors)")
        #expect(values[1] == values[2] && values[0] == values[3] && values[0] != values[1])
    }

    /// A copy of the folder of tiny-chat whose tokenizer.json is another.
    private func copy(_ name: String, _ change: (String) -> String) throws -> String {
        let path = folder.file(name)
        try FileManager.default.copyItem(atPath: modelFolder("tiny-chat"), toPath: path)
        let tokenizer = path + "/tokenizer.json"
        let text = try String(contentsOfFile: tokenizer, encoding: .utf8)
        let changed = change(text)
        #expect(changed != text)
        try changed.write(toFile: tokenizer, atomically: true, encoding: .utf8)
        return path
    }

    @Test("a token id that means another text is named")
    func otherToken() throws {
        let path = try copy("other") { text in
            text.replacingOccurrences(of: "\"X\": 58,", with: "\"Y\": 58,")
                .replacingOccurrences(of: "\"Y\": 59,", with: "\"X\": 59,")
        }
        let found = try run(["c = open \(path)", "compare a c logits hello"])
        #expect(found.code == 1)
        #expect(
            found.errors.contains(
                "token 58 is \"X\" in a and \"Y\" in c; compare checkpoints that share a tokenizer"), "\(found.errors)")
    }

    @Test("a text that becomes other tokens is refused at the first that differs")
    func otherIDs() throws {
        // One merge less: "he" stays two letters.
        let path = try copy("merges") { text in
            text.replacing(/\[\s*"h",\s*"e"\s*\],/, with: "")
        }
        let found = try run(["c = open \(path)", "compare a c logits \"oh, the sea\""])
        #expect(found.code == 1)
        #expect(found.errors.contains("compare checkpoints that make the same tokens of a text"), "\(found.errors)")
        #expect(found.errors.contains("of the text is"), "\(found.errors)")
    }

    @Test("Ctrl-C ends a comparison and keeps the session")
    func interrupted() throws {
        let lines = (0..<30_000).map { "prompt \($0) " + String(repeating: "ab c", count: $0 % 9) }
        try lines.joined(separator: "\n").write(toFile: folder.file("p.txt"), atomically: true, encoding: .utf8)
        let process = Process()
        process.executableURL = NacreProcess.binary
        process.arguments = [
            "--no-init", "-c", "a = open \(models)/tiny-chat.h5", "-c", "p = prompts \(folder.file("p.txt"))",
            "-c", "tokens started > \(folder.file("started"))", "-c", "compare a a logits --prompts p",
        ]
        process.currentDirectoryURL = NacreProcess.root
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        let end = Date().addingTimeInterval(60)
        while process.isRunning, !FileManager.default.fileExists(atPath: folder.file("started")), Date() < end {
            usleep(1000)
        }
        usleep(100_000)
        kill(process.processIdentifier, SIGINT)
        process.waitUntilExit()
        #expect(process.terminationReason == .exit && process.terminationStatus == 130)
    }
}
