import Checkpoints
import Control
import Foundation
import JSON
import LinearAlgebra
import Provenance
import TestSupport
import Testing
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
        #expect(try error(line) { $0.answerField = "is" } == .noAnswers(file: "f", field: "is"))
        #expect(
            try error(#"{"text": "a", "label": "x"}"#) { $0.labels = ["x", "y"] }
                == .noSuchLabel(file: "f", label: "y", known: ["x"]))
        #expect(try error("\n\n", "p.txt") == .noPrompts(file: "f"))
        #expect(throws: JSONError.self) { try PromptReader().read(write("p.jsonl", "{"), seed: 0) }
    }

    @Test("what is no text file is refused for its reason")
    func files() throws {
        #expect(throws: WorkbenchError.unreadable(file: "/nowhere", reason: "No such file or directory")) {
            try TextFile.read("/nowhere")
        }
        #expect(throws: WorkbenchError.notRegular(file: folder.path)) { try TextFile.read(folder.path) }
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
        let (phrases, input) = try Markers.read(path, name: "m")
        #expect(phrases == ["I can't", "Sorry"] && input.name == "m")
        #expect(input.sha256 == Digest.sha256("# of refusals\nI can't\n\nSorry\n"))
        #expect(throws: WorkbenchError.noPhrases(file: "m")) {
            try Markers.read(write("none.txt", "#\n"), name: "m")
        }
    }

    @Test("prompts become tokens as the checkpoint is meant to see them, a chat prompt in its template")
    func encoding() throws {
        let tiny = try fixtureModel("tiny-chat")
        let plain = try tiny.encode(promptSet(["the sea"]), control: RunControl())
        #expect(plain.texts == ["the sea"])
        #expect(try plain.ids == [tiny.encode("the sea")])
        let chat = try tiny.encode(promptSet(["the sea"], isChat: true), control: RunControl())
        #expect(
            chat.texts == [
                "<|im_start|>system\nYou are a small model.<|im_end|>\n<|im_start|>user\nthe sea<|im_end|>\n"
                    + "<|im_start|>assistant\n"
            ])
        #expect(try chat.ids == [tiny.encode(chat.texts[0], isRendered: true)])
        #expect(throws: WorkbenchError.emptyPrompt(number: 2, source: "texts")) {
            try tiny.encode(promptSet(["a", ""]), control: RunControl())
        }
        #expect(throws: WorkbenchError.emptyText) { try tiny.encode("") }
        #expect(throws: CancellationError.self) {
            try tiny.encode(promptSet(["a"]), control: RunContext.cancelled.control)
        }
    }
}
