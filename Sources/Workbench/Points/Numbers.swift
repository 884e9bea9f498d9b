import Checkpoints
import LinearAlgebra
import TerminalText

/// A matrix of numbers to look at, one by one.
package struct Numbers {
    package let rows: Int
    package let columns: Int
    private let value: (Int, Int) -> Double

    private init(rows: Int, columns: Int, _ value: @escaping (Int, Int) -> Double) {
        self.rows = rows
        self.columns = columns
        self.value = value
    }

    init(_ matrix: Matrix) {
        self.init(rows: matrix.rows, columns: matrix.columns) { Double(matrix[$0, $1]) }
    }

    package subscript(row row: Int, column column: Int) -> Double { value(row, column) }

    /// A tensor as rows of its last dimension; nil for one that holds no floating-point numbers.
    init?(_ view: TensorView) {
        guard view.type.isFloatingPoint else { return nil }
        let columns = view.shape.count > 1 ? view.shape.last ?? 1 : 1
        let size = view.type.byteCount
        self.init(rows: columns > 0 ? view.count / columns : 0, columns: columns) { row, column in
            guard let start = view.bytes.baseAddress else { return .nan }
            let place = start + (row * columns + column) * size
            if view.type == .f64 { return place.loadUnaligned(as: Double.self) }
            var value: Float = 0
            Widening.widen(place, view.type, into: &value, count: 1)
            return Double(value)
        }
    }
}

extension Points {
    /// [points, width]
    package var numbers: Numbers { Numbers(matrix) }
    package var count: Int { matrix.rows }
    package var width: Int { matrix.columns }
}

extension Subspace {
    /// [directions, width], unnormalised.
    package var numbers: Numbers { Numbers(vectors) }
    /// A digest of its orthonormal basis.
    package var basisDigest: String { EditSites.digest(basis.values) }
    /// A digest of its directions as they were found.
    package var vectorsDigest: String { EditSites.digest(vectors.values) }
}

extension Capture {
    /// The rows of a site.
    package func numbers(_ site: String) throws -> Numbers { Numbers(try matrix(site)) }
}

extension LoadedCheckpoint {
    /// The numbers of a tensor; nil if there is none of that name.
    ///
    /// - Throws: `WorkbenchError.noNumbers` for a tensor of another kind of elements.
    package func numbers(ofTensor name: String) throws -> Numbers? {
        guard let view = try file.tensor(name) else { return nil }
        guard let numbers = Numbers(view) else {
            throw WorkbenchError.noNumbers(tensor: name, type: view.type.rawValue)
        }
        return numbers
    }
}
