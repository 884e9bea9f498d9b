package import Control
package import LinearAlgebra
import Models
import Checkpoints

/// The rows, columns and single elements of a tensor that changed most between two checkpoints, a before and b after.
package struct LargestChanges: Sendable {
    /// One row or one column of a weight matrix, with how much it changed between two checkpoints.
    package struct Line: Sendable, Equatable {
        package let index: Int
        /// The Euclidean norm of the change of the row or column, |b - a|, where a is the row before and b after.
        package let change: Double
        /// The Euclidean norm |a| of the row or column before the change.
        package let norm: Double

        /// The change of the row or column relative to its norm before, |b - a| / |a|; nil if only zeros changed.
        package var relative: Double? { norm > 0 ? change / norm : change == 0 ? 0 : nil }
    }

    package struct Element: Sendable, Equatable {
        package let row: Int
        package let column: Int
        package let a: Double
        package let b: Double
    }

    /// The rows of the tensor with the largest norm of change |b - a|, largest first; unchanged ones are left out.
    package let rows: [Line]
    /// The columns of the tensor with the largest norm of change |b - a|, largest first; unchanged ones are left out.
    package let columns: [Line]
    /// The single elements of the tensor with the largest change |b - a|, largest first; unchanged ones are left out.
    package let elements: [Element]

    /// Finds the largest changes between tensor A and tensor B. A vector counts as one row; of a tensor with more than
    /// two axes the first counts the rows.
    ///
    /// - Parameter limit: the largest number of rows, of columns and of elements that are kept.
    /// - Throws: `CancellationError`.
    package init(_ a: TensorView, _ b: TensorView, limit: Int, control: RunControl) throws {
        let height = a.shape.count > 1 ? a.shape[0] : 1
        let width = height > 0 ? a.count / height : 0
        var byRow: [Line] = []
        var changes = [Double](repeating: 0, count: width)
        var norms = [Double](repeating: 0, count: width)
        var found: [Element] = []
        var least = -1.0
        var one = [Double](repeating: 0, count: width)
        var other = one
        func size(_ element: Element) -> Double { abs(element.b - element.a) }
        for row in 0..<height where width > 0 {
            if row % 256 == 0 { try control.checkCancellation() }
            one.withUnsafeMutableBufferPointer { a.copyDoubles(from: row * width, into: $0) }
            other.withUnsafeMutableBufferPointer { b.copyDoubles(from: row * width, into: $0) }
            var (change, norm) = (0.0, 0.0)
            for column in 0..<width {
                let difference = other[column] - one[column]
                let square = difference * difference
                change += square
                norm += one[column] * one[column]
                changes[column] += square
                norms[column] += one[column] * one[column]
                guard abs(difference) > least else { continue }
                found.append(Element(row: row, column: column, a: one[column], b: other[column]))
                if found.count >= 4 * limit + 64 { Self.keep(&found, limit, size, &least) }
            }
            byRow.append(Line(index: row, change: change.squareRoot(), norm: norm.squareRoot()))
        }
        Self.keep(&found, limit, size, &least)
        elements = found.filter { size($0) > 0 }
        rows = Self.largest(byRow, limit)
        columns = Self.largest(
            changes.indices.map {
                Line(index: $0, change: changes[$0].squareRoot(), norm: norms[$0].squareRoot())
            }, limit)
    }

    private static func keep(
        _ found: inout [Element], _ limit: Int, _ size: (Element) -> Double, _ least: inout Double
    ) {
        found.sort { (-size($0), $0.row, $0.column) < (-size($1), $1.row, $1.column) }
        if found.count > limit { found.removeLast(found.count - limit) }
        if found.count == limit, let last = found.last { least = size(last) }
    }

    private static func largest(_ lines: [Line], _ limit: Int) -> [Line] {
        Array(lines.sorted { (-$0.change, $0.index) < (-$1.change, $1.index) }.prefix(limit)).filter { $0.change > 0 }
    }
}
