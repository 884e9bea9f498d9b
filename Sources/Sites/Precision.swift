/// What the products of weights with activations are computed in.
package enum Precision: String, Sendable, CaseIterable {
    /// The reference: f32 throughout.
    case f32
    /// Both operands rounded to bf16, sums in f32; norms, attention and the residual stream stay in f32.
    ///
    /// Where the processor has a matrix unit (Intel AMX), it multiplies; elsewhere the rounded operands are multiplied in
    /// f32. The products of the terms are exact in both, but the orders of their sums differ.
    case bf16
}
