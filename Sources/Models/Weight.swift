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

    /// Packed copies of its outputs: of the values as stored, and rounded to bf16.
    private let exact = PackedWeight()
    private let rounded = PackedWeight()
    /// Where the copies of all weights of a model lie.
    package let arena: PageArena

    package var elementType: ElementType { view.type }

    init(
        _ view: TensorView, outputs: Int, inputs: Int, bias: [Float]?, layout: Layout = .rows, arena: PageArena
    ) {
        self.view = view
        self.outputs = outputs
        self.inputs = inputs
        self.bias = bias
        self.layout = layout
        self.arena = arena
    }

    /// Packed copies of the values as stored, or rounded to bf16.
    func packed(isRounded: Bool) -> PackedWeight { isRounded ? rounded : exact }
}

/// A weight in the panels that the product's kernels read.
///
/// A run changes it between products alone, on one thread, so no lock is needed.
final class PackedWeight: @unchecked Sendable {
    /// The panels of all outputs, once they are made.
    var panels: UnsafeMutableRawPointer?
    private var hasMetManyRows = false

    /// Whether packing now pays: from the second time on that the weight meets many rows. Packing costs as much as a few
    /// products save, so one short text, or one long one, does without.
    func isWorthPacking(rows: Int) -> Bool {
        guard rows >= 64 else { return false }
        defer { hasMetManyRows = true }
        return hasMetManyRows
    }
}
