package import Control
package import LinearAlgebra
internal import Models

/// A checkpoint in memory with its own tensors in the types that they have in the file it was made from: what `save` writes.
package struct RoundedCheckpoint: Sendable {
    package let checkpoint: Checkpoint
    /// Tensors whose type is another now.
    package let tensors: [String]
    /// The types that they have now, each once.
    package let types: [ElementType]
    /// The largest change of a value, and where it is; nil if no value changed.
    package private(set) var largest: (change: Double, tensor: String)?

    /// - Returns: nil where no tensor has another type than in the file.
    /// - Throws: `CheckpointError` for a value that the file's type can't hold; `CancellationError`.
    package init?(_ original: Checkpoint, recipeJSON: [UInt8], control: RunControl) throws {
        guard let made = original.derivation else { return nil }
        var derivation = Derivation(of: original, recipeJSON: recipeJSON)
        var types: [ElementType] = []
        for info in original.tensors {
            guard let type = made.fileType(info.name), type != info.type, type.isFloatingPoint,
                info.type.isFloatingPoint, let view = try original.tensor(info.name)
            else { continue }
            try control.checkCancellation()
            let (tensor, change) = try Self.round(view, to: type, file: original.label)
            derivation.tensors.append(tensor)
            if !types.contains(type) { types.append(type) }
            if change > largest?.change ?? 0 { largest = (change, info.name) }
        }
        guard !derivation.tensors.isEmpty else { return nil }
        tensors = derivation.tensors.map(\.name)
        self.types = types
        checkpoint = try Checkpoint(derivation, label: original.label)
    }

    private static func round(
        _ view: TensorView, to type: ElementType, file: String
    ) throws -> (MemoryTensor, change: Double) {
        var change = 0.0
        let tensor = try MemoryTensor(name: view.name, type: type, shape: view.shape, file: file) { target in
            let chunk = 4096
            var (wide, back) = ([Float](repeating: 0, count: chunk), [Float](repeating: 0, count: chunk))
            for start in stride(from: 0, to: view.count, by: chunk) {
                let count = min(chunk, view.count - start)
                let place = target.baseAddress! + start * type.byteCount
                Widening.widen(
                    view.bytes.baseAddress! + start * view.type.byteCount, view.type, into: &wide, count: count)
                switch type {
                case .bf16: Narrowing.bf16(wide, into: place.assumingMemoryBound(to: UInt16.self), count: count)
                case .f16: Narrowing.f16(wide, into: place.assumingMemoryBound(to: UInt16.self), count: count)
                case .f64:
                    for index in 0..<count {
                        place.storeBytes(of: Double(wide[index]), toByteOffset: index * 8, as: Double.self)
                    }
                default: place.copyMemory(from: wide, byteCount: count * 4)
                }
                Widening.widen(place, type, into: &back, count: count)
                for index in 0..<count {
                    guard back[index].isFinite || !wide[index].isFinite else {
                        throw CheckpointError(
                            .type, file: file, object: view.name,
                            problem: "it holds \(wide[index]), which is more than \(type.rawValue) can hold",
                            remedy: "save it as f32: save NAME FILE --type f32")
                    }
                    change = max(change, abs(Double(back[index]) - Double(wide[index])))
                }
            }
        }
        return (tensor, change)
    }
}
