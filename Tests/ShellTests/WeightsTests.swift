import Checkpoints
import Control
import Foundation
import LinearAlgebra
import Models
import TestSupport
import Testing

/// `compare … weights`, `diff` and `merge` by the real binary, where a transcript does not reach.
@Suite("Weights in the shell")
struct WeightsTests {
    private let folder = TemporaryFolder()
    private let models = "Tests/Fixtures/models"

    private func run(_ commands: String..., threads: Int = 2) throws -> NacreProcess {
        try NacreProcess(
            ["--no-init", "--threads", "\(threads)"], input: commands.joined(separator: "\n") + "\n")
    }

    /// A fixture with some tensors replaced or added, in a file.
    private func write(
        _ name: String, of model: String, _ change: (inout Derivation) throws -> Void
    ) throws -> String {
        let original = try Checkpoint.open(NacreProcess.root.appending(path: "\(models)/\(model).h5").path)
        var derivation = Derivation(of: original, recipeJSON: Array("{}".utf8))
        try change(&derivation)
        let path = folder.file("\(name).h5")
        let contents = try CheckpointContents(
            copying: try Checkpoint(derivation, label: name), createdBy: "a test", recipeJSON: Array("{}".utf8))
        try CheckpointWriter.write(to: path, overwrite: false, source: contents, control: RunControl())
        return path
    }

    private func tensor(_ name: String, _ shape: [Int], _ values: [Float]) throws -> MemoryTensor {
        try MemoryTensor(name: name, type: .f32, shape: shape, file: "test") { target in
            values.withUnsafeBytes { target.copyMemory(from: $0) }
        }
    }

    @Test("a tensor with NaN says so, missing and added ones are listed, and the rest is compared")
    func partial() throws {
        let path = try write("odd", of: "tiny-chat") { derivation in
            var norm = [Float](repeating: 1, count: 32)
            (norm[3], norm[4]) = (.nan, .infinity)
            derivation.tensors = [
                try tensor("model.norm.weight", [32], norm), try tensor("model.extra.weight", [2, 2], [1, 2, 3, 4]),
                try tensor("model.embed_tokens.weight", [100, 32], [Float](repeating: 0.5, count: 3200)),
            ]
        }
        let found = try run("open \(models)/tiny-chat.h5", "open \(path)", "compare tiny-chat odd weights --svd")
        #expect(found.code == 0, "\(found.errors)")
        for part in [
            "NaN or Inf: 2 in B", "1 tensor with NaN or Inf is in no total",
            "model.extra.weight         in B only      -              f32 [2, 2]",
            "model.embed_tokens.weight  another shape  f32 [300, 32]  f32 [100, 32]",
            "1 tensor has another shape: not compared.", "1 tensor is in B only: not compared.",
            "relative change       0 ", "identical tensors     19  of 20", "settings that differ  0 ",
        ] {
            #expect(found.output.contains(part), "\(part): \(found.output)")
        }
        let refused = try run(
            "open \(models)/tiny-chat.h5", "open \(path)", "diff tiny-chat odd model.norm.weight")
        #expect(refused.code == 1 && refused.errors.contains("holds NaN or Inf: 2 in B"), "\(refused.errors)")
        let merged = try run("open \(models)/tiny-chat.h5", "open \(path)", "merge tiny-chat odd --weights 0.5")
        #expect(
            merged.code == 1 && merged.errors.contains("model.embed_tokens.weight has another shape"),
            "\(merged.errors)")
    }

    @Test("an output matrix that one side takes from its embedding is named as tied")
    func tied() throws {
        let path = try write("untied", of: "gqa-tied") { derivation in
            derivation.copies["lm_head.weight"] = "model.embed_tokens.weight"
            try derivation.configure("tie_word_embeddings", false)
        }
        for (a, b) in [("gqa-tied", "untied"), ("untied", "gqa-tied")] {
            let found = try run("open \(models)/gqa-tied.h5", "open \(path)", "compare \(a) \(b) weights --top 1")
            #expect(
                found.output.contains(
                    "The output matrix of gqa-tied is its embedding (tied): model.embed_tokens.weight stands for its"
                        + " lm_head.weight."),
                "\(found.output)\(found.errors)")
        }
    }

    @Test("the same numbers at any number of threads, spectra too")
    func threads() throws {
        let outputs = try [1, 2].map { threads in
            try run(
                "open Checkpoints/pearl-base.h5", "open Checkpoints/pearl-tuned.h5", "mode json",
                "compare pearl-base pearl-tuned weights --svd --top 6", threads: threads
            ).output
        }
        #expect(outputs[0] == outputs[1] && outputs[0].contains("above noise"))
    }

    @Test("a merged checkpoint is saved: the ends as the files were, the middle rounded to A's type")
    func saved() throws {
        let paths = ["start", "end", "half"].map { folder.file("\($0).h5") }
        let found = try run(
            "open Checkpoints/pearl-base.h5", "open Checkpoints/pearl-tuned.h5",
            "start = merge pearl-base pearl-tuned --weights 0", "save start \(paths[0])",
            "end = merge pearl-base pearl-tuned --weights 1", "save end \(paths[1])",
            "half = merge pearl-base pearl-tuned --weights 0.5", "save half \(paths[2])")
        #expect(found.code == 0, "\(found.errors)")
        #expect(found.output.contains("56 tensors went back to bf16"), "\(found.output)")
        let saved = try paths.map { try Checkpoint.open($0) }
        let ends = try ["base", "tuned"].map {
            try Checkpoint.open(NacreProcess.root.appending(path: "Checkpoints/pearl-\($0).h5").path)
        }
        for (one, other) in zip(saved, ends) { #expect(one.tensors.map(\.digest) == other.tensors.map(\.digest)) }
        #expect(saved[2].tensors.allSatisfy { $0.type == .bf16 })
        #expect(saved[2].recipeText?.contains("0.5 pearl-base + 0.5 pearl-tuned") == true)
        #expect(saved[2].tokenizerJSONIsThere && saved[2].configJSON == ends[0].configJSON)
    }

    @Test("a weight that is no number is refused as usage")
    func refused() throws {
        let found = try run(
            "open \(models)/tiny-chat.h5", "merge tiny-chat tiny-chat --weights nan", threads: 1)
        #expect(found.code == 2 && found.errors.contains("--weights can't be \"nan\""), "\(found.errors)")
    }
}

extension Checkpoint {
    fileprivate var tokenizerJSONIsThere: Bool { (try? tokenizerJSON()) ?? nil != nil }
}
