package import LinearAlgebra

/// A weight matrix bound to a checkpoint's tensor, with its shape checked.
package struct Weight: Sendable {
    /// [out, in], or [width] for a vector.
    package let view: TensorView
    package let outputs: Int
    package let inputs: Int
    /// [out], widened; nil if the projection has no bias.
    package let bias: [Float]?

    /// Packed copies of its columns, made when first used.
    let packed: PackedColumns

    package var elementType: ElementType { view.type }
}

/// A weight in the blocks that the product's kernel reads, tile by tile.
///
/// Each tile is made and read by one task at a time, so no lock is needed.
final class PackedColumns: @unchecked Sendable {
    private let tiles: UnsafeMutableBufferPointer<UnsafeMutableRawBufferPointer?>
    private let uses: UnsafeMutableBufferPointer<Bool>

    init(count: Int) {
        tiles = .allocate(capacity: count)
        tiles.initialize(repeating: nil)
        uses = .allocate(capacity: count)
        uses.initialize(repeating: false)
    }

    deinit {
        for tile in tiles { tile?.deallocate() }
        tiles.deallocate()
        uses.deallocate()
    }

    /// Whether packing a tile now pays: from the second time on that it meets many rows. Packing costs as much as a few
    /// products save, so one short text, or one long one, does without.
    func isWorthPacking(_ tile: Int, rows: Int) -> Bool {
        guard rows >= 64 else { return false }
        defer { uses[tile] = true }
        return uses[tile]
    }

    subscript(tile: Int) -> UnsafeMutableRawBufferPointer? {
        get { tiles[tile] }
        set { tiles[tile] = newValue }
    }
}

/// Takes a model's tensors out of a source, checking names, shapes and types as it goes.
package struct WeightBinder {
    package let source: any WeightSource

    package init(_ source: any WeightSource) { self.source = source }

    /// A matrix [outputs, inputs] named `name`.weight, with `name`.bias if asked for.
    package func matrix(_ name: String, outputs: Int, inputs: Int, bias: Bool = false) throws -> Weight {
        Weight(
            view: try tensor("\(name).weight", shape: [outputs, inputs]), outputs: outputs, inputs: inputs,
            bias: bias ? try vector("\(name).bias", count: outputs) : nil,
            packed: PackedColumns(count: (outputs + Pass.tile(outputs) - 1) / Pass.tile(outputs)))
    }

    /// A vector, widened to f32.
    package func vector(_ name: String, count: Int) throws -> [Float] {
        let view = try tensor(name, shape: [count])
        return [Float](unsafeUninitializedCapacity: count) { buffer, written in
            Widening.widen(view.bytes.baseAddress!, view.type, into: buffer.baseAddress!, count: count)
            written = count
        }
    }

    private func tensor(_ name: String, shape: [Int]) throws -> TensorView {
        guard let found = source.describe(name) else {
            throw ModelError.missingTensor(file: source.label, name: name, shape: shape)
        }
        guard found.shape == shape else {
            throw ModelError.wrongShape(file: source.label, name: name, found: found.shape, expected: shape)
        }
        guard found.type.isFloatingPoint else {
            // A source may know better why these can't be read.
            _ = try source.tensor(name)
            throw ModelError.wrongType(file: source.label, name: name, type: found.type.rawValue)
        }
        guard let view = try source.tensor(name) else {
            throw ModelError.missingTensor(file: source.label, name: name, shape: shape)
        }
        return view
    }
}
