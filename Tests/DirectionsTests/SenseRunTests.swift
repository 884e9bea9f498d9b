import Control
import LinearAlgebra
import Models
import Sites
import Statistics
import TestSupport
import Testing
import Tokenizers
import Workbench
import WorkbenchTestSupport

@testable import Directions

@Suite("Senses of words in a run")
struct SenseRunTests {
    private let folder = TemporaryFolder()

    private typealias Line = (text: String, word: String, sense: String)

    private func file(_ lines: [Line], _ name: String = "s.jsonl") throws -> SenseFile {
        let text = lines.map { "{\"text\": \"\($0.text)\", \"word\": \"\($0.word)\", \"sense\": \"\($0.sense)\"}" }
            .joined(separator: "\n")
        writeBytes(Array(text.utf8), folder.file(name))
        return try SenseFile(folder.file(name), name: "s.jsonl", .init())
    }

    /// The lines of some words of the shipped file.
    private func shipped(_ words: [String], _ count: Int = 120) throws -> SenseFile {
        let lines = try words.flatMap { word -> [String] in
            let all = try shippedLines("senses.jsonl", 9600).filter { $0.contains("\"word\": \"\(word)\"") }
            return (0..<count).map { all[$0 * all.count / count] }
        }
        writeBytes(Array(lines.joined(separator: "\n").utf8), folder.file("shipped.jsonl"))
        return try SenseFile(folder.file("shipped.jsonl"), .init())
    }

    private func run(
        _ file: SenseFile, _ word: String? = nil, sites: [Site] = [Site(.embed), Site(.residPost, layer: 3)],
        most: Int = 20, context: RunContext = .testing()
    ) throws -> SenseRun.Result {
        try SenseRun(
            context: context, source: namedPearl("base"), file: file, word: word, sites: sites, most: most, splits: 40,
            seed: 0
        ).run()
    }

    @Test("at the embedding senses are apart by 0, exactly, and behind a few layers by more than random splits are")
    func shippedWords() throws {
        let result = try run(shipped(["bank", "apple"]))
        #expect(result.measured.map(\.contexts.word) == ["bank", "apple"] && result.leftOut.isEmpty)
        #expect(result.centreWords == 2)
        for word in result.measured {
            #expect(word.contexts.senses.count == 2 && word.rows == 40 && word.contexts.hasOneLastToken)
            let (embedded, late) = (word.separations[0], word.separations[1])
            #expect(embedded.separation == 0 && embedded.isConstant && !embedded.isAboveNull && embedded.p == 1)
            #expect(late.isAboveNull && late.p < 0.05 && late.separation > late.nullMedian && !late.isConstant)
            #expect(try #require(late.nearerMean.value) > 0.9)
            #expect(word.split == 1)
        }
    }

    @Test("senses that were dealt out at random come apart nowhere")
    func noise() throws {
        let all = try shipped(["bank"])
        let sense = all.lines[0].sense
        let lines = all.lines.filter { $0.sense == sense }
        let dealt = try file(lines.enumerated().map { ($1.text, "bank", $0 % 2 == 0 ? "one" : "other") })
        let result = try run(dealt, sites: [Site(.residPost, layer: 3)])
        let found = try #require(result.measured.first?.separations[0])
        #expect(found.p > 0.02 && found.shuffledProbe.trials == found.probe.trials)
        #expect(found.interval.contains(found.separation) && found.cosine == nil, "a word alone has no common centre")
    }

    @Test("the same bits at any number of threads, and for a word alone or among others")
    func repeats() throws {
        let file = try shipped(["bank", "apple"])
        let both = try [1, 2].map { try run(file, context: .testing(threads: $0)) }
        let alone = try run(file, "apple")
        for result in both {
            #expect(result.measured[1].separations.map(\.null) == alone.measured[0].separations.map(\.null))
        }
        #expect(both[0].measured.map(\.separations) == both[1].measured.map(\.separations))
        #expect(alone.measured.count == 1 && alone.centreWords == 2)
    }

    @Test("contexts are tokens up to the word, each once a sense; those under both are counted")
    func contexts() throws {
        let lines: [Line] = [
            ("Anna saw the bank of the river", "bank", "river"), ("Anna saw the bank of gold", "bank", "money"),
            ("Anna saw the bank of the sea", "bank", "river"), ("Hugo saw the bank", "bank", "money"),
        ]
        let base = try pearl("base")
        let found = try SenseContexts("bank", file(lines), base, RunControl())
        #expect(found.senses == ["river", "money"] && found.contexts.map(\.sense) == [0, 1, 1])
        #expect(found.repeated == 1 && found.undecided == 1)
        let text = try base.tokenizer().decode(found.contexts[2].ids, skipSpecialTokens: true)
        #expect(text.hasSuffix("Hugo saw the bank"))
        let sample = found.sample(1, seed: 0, stream: 0)
        #expect(sample.map(\.count) == [1, 1] && found.contexts[sample[1][0]].sense == 1)
        #expect(found.sample(1, seed: 0, stream: 0) == sample)
    }

    @Test("a word that can't be measured is left out beside others, with its reason")
    func leftOut() throws {
        let good: [Line] = (0..<24).map { ("\($0) saw the bank", "bank", $0 % 2 == 0 ? "river" : "money") }
        let lone = try file(good + [("a bat", "bat", "club")])
        let result = try run(lone, sites: [Site(.embed)])
        #expect(result.measured.count == 1 && result.leftOut.map(\.word) == ["bat"])
        #expect(result.leftOut[0].reason == "bat has 1 sense in the file (club), not two")
        #expect(throws: SenseError.notTwoSenses("bat", ["club"])) { try run(lone, "bat") }
        // A line without its word is no matter to another word, and one that was asked for is named.
        let broken = try file(good + [("nothing here", "bat", "club")])
        #expect(try run(broken, "bank", sites: [Site(.embed)]).centreWords == 1)
        #expect(
            throws: SenseError.wordNotInText(file: broken.path, line: 25, text: "nothing here", word: "bat")
        ) { try run(broken) }
        let few = try file([("a bank", "bank", "river"), ("the bank", "bank", "money")])
        #expect(throws: SenseError.fewContexts("bank", sense: "river", count: 1, needed: 10)) { try run(few) }
        let none = try file([("a bank", "bank", "river"), ("a bat", "bat", "club")])
        guard case .noneMeasured(_, let reason)? = #expect(throws: SenseError.self, performing: { try run(none) })
        else {
            return
        }
        #expect(reason.hasPrefix("bank has 1 sense"))
    }

    @Test("senses may be any scalar, by its JSON text; lines with an empty field are left out and counted")
    func scalars() throws {
        func lines(_ senses: [String], text: String = "\"a bank\"") throws -> SenseFile {
            let lines = senses.map { "{\"text\": \(text), \"word\": \"bank\", \"sense\": \($0)}\n" }
            writeBytes(Array(lines.joined().utf8), folder.file("n.jsonl"))
            return try SenseFile(folder.file("n.jsonl"), name: "f", .init())
        }
        let senses = ["true", "1", "0.50", "12345678901234567890", "\"1\""]
        #expect(try lines(senses).lines.map(\.sense) == senses.prefix(4) + ["1"])
        let some = try lines(["\"\"", "1", "null", "2"])
        #expect(some.lines.map(\.number) == [2, 4] && some.losses.emptyFields == [1, 3])
        #expect(throws: SenseError.noLines(file: "f")) { try lines(["1"], text: "\"\"") }
        for (value, kind) in [("[1]", "an array"), ("{}", "an object")] {
            let error = SenseError.badField(place: "f, line 1", field: "sense", .sense, kind: kind)
            #expect(throws: error) { try lines([value]) }
        }
        #expect(throws: SenseError.badField(place: "f, line 1", field: "text", .text, kind: "an integer")) {
            try lines(["1"], text: "5")
        }
    }

    @Test("bad files and words are refused, each with its line")
    func refusals() throws {
        writeBytes(Array("text".utf8), folder.file("s.txt"))
        #expect(throws: SenseError.notJSONLines(file: "f")) { try SenseFile(folder.file("s.txt"), name: "f", .init()) }
        writeBytes(Array("\n \n".utf8), folder.file("e.jsonl"))
        #expect(throws: SenseError.noLines(file: "f")) { try SenseFile(folder.file("e.jsonl"), name: "f", .init()) }
        writeBytes(Array(#"{"text": "a bank", "word": "bank"}"#.utf8), folder.file("m.jsonl"))
        let error = SenseError.noField(place: "f, line 1", field: "sense", .sense, known: ["text", "word"])
        #expect(throws: error) { try SenseFile(folder.file("m.jsonl"), name: "f", .init()) }
        #expect(throws: SenseError.noField(place: "f, line 1", field: "t", .text, known: ["text", "word"])) {
            try SenseFile(folder.file("m.jsonl"), name: "f", .init(text: "t"))
        }
        let bank = try file([("a bank", "bank", "river")])
        #expect(throws: SenseError.noWord("bnak", file: bank.path, known: ["bank"])) { try run(bank, "bnak") }
        let late = try file([
            (Array(repeating: "the sea", count: 300).joined(separator: " ") + " bank", "bank", "river")
        ])
        guard
            case .tooLate(_, line: 1, word: "bank", let token, limit: 256)? = #expect(
                throws: SenseError.self, performing: { try run(late) })
        else { return }
        #expect(token > 256)
        let good = try file((0..<24).map { ("\($0) saw the bank", "bank", $0 % 2 == 0 ? "river" : "money") })
        #expect(throws: CancellationError.self) { try run(good, context: .cancelled) }
        #expect(throws: WorkbenchError.self) {
            try SenseRun(
                context: .testing(),
                source: NamedCheckpoint("bad", withNaN(pearl("base"), in: "model.embed_tokens.weight")),
                file: good, word: nil, sites: [Site(.residPost, layer: 0), Site(.logits)], seed: 0
            ).run()
        }
    }
}
