package import LinearAlgebra

/// A weight matrix bound to a checkpoint's tensor, with its shape checked.
package struct Weight: Sendable {
    /// How the tensor lies in memory.
    enum Layout: Sendable {
        /// [out, in], as in a linear layer.
        case rows
        /// [in, stride], of which the weight is the columns from `first` on: GPT-2's `Conv1D`.
        case columns(first: Int, stride: Int)
    }

    package let view: TensorView
    package let outputs: Int
    package let inputs: Int
    /// [out], widened; nil if the projection has no bias.
    package let bias: [Float]?
    let layout: Layout

    /// Packed copies of its columns, made when first used.
    let packed: PackedColumns

    package var elementType: ElementType { view.type }

    init(_ view: TensorView, outputs: Int, inputs: Int, bias: [Float]?, layout: Layout = .rows) {
        self.view = view
        self.outputs = outputs
        self.inputs = inputs
        self.bias = bias
        self.layout = layout
        packed = PackedColumns(count: (outputs + Pass.tile(outputs) - 1) / Pass.tile(outputs))
    }
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
