import Checkpoints
import Control
import Foundation
import JSON
import LinearAlgebra
import Models
import Provenance
import TestSupport
import Testing
import Tokenizers
import Workbench
import WorkbenchTestSupport

@Suite("Reading sets of prompts")
struct PromptReaderTests {
    private let folder = TemporaryFolder()

    private func write(_ name: String, _ text: String) throws -> String {
        let path = folder.file(name)
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    @Test("a text file has one prompt a line, whatever its line breaks are; empty lines are none")
    func lines() throws {
        let path = try write("p.txt", "\u{FEFF}one\r\n\r\n two \nthree")
        let set = try PromptReader().read(path, seed: 0)
        #expect(set.prompts.map(\.text) == ["one", " two ", "three"])
        #expect(!set.hasLabels && !set.hasAnswers && set.labels == [""])
        #expect(set.summary == "3 prompts, from \(path)")
    }

    @Test("carriage returns alone end lines, as in files of old Macs, of prompts, objects and phrases")
    func carriageReturns() throws {
        let set = try PromptReader().read(write("mac.txt", "one\r\rtwo three\rfour\r"), seed: 0)
        #expect(set.prompts.map(\.text) == ["one", "two three", "four"] && set.losses.blank == [2])
        let objects = try PromptReader().read(write("mac.jsonl", "{\"text\": \"a\"}\r{\"text\": \"b\"}\n"), seed: 0)
        #expect(objects.prompts.map(\.text) == ["a", "b"])
        #expect(try Markers.read(write("mac.list", "No\rSorry\r")).phrases == ["No", "Sorry"])
    }

    @Test("a .jsonl file has one object a line, with a label and answers where it has them")
    func objects() throws {
        let path = try write(
            "p.jsonl",
            """
            {"text": "a", "label": "x", "answer": " yes "}

            {"text": "b", "label": 7, "answer": ["no", "nay"]}
            {"text": "c", "answer": null}
            """)
        var reader = PromptReader()
        reader.isChat = true
        let set = try reader.read(path, seed: 0)
        #expect(
            set.prompts == [
                .init(text: "a", label: "x", answers: ["yes"]), .init(text: "b", label: "7", answers: ["no", "nay"]),
                .init(text: "c"),
            ])
        #expect(set.labels == ["x", "7", ""] && set.hasLabels && set.hasAnswers)
        #expect(set.summary == "3 prompts, as chat, 2 labels, 2 with answers, from \(path)")
        reader.answerField = ""
        #expect(try !reader.read(path, seed: 0).hasAnswers)
        reader.labels = ["7"]
        #expect(try reader.read(path, seed: 0).prompts.map(\.text) == ["b"])
    }

    @Test("other fields can hold text, label and answer")
    func fields() throws {
        let path = try write("p.jsonl", #"{"q": "a", "kind": "k", "is": "z"}"#)
        var reader = PromptReader()
        (reader.field, reader.labelField, reader.answerField) = ("q", "kind", "is")
        #expect(try reader.read(path, seed: 0).prompts == [.init(text: "a", label: "k", answers: ["z"])])
    }

    @Test("a sample has the file's order, is the same for a seed and another for another")
    func sample() throws {
        let path = try write("p.txt", (0..<50).map(String.init).joined(separator: "\n"))
        var reader = PromptReader()
        reader.limit = 40
        reader.sample = 10
        let numbers = try reader.read(path, seed: 3).prompts.compactMap { Int($0.text) }
        #expect(numbers.count == 10 && numbers == numbers.sorted() && numbers.allSatisfy { $0 < 40 })
        #expect(try reader.read(path, seed: 3).prompts.compactMap { Int($0.text) } == numbers)
        #expect(try reader.read(path, seed: 4).prompts.compactMap { Int($0.text) } != numbers)
        reader.sample = 41
        #expect(throws: WorkbenchError.fewPrompts(40)) { try reader.read(path, seed: 3) }
    }

    @Test("each bad file is refused at its place")
    func refusals() throws {
        func error(
            _ text: String, _ name: String = "p.jsonl", _ change: (inout PromptReader) -> Void = { _ in }
        ) throws -> WorkbenchError? {
            let path = try write(name, text)
            var reader = PromptReader()
            change(&reader)
            return #expect(throws: WorkbenchError.self) { try reader.read(path, name: "f", seed: 0) }
        }
        let line = #"{"text": "a"}"# + "\n"
        #expect(
            try error(line + #"{"txt": "b"}"#)
                == .noPromptField(place: "f, line 2", field: "text", known: ["txt"]))
        #expect(try error(line + "[]") == .noPromptField(place: "f, line 2", field: "text", known: []))
        #expect(
            try error(#"{"text": 5}"#) == .promptIsNoText(place: "f, line 1", kind: "an integer", field: "text"))
        #expect(
            try error(#"{"text": "a", "answer": 5}"#)
                == .answerIsNoText(place: "f, line 1", kind: "an integer", field: "answer"))
        #expect(
            try error(#"{"text": "a", "answer": ["b", null]}"#)
                == .answerIsNoText(place: "f, line 1", kind: "a list with null", field: "answer"))
        #expect(
            try error(#"{"text": "a", "answer": []}"#)
                == .emptyAnswer(place: "f, line 1", isList: true, field: "answer"))
        #expect(
            try error(#"{"text": "a", "answer": "  "}"#)
                == .emptyAnswer(place: "f, line 1", isList: false, field: "answer"))
        #expect(
            try error(line) { $0.answerField = "is" } == .noAnswers(file: "f", field: "is", known: ["text"]))
        #expect(
            try error(#"{"text": "a", "label": "x"}"#) { $0.labels = ["x", "y"] }
                == .noSuchLabel(file: "f", label: "y", known: ["x"]))
        #expect(try error("\n\n", "p.txt") == .noPrompts(file: "f"))
        #expect(throws: JSONError.self) { try PromptReader().read(write("p.jsonl", "{"), seed: 0) }
    }

    @Test("a field that is named must be in some line, whose fields are listed; a text file has none")
    func namedFields() throws {
        let path = try write("p.jsonl", #"{"text": "a", "kind": 1}"# + "\n" + #"{"text": "b", "is": 2, "kind": 2}"#)
        let plain = try write("p.txt", "a\nb\n")
        func error(_ path: String, _ change: (inout PromptReader) -> Void) -> WorkbenchError? {
            var reader = PromptReader()
            change(&reader)
            return #expect(throws: WorkbenchError.self) { try reader.read(path, name: "f", seed: 0) }
        }
        let known = ["text", "kind", "is"]
        #expect(error(path) { $0.labelField = "kin" } == .noLabelField(file: "f", field: "kin", known: known))
        #expect(error(path) { $0.labels = ["1"] } == .noLabelField(file: "f", field: "label", known: known))
        #expect(
            error(path) { ($0.labels, $0.labelField) = (["1"], "") }
                == .noLabelField(file: "f", field: "", known: known))
        #expect(error(path) { $0.answerField = "answer" } == .noAnswers(file: "f", field: "answer", known: known))
        for change in [{ $0.field = "q" }, { $0.labelField = "q" }, { $0.answerField = "q" }]
            as [(inout PromptReader) -> Void]
        {
            #expect(error(plain, change) == .noFields(file: "f", field: "q"))
        }
        #expect(error(plain) { $0.labels = ["x"] } == .noFields(file: "f", field: "label"))
        let empty = try write("e.jsonl", "\n")
        #expect(error(empty) { ($0.labels, $0.labelField) = (["1"], "kind") } == .noPrompts(file: "f"))
        // A field of some lines is enough, and an empty name reads none.
        var reader = PromptReader()
        reader.labelField = "is"
        #expect(try reader.read(path, seed: 0).prompts.map(\.label) == ["", "2"])
        (reader.labelField, reader.answerField) = ("", "")
        #expect(try !reader.read(path, seed: 0).hasLabels && reader.read(plain, seed: 0).prompts.count == 2)
    }

    @Test("what is no text file is refused for its reason")
    func files() throws {
        for path in ["/nowhere", "/dev/null/p.txt"] {
            #expect(throws: WorkbenchError.noFile(path)) { try TextFile.read(path) }
        }
        #expect(throws: WorkbenchError.isFolder(folder.path)) { try TextFile.read(folder.path) }
        #expect(throws: WorkbenchError.notRegular(file: "/dev/null")) { try TextFile.read("/dev/null") }
        writeBytes([0x61, 0xFF], folder.file("b"))
        #expect(throws: WorkbenchError.notText(file: folder.file("b"))) { try TextFile.read(folder.file("b")) }
        let path = folder.file("large")
        #expect(FileManager.default.createFile(atPath: path, contents: nil))
        let handle = try FileHandle(forWritingTo: URL(filePath: path))
        // A file of a hole: it takes no room.
        try handle.truncate(atOffset: 1 << 30 + 1)
        #expect(throws: WorkbenchError.tooLargeText(file: path)) { try TextFile.read(path) }
    }

    @Test("a digest tells texts apart, whatever their set is called, and where one ends")
    func digests() throws {
        let one = promptSet(["ab", "c"])
        #expect(one.digest == PromptSet(source: "other", prompts: one.prompts, isChat: true).digest)
        #expect(one.digest != promptSet(["a", "bc"]).digest && one.digest.count == 64)
        let capture = Capture(
            sites: [], rows: [], prompts: [.init(text: "ab", label: ""), .init(text: "c", label: "")], recipe: "{}")
        #expect(capture.promptDigest == one.digest)
    }

    @Test("phrases are read from a file, with what a recipe says of it")
    func markers() throws {
        let path = try write("m.txt", "# of refusals\nI can't\n\nSorry\n")
        let (phrases, input, losses) = try Markers.read(path, name: "m")
        #expect(phrases == ["I can't", "Sorry"] && input.name == "m")
        #expect(losses.blank == [3] && losses.comments.isEmpty && losses.repeated.isEmpty)
        #expect(input.sha256 == Digest.sha256("# of refusals\nI can't\n\nSorry\n"))
        #expect(throws: WorkbenchError.noPhrases(file: "m")) {
            try Markers.read(write("none.txt", "#\n"), name: "m")
        }
    }

    @Test("what reading leaves out is counted with line numbers; lines after the last prompt are no loss")
    func losses() throws {
        let lines = try PromptReader().read(write("p.txt", "\n \none\n\t\r\ntwo\n\n\n"), seed: 0)
        #expect(lines.prompts.map(\.text) == ["one", "two"] && lines.losses.blank == [1, 2, 4])
        let objects = try PromptReader().read(
            write("p.jsonl", "{\"text\":\"a\",\"label\":\"x\"}\n\n{\"text\":\"b\"}\n{\"text\":\"c\",\"label\":null}\n"),
            seed: 0)
        #expect(objects.losses.blank == [2] && objects.losses.unlabelled == [3, 4])
        var labelled = PromptReader()
        labelled.labels = ["x"]
        let chosen = try labelled.read(folder.file("p.jsonl"), seed: 0)
        #expect(chosen.losses.blank == [2] && chosen.losses.unlabelled.isEmpty)
        // A limit ends the reading at the last prompt that it takes, whatever comes later.
        let path = try write(
            "l.jsonl",
            "\n{\"text\":\"a\"}\n{\"text\":\"\"}\n{\"text\":\"b\",\"label\":\"x\"}\n\n{\"text\":\"\"}\n{\"text\":\"c\"}\n"
        )
        func limited(_ limit: Int, labels: [String] = []) throws -> ReadingLosses {
            var reader = PromptReader()
            (reader.limit, reader.labels) = (limit, labels)
            return try reader.read(path, seed: 0).losses
        }
        #expect(try limited(1).blank == [1] && limited(1).emptyFields.isEmpty && limited(1).unlabelled.isEmpty)
        #expect(try limited(2).withoutText == [1, 3] && limited(2).unlabelled == [2])
        #expect(try limited(1, labels: ["x"]).withoutText == [1, 3] && limited(1, labels: ["x"]).unlabelled.isEmpty)
        for limit in [3, 9] {
            #expect(try limited(limit).withoutText == [1, 3, 5, 6] && limited(limit).unlabelled == [2, 7])
        }
        let long = String(repeating: "word ", count: 400_000)
        let whole = try PromptReader().read(write("long.txt", "\n\(long)\n"), seed: 0)
        #expect(whole.prompts[0].text.utf8.count == 2_000_000 && whole.losses.blank == [1])
        #expect(try PromptReader().read(write("whole.txt", "a\nb\n"), seed: 0).losses.isEmpty)
        #expect(
            ReadingLosses.list([4]) == "line 4" && ReadingLosses.list([1, 2, 3, 4, 5, 6]).hasSuffix("5 and 1 more"))
    }

    @Test("a line whose text is empty is left out and counted, as an empty line of a text file is")
    func emptyTexts() throws {
        let path = try write(
            "p.jsonl", #"{"text": "a"}"# + "\n" + #"{"text": "", "label": 5}"# + "\n" + #"{"text": "b"}"#)
        let set = try PromptReader().read(path, seed: 0)
        #expect(
            set.prompts.map(\.text) == ["a", "b"] && set.losses.emptyFields == [2] && set.losses.withoutText == [2])
        let whole = try PromptReader().read(write("q.txt", "x\ny\n"), seed: 0)
        #expect(throws: WorkbenchError.differentLosses("p", "q", lines: [2], otherLines: [])) {
            try RunContext.testing().distinctPairs(("p", set), ("q", whole))
        }
        #expect(throws: WorkbenchError.noPrompts(file: "e")) {
            try PromptReader().read(write("e.jsonl", #"{"text": ""}"#), name: "e", seed: 0)
        }
    }

    @Test("any scalar is a label, by its JSON text; a list and an object are refused by name")
    func labels() throws {
        let path = try write(
            "p.jsonl",
            """
            {"text": "a", "label": true}
            {"text": "b", "label": 0.5}
            {"text": "c", "label": -3}
            {"text": "d", "label": "true"}
            """)
        #expect(try PromptReader().read(path, seed: 0).prompts.map(\.label) == ["true", "0.5", "-3", "true"])
        let numbers = ["12345678901234567890123", "-0.10", "1e3", "9007199254740993", "1", "\"1\""]
        let digits = try write(
            "d.jsonl", numbers.map { "{\"text\": \"a\", \"label\": \($0)}\n" }.joined())
        #expect(try PromptReader().read(digits, seed: 0).prompts.map(\.label) == numbers.prefix(5) + ["1"])
        var one = PromptReader()
        one.labels = ["1"]
        #expect(try one.read(digits, seed: 0).prompts.count == 2)
        for (value, kind) in [("[\"a\"]", "an array"), ("{\"a\": 1}", "an object")] {
            let path = try write("q.jsonl", "{\"text\": \"a\"}\n{\"text\": \"b\", \"label\": \(value)}\n")
            #expect(throws: WorkbenchError.labelIsNoScalar(place: "q, line 2", kind: kind, field: "label")) {
                try PromptReader().read(path, name: "q", seed: 0)
            }
        }
    }

    @Test("phrases that stand twice, and lines that begin with # between phrases, are counted")
    func phraseLosses() throws {
        let path = try write("m.txt", "# head\n\nNo\n\n#1 rule\nNo\n Sorry \n\n")
        let (phrases, _, losses) = try Markers.read(path)
        #expect(phrases == ["No", "Sorry"])
        #expect(losses.blank == [4] && losses.comments == [5] && losses.repeated == [6])
    }

    @Test("a text that begins with BOS or as its chat template does is noticed, and can be taken as it stands")
    func doubled() throws {
        let tiny = try pearl("tuned")
        let template = try tiny.chatTemplate()
        let rendered = try template.render(user: "the sea")
        #expect(template.hasOpened(rendered) && template.hasOpened("  \(rendered)") && !template.hasOpened("the sea"))
        let chat = tiny.doubledMark(in: promptSet([rendered, "the sea"], isChat: true))
        #expect(chat?.mark == .turn && chat?.count == 1)
        #expect(tiny.doubledMark(in: promptSet(["the sea"], isChat: true)) == nil)
        let plain = try #require(try tiny.tokenizer().bosID.flatMap { try tiny.tokenizer().token($0) })
        let bos = tiny.doubledMark(in: promptSet(["\(plain)the sea", "the sea"]))
        #expect(bos?.mark == .bos(plain) && bos?.count == 1)
        var reader = PromptReader()
        reader.isRendered = true
        let set = try reader.read(write("p.txt", "\(plain)the sea\n"), seed: 0)
        #expect(tiny.doubledMark(in: set) == nil && set.summary.hasPrefix("1 prompt, rendered, from"))
        #expect(try tiny.encode(set, in: .testing()).ids == [tiny.encode("the sea")])
    }

    @Test("encoding tells of marks that a text has twice, whatever the text comes from, once for a set")
    func told() throws {
        let tuned = try pearl("tuned")
        func told(_ sets: PromptSet...) throws -> [Premise] {
            let told = Told()
            for set in sets { _ = try tuned.encode(set, in: .testing(tell: told.tell)) }
            return told.premises
        }
        let bos = DoubledMark.bos("<|begin|>")
        #expect(
            try told(PromptSet(texts: ["<|begin|>the sea"])) == [.doubledMark(bos, in: .text, count: 1, total: 1)])
        #expect(
            try told(PromptSet(texts: ["<|user|>a", "b"], isChat: true))
                == [.doubledMark(.turn, in: .text, count: 1, total: 2)])
        let set = promptSet([" <|begin|>the sea", "the shore", "<|begin|>"])
        #expect(try told(set) == [.doubledMark(bos, in: .file("texts"), count: 2, total: 3)])
        let named = set.called("p")
        let premises = try told(named, named.selecting([0, 1]))
        #expect(
            premises == [
                .doubledMark(bos, in: .set("p"), count: 2, total: 3),
                .doubledMark(bos, in: .set("p"), count: 1, total: 2),
            ])
        #expect(
            premises[0].covers(premises[1])
                && !premises[0].covers(.doubledMark(.turn, in: .set("p"), count: 1, total: 2)))
        #expect(try told(PromptSet(texts: ["<|begin|>the sea"], isRendered: true)).isEmpty)
    }

    @Test("rendered texts without any mark of the checkpoint are noticed")
    func unrendered() throws {
        func told(_ checkpoint: LoadedCheckpoint, _ texts: [String]) throws -> [Premise] {
            let told = Told()
            _ = try checkpoint.encode(PromptSet(texts: texts, isRendered: true), in: .testing(tell: told.tell))
            return told.premises
        }
        let tuned = try pearl("tuned")
        #expect(try told(tuned, ["the sea", "the shore"]) == [.unrendered(.text, total: 2)])
        #expect(try told(tuned, ["the sea", "<|begin|>the shore"]).isEmpty)
        #expect(try told(tuned, ["the sea<|user|>"]).isEmpty)
        // A model without special tokens and without a template has nothing that a rendered text could show.
        let gpt2 = try fixtureModel("gpt2")
        if let special = try? gpt2.tokenizer().specialIDs, special.isEmpty {
            #expect(try told(gpt2, ["the sea"]).isEmpty)
        }
    }

    @Test("a prompt that is too long is refused by its place in the set, unless it is only shown")
    func tooLong() throws {
        let tiny = try fixtureModel("tiny-chat")
        let limit = try tiny.configuration().maxPositions
        let long = String(repeating: "the sea ", count: limit)
        let set = promptSet(["a", long]).called("p")
        let count = try tiny.encode(set, in: .testing(), isRun: false).ids[1].count
        #expect(count > limit)
        func refusal(_ prompt: String) -> WorkbenchError {
            .longPrompt(prompt, tokens: count, limit: limit, checkpoint: tiny.label)
        }
        #expect(throws: refusal("prompt 2 of p")) { try tiny.encode(set, in: .testing()) }
        #expect(throws: refusal("prompt 2 of p")) { try tiny.encode(set.selecting([1]), in: .testing()) }
        #expect(throws: refusal("the text")) { try tiny.encode(PromptSet(texts: [long]), in: .testing()) }
    }

    @Test("prompts become tokens as the checkpoint is meant to see them, a chat prompt in its template")
    func encoding() throws {
        let tiny = try fixtureModel("tiny-chat")
        let plain = try tiny.encode(promptSet(["the sea"]), in: .testing())
        #expect(plain.texts == ["the sea"])
        #expect(try plain.ids == [tiny.encode("the sea")])
        let chat = try tiny.encode(promptSet(["the sea"], isChat: true), in: .testing())
        #expect(
            chat.texts == [
                "<|im_start|>system\nYou are a small model.<|im_end|>\n<|im_start|>user\nthe sea<|im_end|>\n"
                    + "<|im_start|>assistant\n"
            ])
        #expect(try chat.ids == [tiny.encode(chat.texts[0], isRendered: true)])
        #expect(throws: WorkbenchError.emptyPrompt("prompt 2 of texts")) {
            try tiny.encode(promptSet(["a", ""]), in: .testing())
        }
        #expect(throws: WorkbenchError.emptyPrompt("the text")) { try tiny.encode("") }
        #expect(throws: CancellationError.self) {
            try tiny.encode(promptSet(["a"]), in: .cancelled)
        }
    }
}
