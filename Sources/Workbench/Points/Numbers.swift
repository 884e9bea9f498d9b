import Checkpoints
import LinearAlgebra
import TerminalText

/// A matrix whose numbers can be read one by one.
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

    /// The Euclidean norm of each row.
    package var rowNorms: [Double] {
        (0..<rows).map { row in
            (0..<columns).reduce(0) { $0 + self[row: row, column: $1] * self[row: row, column: $1] }.squareRoot()
        }
    }

    /// Takes the numbers of a tensor as a matrix whose columns run along the last dimension. A tensor of one dimension
    /// or none becomes a single column. The result is nil if the elements are not floating-point numbers.
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
    /// The coordinates of the points, [points, width].
    package var numbers: Numbers { Numbers(matrix) }
    package var count: Int { matrix.rows }
    package var width: Int { matrix.columns }
}

extension Subspace {
    /// The vectors of the subspace's directions, [directions, width], which are not normalised.
    package var numbers: Numbers { Numbers(vectors) }
    /// A digest of the subspace's orthonormal basis.
    package var basisDigest: String { EditSites.digest(basis.values) }
    /// A digest of the subspace's vectors as they were found, not normalised.
    package var vectorsDigest: String { EditSites.digest(vectors.values) }
}

extension Capture {
    /// Returns the captured activations at a site (a named place in the model), [rows, width].
    package func numbers(_ site: String) throws -> Numbers { Numbers(try matrix(site)) }
}

extension LoadedCheckpoint {
    /// Returns the numbers of one of the checkpoint's tensors, or nil if no tensor has that name.
    ///
    /// - Throws: `WorkbenchError.noNumbers` for a tensor whose elements are not floating-point numbers.
    package func numbers(ofTensor name: String) throws -> Numbers? {
        guard let view = try file.tensor(name) else { return nil }
        guard let numbers = Numbers(view) else {
            throw WorkbenchError.noNumbers(tensor: name, type: view.type.rawValue)
        }
        return numbers
    }
}
