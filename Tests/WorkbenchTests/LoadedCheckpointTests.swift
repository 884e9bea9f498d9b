import Checkpoints
import JSON
import LinearAlgebra
import Models
import Sites
import TestSupport
import Testing
import Tokenizers
import WorkbenchTestSupport

@testable import Workbench

@Suite("Open checkpoints")
struct LoadedCheckpointTests {
    @Test("what is made from a file is made once, and what it lacks is said")
    func parts() throws {
        let tiny = try fixtureModel("tiny-chat")
        #expect(try tiny.configuration().layers == 2 && tiny.configuration().vocabularySize == 300)
        #expect(try tiny.configurationJSON()["model_type"]?.string == "llama")
        #expect(try tiny.tokenizer() === tiny.tokenizer())
        #expect(tiny.parameterCount == tiny.file.tensors.reduce(0) { $0 + $1.count })
        #expect(tiny.summary.hasPrefix("llama, ") && tiny.summary.contains(" parameters in "))
        #expect(tiny.openOptions.isEmpty && tiny.label.hasSuffix("tiny-chat.h5"))
        let bare = try fixtureModel("mha")
        #expect(throws: WorkbenchError.noTokenizer(checkpoint: bare.label)) { try bare.tokenizer() }
        #expect(throws: WorkbenchError.noChatTemplate(checkpoint: bare.label)) { try bare.chatTemplate() }
        let error = #expect(throws: ModelError.self) { try fixtureModel("nosuch").configuration() }
        guard case .unknownArchitecture? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test("an identity is that of the tensors, whatever the file is called")
    func identity() throws {
        let (one, other) = (try pearl("chat"), try pearl("tuned"))
        let digest = try #require(one.digest)
        #expect(one.identity == digest && digest != other.identity)
        #expect(try pearl("chat").identity == digest)
        // One in memory with other numbers is another.
        let made = try changed(fixtureModel("tiny-chat")) { name, values in
            name == "model.norm.weight" ? values.map { $0 + 1 } : nil
        }
        #expect(try made.identity != fixtureModel("tiny-chat").identity && !made.identity.isEmpty)
    }

    @Test("a runner is kept while it can be used, and packed weights go when they may take no memory")
    func runner() throws {
        let tiny = try fixtureModel("tiny-chat")
        let first = try tiny.runner(pool: Pools.two, shape: nil)
        #expect(try tiny.runner(pool: Pools.two, shape: nil) === first)
        #expect(try tiny.runner(pool: Pools.one, shape: nil) !== first)
        let model = try tiny.model()
        _ = model
        var shape = RunnerShape()
        shape.packsWeights = true
        let packing = try tiny.runner(pool: Pools.two, shape: shape)
        #expect(packing.packsWeights)
        shape.packsWeights = false
        let other = try tiny.runner(pool: Pools.two, shape: shape)
        #expect(other !== packing && !other.packsWeights && tiny.packedBytes == 0)
        let context = RunContext.testing()
        #expect(try context.runner(tiny, precision: .bf16).precision == .bf16)
        #expect(try context.runner(tiny).precision == .f32)
    }
}

@Suite("Pairs of checkpoints")
struct CheckpointPairTests {
    private let folder = TemporaryFolder()

    private func pair(_ a: LoadedCheckpoint, _ b: LoadedCheckpoint) -> CheckpointPair {
        CheckpointPair(a: NamedCheckpoint("a", a), b: NamedCheckpoint("b", b))
    }

    @Test("prompts that both see as the same tokens, with their positions")
    func encode() throws {
        let pair = pair(try fixtureModel("tiny-chat"), try fixtureModel("tiny-near"))
        try pair.checkSameVocabulary()
        let set = promptSet(["the sea", "a", "a model"])
        let context = RunContext.testing()
        let last = try pair.encode(set, at: .last, in: context)
        #expect(last.numbers == [0, 1, 2] && last.leftOut == 0)
        #expect(last.positions == last.ids.map { [$0.count - 1] })
        // Where a loss is taken, the last token has none after it: a prompt of one token has no position.
        let all = try pair.encode(set, at: .all, in: context)
        #expect(all.numbers == [0, 2] && all.leftOut == 1)
        #expect(all.positions == all.ids.map { Array(0..<$0.count - 1) })
        #expect(throws: WorkbenchError.noNextToken) { try pair.encode(promptSet(["a"]), at: .all, in: context) }
    }

    @Test("vocabularies of two sizes are told before anything runs")
    func sizes() throws {
        let pair = pair(try fixtureModel("tiny-chat"), try fixtureModel("tiny-words"))
        #expect(throws: WorkbenchError.differentVocabularies("a", 300, "b", 320)) { try pair.checkSameVocabulary() }
    }

    /// A copy of the folder of tiny-chat whose tokenizer.json is another.
    private func copy(_ change: (String) -> String) throws -> LoadedCheckpoint {
        let path = folder.file("copy")
        try copyFolder(modelFolder("tiny-chat"), to: path)
        let tokenizer = path + "/tokenizer.json"
        let text = try TextFile.read(tokenizer)
        let other = change(text)
        #expect(other != text)
        writeBytes(Array(other.utf8), tokenizer)
        return LoadedCheckpoint(try Checkpoint.open(path))
    }

    @Test("a token id that means another text is named")
    func otherToken() throws {
        let other = try copy { text in
            text.replacing("\"X\": 58,", with: "\"Y\": 58,").replacing("\"Y\": 59,", with: "\"X\": 59,")
        }
        let pair = pair(try fixtureModel("tiny-chat"), other)
        let error = #expect(throws: WorkbenchError.self) { try pair.checkSameVocabulary() }
        #expect(error == .differentTokens(id: 58, "X", "a", "Y", "b"))
    }

    @Test("a text that becomes other tokens is refused at the first that differs")
    func otherIDs() throws {
        // One merge less: "he" stays two letters.
        let other = try copy { $0.replacing(/\[\s*"h",\s*"e"\s*\],/, with: "") }
        let pair = pair(try fixtureModel("tiny-chat"), other)
        let sets = [
            (PromptSet(texts: ["oh, the sea"]), "of the text is"),
            (promptSet(["a", "oh, the sea"]), "of prompt 2 of texts is"),
        ]
        for (set, place) in sets {
            let error = #expect(throws: WorkbenchError.self) { try pair.encode(set, at: .last, in: .testing()) }
            #expect("\(try #require(error))".contains(place))
        }
    }
}
