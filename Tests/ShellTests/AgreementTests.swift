import Foundation
import TestSupport
import Testing
import Workbench

@testable import Shell

/// Numbers with nouns and verbs that agree with them.
@Suite("One is, and two are")
struct AgreementTests {
    private static let model = "Tests/Fixtures/models/tiny-chat.h5"
    private let folder = TemporaryFolder()

    @Test("notes about one prompt, pair, copy or text")
    func notes() {
        let one: [(Premise, String)] = [
            (.copies(set: "p", distinct: 1, total: 20), "1 of 20 prompts of p is distinct; copies count once."),
            (.copies(set: "p", distinct: 2, total: 20), "2 of 20 prompts of p are distinct; copies count once."),
            (
                .copiedPairs("p", "n", distinct: 1, total: 4),
                "1 of 4 pairs of p and n is distinct; copies count once."
            ),
            (
                .copiesWithOtherLabels(set: "p", places: [3]),
                "1 copy of prompts of p has another label than the first, which counts: prompt 3."
            ),
            (.sharedTexts("p", "n", count: 1, example: "sea"), "1 text stands in both p and n: \"sea\"."),
            (.doubledMark(.turn, in: .set("p"), count: 1, total: 1), "1 of 1 prompt of p already begins as"),
        ]
        for (premise, note) in one { #expect(premise.note.hasPrefix(note), "\(premise.note)") }
    }

    private func run(_ text: [String], _ commands: [String]) throws -> String {
        try (text.joined(separator: "\n") + "\n").write(toFile: folder.file("p.txt"), atomically: true, encoding: .utf8)
        let run = try NacreProcess(
            ["--no-init", "--keep-going", Self.model, "-c", "p = prompts \(folder.file("p.txt"))"]
                + commands.flatMap { ["-c", $0] })
        return run.output + run.errors
    }

    @Test("reports on one reply, one prompt that was left out, and one that differs")
    func reports() throws {
        let reply = try run(["the sea"], ["evaluate p --tokens 1 --marker shore", "generate --prompts p --tokens 1"])
        #expect(
            reply.contains("1 of 1 reply was cut off at 1 token: phrases that come later are not seen."), "\(reply)")
        #expect(reply.contains("of 1 reply\n") && !reply.contains("1 replies"), "\(reply)")
        let distinct = try run(["the sea", "the sea"], ["loss --prompts p"])
        #expect(distinct.contains("1 of 2 prompts is distinct; capture"), "\(distinct)")
        #expect(distinct.contains("1 of 2 prompts of p is distinct; copies count once."), "\(distinct)")
        let few = try run(["the sea"], ["manifold p", "q = prompts \(folder.file("p.txt")) --sample 2"])
        #expect(few.contains("there is only 1 prompt to sample from"), "\(few)")
    }

    @Test("no transcript counts one thing as several")
    func transcripts() throws {
        let nouns =
            "prompts|tokens|rows|replies|tensors|pairs|lines|texts|sites|words|checkpoints|positions|directions|runs"
        let plural = try Regex("(^|[^0-9.,-])1 (\(nouns)|draws|copies|entries|layers|heads|points|components)\\b")
        let verb = try Regex("(^|[^0-9.,-])1 of [0-9,]+ [a-zA-Z' ]+? (are|were|have|do|begin|stand) ")
        for name in TranscriptTests.names {
            let text = try String(contentsOf: TranscriptTests.folder.appending(path: name), encoding: .utf8)
            for line in text.split(separator: "\n") {
                #expect(line.firstMatch(of: plural) == nil && line.firstMatch(of: verb) == nil, "\(name): \(line)")
            }
        }
    }
}
