import Foundation
import TestSupport
import Testing

/// On the real 135M-parameter model, where Scripts/fetch-smollm2 has been run.
@Suite("SmolLM2")
struct SmolLM2Tests {
    static let checkpoint = "Downloads/smollm2.h5"
    static let isThere = FileManager.default.fileExists(
        atPath: NacreProcess.root.appending(path: checkpoint).path)

    @Test(
        "answers, and reads from the prompt to the end of its answer",
        .enabled(if: isThere, "run Scripts/fetch-smollm2"))
    func answers() throws {
        let run = try NacreProcess(
            ["--no-init", "--mode", "csv", Self.checkpoint],
            input: "next \"The capital of France is\" --top 1\ngenerate \"What is the capital of France?\" --chat\n")
        #expect(run.code == 0, "\(run.errors)")
        #expect(run.output.contains(#"1," Paris",7042,0.7725"#))
        #expect(run.output.contains("The capital of France is Paris."))
    }

    @Test("opens in no time and little memory", .enabled(if: isThere, "run Scripts/fetch-smollm2"))
    func opens() throws {
        let run = try NacreProcess(["--no-init", "-c", "timer on", "-c", "open \(Self.checkpoint)"])
        let line = run.errors.split(separator: "\n").last ?? ""
        let match = try #require(line.firstMatch(of: /wall ([0-9.e-]+) s.*peak memory ([0-9.]+) MB/))
        #expect(Double(match.1)! < 0.25)
        #expect(Double(match.2)! < 120)
    }
}
