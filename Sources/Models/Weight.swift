package import LinearAlgebra
import Synchronization

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

    /// Packed copies of its columns in f32 or bf16: of the values as stored, and rounded to bf16.
    private let exact: PackedColumns
    private let rounded: PackedColumns
    private let words: NarrowedWeight
    /// Where the copies of all weights of a model lie.
    package let arena: PageArena

    package var elementType: ElementType { view.type }

    init(
        _ view: TensorView, outputs: Int, inputs: Int, bias: [Float]?, layout: Layout = .rows, arena: PageArena,
        words: NarrowedWeight = NarrowedWeight()
    ) {
        self.view = view
        self.outputs = outputs
        self.inputs = inputs
        self.bias = bias
        self.layout = layout
        self.arena = arena
        let tiles = (outputs + Pass.tile(outputs) - 1) / Pass.tile(outputs)
        exact = PackedColumns(count: tiles)
        rounded = PackedColumns(count: tiles)
        self.words = words
    }

    /// Packed copies for products on `type`; a weight that is stored as bf16 is the same rounded or not.
    func packed(_ type: ElementType, isRounded: Bool) -> PackedColumns {
        type == .bf16 || isRounded && elementType != .bf16 ? rounded : exact
    }

    /// All of the stored tensor as bf16 words, in the layout that it has; made when first asked for, and kept. Weights
    /// that are parts of one tensor share them.
    func narrowed() -> UnsafeRawPointer { words.words(of: view) }
}

/// A copy of a tensor in bf16.
final class NarrowedWeight: Sendable {
    private let storage = Mutex<[UInt16]?>(nil)

    /// The words, valid as long as this object: an array that is never written again keeps its place.
    func words(of view: TensorView) -> UnsafeRawPointer {
        storage.withLock { storage in
            if storage == nil {
                storage = [UInt16](unsafeUninitializedCapacity: view.count) { buffer, written in
                    let chunk = 4096
                    let size = view.type.byteCount
                    withUnsafeTemporaryAllocation(of: Float.self, capacity: chunk) { wide in
                        for start in stride(from: 0, to: view.count, by: chunk) {
                            let count = min(chunk, view.count - start)
                            Widening.widen(
                                view.bytes.baseAddress! + start * size, view.type, into: wide.baseAddress!,
                                count: count)
                            Narrowing.bf16(wide.baseAddress!, into: buffer.baseAddress! + start, count: count)
                        }
                    }
                    written = view.count
                }
            }
            return storage!.withUnsafeBytes { $0.baseAddress! }
        }
    }
}

/// A weight in the blocks that the product's kernel reads, tile by tile.
///
/// Each tile is made and read by one task at a time, so no lock is needed.
final class PackedColumns: @unchecked Sendable {
    private let tiles: UnsafeMutableBufferPointer<UnsafeMutableRawPointer?>
    private let uses: UnsafeMutableBufferPointer<Bool>

    init(count: Int) {
        tiles = .allocate(capacity: count)
        tiles.initialize(repeating: nil)
        uses = .allocate(capacity: count)
        uses.initialize(repeating: false)
    }

    deinit {
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

    subscript(tile: Int) -> UnsafeMutableRawPointer? {
        get { tiles[tile] }
        set { tiles[tile] = newValue }
    }
}
