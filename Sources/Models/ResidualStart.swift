package import LinearAlgebra

/// The residual stream of all tokens of a run at the input of a layer, `resid_pre[layer]` before any edit there, from
/// which another run goes on. What lies before the layer is not computed again.
package struct ResidualStart: Sendable {
    package let layer: Int
    /// [tokens, hidden]
    package let stream: Matrix

    package init(layer: Int, stream: Matrix) {
        self.layer = layer
        self.stream = stream
    }

    func copy(rows: Range<Int>, into target: UnsafeMutablePointer<Float>, width: Int) {
        precondition(stream.columns == width, "a stream of width \(stream.columns) for a model of width \(width)")
        precondition(rows.upperBound <= stream.rows, "a stream of \(stream.rows) rows for \(rows.upperBound) tokens")
        stream.values.withUnsafeBufferPointer {
            target.update(from: $0.baseAddress! + rows.lowerBound * width, count: rows.count * width)
        }
    }
}
