import Checkpoints
import LinearAlgebra
import Models
import TestSupport

/// Memory of a tensor.
final class Memory: @unchecked Sendable {
    let bytes: UnsafeMutableRawBufferPointer

    init(_ source: [UInt8]) {
        bytes = .allocate(byteCount: max(1, source.count), alignment: 64)
        bytes.copyBytes(from: source)
    }

    deinit { bytes.deallocate() }
}

func view(_ name: String, _ type: ElementType, _ shape: [Int], _ bytes: [UInt8]) -> TensorView {
    let memory = Memory(bytes)
    return TensorView(
        name: name, type: type, shape: shape,
        bytes: UnsafeRawBufferPointer(start: memory.bytes.baseAddress, count: bytes.count), owner: memory)
}

func view<Element>(_ type: ElementType, _ elements: [Element]) -> TensorView {
    view("x", type, [elements.count], elements.withUnsafeBytes { Array($0) })
}

func tensor(_ view: TensorView) -> CheckpointContents.Tensor {
    .init(name: view.name, type: view.type, shape: view.shape) { view }
}

/// Three tensors whose bytes count up, every float type among them.
func sampleContents() -> CheckpointContents {
    CheckpointContents(
        architecture: "llama", createdBy: "nacre test", source: "memory",
        configJSON: Array(#"{"model_type": "llama"}"#.utf8), recipeJSON: Array(#"{"seed": 1}"#.utf8),
        tokenizerJSON: Array(#"{"λ": 1}"#.utf8), chatJSON: Array("{}".utf8),
        tensors: [
            tensor(view("model.embed_tokens.weight", .bf16, [7, 4], (0..<56).map { UInt8($0) })),
            tensor(view("model.norm.weight", .f16, [4], (0..<8).map { UInt8($0 + 100) })),
            tensor(view("lm_head.weight", .f32, [3, 4], (0..<48).map { UInt8($0 * 5 % 256) })),
        ])
}

func bytes(_ checkpoint: Checkpoint, _ name: String) throws -> [UInt8] {
    guard let view = try checkpoint.tensor(name) else { return [] }
    return withExtendedLifetime(view) { Array(view.bytes) }
}
