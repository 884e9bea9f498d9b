import Checkpoints
import Control
import Directions
import Foundation
import HDF5
import JSON
import LinearAlgebra
import Models
import Sites
import Statistics
import TestSupport
import Testing
import Tokenizers
import Workbench
import WorkbenchTestSupport

/// A checkpoint with what runs it.
private struct Loaded {
    let checkpoint: Checkpoint
    let model: Decoder
    let runner: Runner
    let pool: ThreadPool

    init(_ checkpoint: Checkpoint) throws {
        self.checkpoint = checkpoint
        let json = try JSONValue(parsing: checkpoint.configJSON ?? [], file: checkpoint.label)
        model = try Architectures.decoder(json, weights: checkpoint)
        pool = Pools.one
        runner = Runner(model: model, pool: pool)
    }

    init(fixture name: String) throws { try self.init(fixtureModel(name).file) }

    /// All logits, prompt after prompt.
    func logits(_ prompts: [[Int32]], edits: [any Edit] = []) throws -> [Float] {
        var result: [Float] = []
        let vocabulary = model.configuration.vocabularySize
        let sequences = TokenSequences(prompts)
        let request = LogitsRequest(rows: Array(0..<sequences.tokens.count)) { range, values, _ in
            result += UnsafeBufferPointer(start: values, count: range.count * vocabulary)
        }
        try runner.run(sequences, edits: edits, logits: request, control: RunControl())
        return result
    }

    func fold(_ subspace: Subspace) throws -> Fold {
        try Fold(
            subspace, into: checkpoint, model: model, label: "folded", recipeJSON: Array("{}".utf8), pool: pool,
            control: RunControl())
    }

    /// The same subspace taken out of everything that enters the residual stream, while it runs.
    func ablation(_ subspace: Subspace) -> SubspaceEdit {
        let kinds: [Site.Kind] = [.residPre, .attnOut, .mlpOut]
        let sites = (0..<model.configuration.layers).flatMap { layer in kinds.map { Site($0, layer: layer) } }
        return SubspaceEdit(basis: subspace.basis, sites: sites)
    }

    func randomSubspace(_ k: Int, seed: UInt64) throws -> Subspace {
        var random = SeededRandom(seed: seed)
        let width = model.configuration.hiddenSize
        return try Subspace(
            vectors: Matrix(rows: k, columns: width, values: random.normal(count: k * width).map(Float.init)))
    }

    var randomPrompts: [[Int32]] {
        var random = SeededRandom(seed: 11)
        let vocabulary = Int32(model.configuration.vocabularySize)
        return (1...8).map { length in (0..<3 * length).map { _ in Int32.random(in: 0..<vocabulary, using: &random) } }
    }
}

private let folder = repositoryFile("Tests/Fixtures/models")

private func fixture(_ name: String) -> String { "\(folder)/\(name).h5" }

private let names: [String] =
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
    .filter { $0.hasSuffix(".golden.h5") }.map { String($0.dropLast(".golden.h5".count)) }.sorted()

private let withNormsAfter = ["gemma2", "gemma3", "gemma3-linear", "olmo2"]

private func largestDifference(_ a: [Float], _ b: [Float]) -> Float {
    guard a.count == b.count else { return .infinity }
    return zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) }
}

@Suite("Folding")
struct FoldTests {
    @Test(
        "edits at every site are folded weights, tied and untied, folded once and twice",
        arguments: names.filter { !withNormsAfter.contains($0) }, [1, 3])
    func golden(name: String, k: Int) throws {
        let file = try Loaded(fixture: name)
        for isTied in [true, false] {
            // An untied model can be run as a tied one. The other way, the folded model is untied.
            if !isTied, file.model.configuration.tiedEmbeddings { continue }
            var derivation = Derivation(of: file.checkpoint, recipeJSON: Array("{}".utf8))
            try derivation.configure("tie_word_embeddings", isTied)
            let original = try Loaded(Checkpoint(derivation, label: name))
            #expect(original.model.configuration.tiedEmbeddings == isTied)
            let prompts = original.randomPrompts
            let unedited = try original.logits(prompts)
            let subspace = try original.randomSubspace(k, seed: 3)
            let edited = try original.logits(prompts, edits: [original.ablation(subspace)])
            #expect(largestDifference(edited, unedited) > 1e-2, "the edit changes something")

            let folded = try Loaded(original.fold(subspace).checkpoint)
            #expect(!folded.model.configuration.tiedEmbeddings)
            let difference = largestDifference(try folded.logits(prompts), edited)
            #expect(difference < 1e-4, "tied \(isTied): \(difference)")
            // Edits off: the original's bits.
            #expect(try original.logits(prompts) == unedited)

            let more = try folded.randomSubspace(1, seed: 4)
            let twice = try Loaded(folded.fold(more).checkpoint)
            let again = try folded.logits(prompts, edits: [folded.ablation(more)])
            #expect(largestDifference(again, edited) > 1e-2)
            #expect(largestDifference(try twice.logits(prompts), again) < 1e-4, "folded twice")
        }
    }

    @Test("pearl-tuned on 50 prompts, one direction and three", arguments: [1, 3])
    func pearl(k: Int) throws {
        let original = try Loaded(Checkpoint.open(repositoryFile("Checkpoints/pearl-tuned.h5")))
        let tokenizer = try Tokenizer(json: original.checkpoint.tokenizerJSON() ?? [], label: "pearl-tuned")
        let texts = try String(contentsOfFile: repositoryFile("Scripts/prompts/open.txt"), encoding: .utf8)
        let prompts = texts.split(separator: "\n").prefix(50).map { tokenizer.encode(String($0)) }
        #expect(prompts.count == 50)
        let unedited = try original.logits(prompts)
        let subspace = try original.randomSubspace(k, seed: 5)
        let edited = try original.logits(prompts, edits: [original.ablation(subspace)])
        let folded = try Loaded(original.fold(subspace).checkpoint)
        let difference = largestDifference(try folded.logits(prompts), edited)
        #expect(difference < 1e-4, "\(difference)")
        #expect(largestDifference(edited, unedited) > 1e-2)
        #expect(try original.logits(prompts) == unedited)
    }

    @Test("the directions are gone from every matrix and bias, and nothing else is touched")
    func removed() throws {
        let original = try Loaded(fixture: "gpt2")
        let subspace = try original.randomSubspace(2, seed: 6)
        let fold = try original.fold(subspace)
        let checkpoint = fold.checkpoint
        let width = original.model.configuration.hiddenSize
        let layers = original.model.configuration.layers
        #expect(fold.changes.count == 2 + 4 * layers)
        #expect(fold.separated == "lm_head.weight")
        for change in fold.changes {
            // GPT-2 stores all of them with the residual stream's coordinates side by side.
            let before = try floats(original.checkpoint, change.tensor)
            let after = try floats(checkpoint, change.tensor)
            var (largest, removed, norm) = (0.0, 0.0, 0.0)
            for start in stride(from: 0, to: after.count, by: width) {
                for row in 0..<2 {
                    let product = zip(subspace.basis.row(row), after[start..<start + width])
                        .reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
                    #expect(abs(product) < 1e-6, "\(change.tensor)")
                }
            }
            for (old, new) in zip(before, after) {
                largest = max(largest, abs(Double(new) - Double(old)))
                removed += (Double(new) - Double(old)) * (Double(new) - Double(old))
                norm += Double(old) * Double(old)
            }
            #expect(change.largest == largest)
            #expect(abs(change.removed - removed.squareRoot()) < 1e-9)
            #expect(abs(change.norm - norm.squareRoot()) < 1e-9)
        }
        let changed = Set(fold.changes.map(\.tensor))
        for info in original.checkpoint.tensors where !changed.contains(info.name) {
            #expect(checkpoint.info(info.name) == info)
            #expect(try bytes(checkpoint, info.name) == bytes(original.checkpoint, info.name), "\(info.name)")
        }
        #expect(
            try bytes(checkpoint, "lm_head.weight") == bytes(original.checkpoint, "transformer.wte.weight"),
            "the output matrix keeps the rows")
        #expect(checkpoint.tensors.count == original.checkpoint.tensors.count + 1)
    }

    @Test("the same bits at any number of threads; a second time nothing is left to take out")
    func sameBits() throws {
        let original = try Loaded(fixture: "gqa-tied")
        let subspace = try original.randomSubspace(3, seed: 7)
        let digests = try [1, 2, 3].map { threads in
            let fold = try Fold(
                subspace, into: original.checkpoint, model: original.model, label: "folded", recipeJSON: [],
                pool: ThreadPool(threadCount: threads), control: RunControl())
            return fold.checkpoint.tensors.map(\.digest)
        }
        #expect(digests[0] == digests[1] && digests[1] == digests[2])
        #expect(digests[0].allSatisfy { $0 != nil })
        let once = try Loaded(original.fold(subspace).checkpoint)
        for change in try once.fold(subspace).changes { #expect(change.largest < 1e-7, "\(change.tensor)") }
    }

    @Test("norms after the parts are refused, by name, with what to do instead", arguments: withNormsAfter)
    func normsAfter(name: String) throws {
        let original = try Loaded(fixture: name)
        let subspace = try original.randomSubspace(1, seed: 8)
        let error = try #require(#expect(throws: DirectionsError.self) { try original.fold(subspace) })
        #expect(error.description.contains("ablate"))
        #expect(error.description.contains("o_proj"))
        #expect(!original.model.addsProductsOnly)
    }

    @Test("directions of another width, and weights that are not finite, are refused")
    func refusals() throws {
        let original = try Loaded(fixture: "mha")
        let narrow = try Subspace(vectors: Matrix(rows: 1, columns: 3, values: [1, 2, 3]))
        #expect(throws: DirectionsError.wrongWidth(directions: 3, model: 32, file: "mha.h5")) {
            try original.fold(narrow)
        }
        let name = "model.layers.0.mlp.down_proj.weight"
        let view = try #require(try original.checkpoint.tensor(name))
        var derivation = Derivation(of: original.checkpoint, recipeJSON: [])
        derivation.tensors = [
            try MemoryTensor(name: name, type: .f32, shape: view.shape, file: "broken") {
                $0.storeBytes(of: Float.infinity, toByteOffset: 40, as: Float.self)
            }
        ]
        let broken = try Loaded(Checkpoint(derivation, label: "broken"))
        #expect(throws: DirectionsError.overflow(tensor: name, file: "broken")) {
            try broken.fold(broken.randomSubspace(1, seed: 9))
        }
    }

    @Test("a bare tied model gets the prefix that transformers would not add beside an output matrix")
    func bare() throws {
        let file = try Checkpoint.open(fixture("gpt2"))
        var bare = Derivation(of: file, recipeJSON: [])
        bare.prefix = "ignored."
        for info in file.tensors { bare.copies[String(info.name.dropFirst("transformer.".count))] = info.name }
        let original = try Loaded(Checkpoint(bare, label: "bare"))
        #expect(original.model.embedding.view.name == "wte.weight")
        let subspace = try original.randomSubspace(1, seed: 10)
        let folded = try Loaded(original.fold(subspace).checkpoint)
        #expect(folded.model.embedding.view.name == "transformer.wte.weight")
        #expect(folded.checkpoint.info("lm_head.weight") != nil)
        #expect(folded.checkpoint.info("wte.weight") == nil)
        #expect(folded.checkpoint.derivation?.fileType("transformer.wte.weight") == .f16)
        let prompts = original.randomPrompts
        let edited = try original.logits(prompts, edits: [original.ablation(subspace)])
        #expect(largestDifference(try folded.logits(prompts), edited) < 1e-4)
    }

    private func bytes(_ checkpoint: Checkpoint, _ name: String) throws -> [UInt8] {
        let view = try #require(try checkpoint.tensor(name), "\(name)")
        return withExtendedLifetime(view) { Array(view.bytes) }
    }

    /// Exact for the 16-bit types too.
    private func floats(_ checkpoint: Checkpoint, _ name: String) throws -> [Float] {
        let view = try #require(try checkpoint.tensor(name), "\(name)")
        return [Float](unsafeUninitializedCapacity: view.count) { buffer, count in
            Widening.widen(view.bytes.baseAddress!, view.type, into: buffer.baseAddress!, count: view.count)
            count = view.count
        }
    }
}
