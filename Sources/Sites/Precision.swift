/// The number format in which the products of weights with activations are computed.
package enum Precision: String, Sendable, CaseIterable {
    /// The reference: f32 throughout.
    case f32
    /// Both operands are rounded to bf16 and sums are in f32; norms, attention and the residual stream stay in f32.
    ///
    /// If the processor has a matrix unit (Intel AMX), that unit multiplies; otherwise the rounded operands are
    /// multiplied in f32. The products of the terms are exact in both, but the orders of their sums differ.
    case bf16
}
