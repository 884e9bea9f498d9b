package import Checkpoints
import Control
import Geometry
import LinearAlgebra
import Synchronization
import TerminalText
package import Workbench

/// The computation of the singular values of weight matrices, and of a Gaussian matrix of each shape. Several matrices
/// are decomposed at a time.
package struct SpectrumRun {
    /// One weight matrix with its spectrum of singular values.
    package struct Matrix {
        package let name: String
        package let shape: [Int]
        /// The singular values of the matrix, or the reason why it has none.
        package let spectrum: Result<MatrixSpectrum, SpectrumError>

        /// The shape of the weight matrix with the larger side first. A matrix has the same singular values as its
        /// transpose.
        package var orientedShape: [Int] { SpectrumRun.oriented(shape) }
    }

    package struct Found {
        /// The weight matrices with their singular values, in the order in which they were given.
        package let matrices: [Matrix]
        /// The singular values of a Gaussian matrix for each shape among the weight matrices; each shape has its larger
        /// side first.
        package let nulls: [(shape: [Int], null: MatrixSpectrum)]
    }

    /// The largest smaller side of a matrix that is decomposed. A side of 8,192 takes about 2 GB and minutes.
    package static let sizeLimit = WeightSpectraRun.sizeLimit

    private let context: RunContext
    private let views: [TensorView]

    /// Opens the weight matrices of a checkpoint whose singular values are to be computed.
    ///
    /// - Parameters:
    ///   - context: The context of the run.
    ///   - matrices: The matrices to decompose, as `matrices(_:)` has returned them.
    ///   - checkpoint: The checkpoint that holds the matrices.
    package init(_ context: RunContext, of matrices: [TensorInfo], in checkpoint: LoadedCheckpoint) throws {
        self.context = context
        views = try matrices.compactMap { try checkpoint.file.tensor($0.name) }
    }

    /// Returns the tensors that are matrices of a size that can be decomposed, and descriptions of the others, which
    /// are counted by kind.
    package static func matrices(_ found: [TensorInfo]) throws -> (matrices: [TensorInfo], skipped: [String]) {
        var matrices: [TensorInfo] = []
        var others: [String: Int] = [:]
        for tensor in found {
            let reason: String? =
                if tensor.shape.count != 2 {
                    "\(tensor.shape.count)-dimensional"
                } else if tensor.unreadableType != nil || !tensor.type.isFloatingPoint {
                    "of type \(tensor.typeName)"
                } else if tensor.count == 0 {
                    "empty"
                } else if tensor.shape.min() ?? 0 > sizeLimit {
                    "larger than \(sizeLimit) on both sides"
                } else {
                    nil
                }
            if let reason { others[reason, default: 0] += 1 } else { matrices.append(tensor) }
        }
        return (matrices, others.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key.escapedForTerminal)" })
    }

    static func oriented(_ shape: [Int]) -> [Int] { [shape.max() ?? 0, shape.min() ?? 0] }

    /// Returns each shape of some matrices once, the larger side first, ascending.
    static func orientedShapes(_ views: [TensorView]) -> [[Int]] {
        Set(views.map { oriented($0.shape) }).sorted { ($0[0], $0[1]) < ($1[0], $1[1]) }
    }

    /// Computes the singular values of the weight matrices, and of a Gaussian matrix of each of their shapes.
    ///
    /// - Throws: `CancellationError`, and `SpectrumError` for a shape that has no Gaussian null.
    package func run() throws -> Found {
        let shapes = Self.orientedShapes(views)
        let total = shapes.count + views.count
        let (views, seed, control, pool) = (views, context.seed, context.control, context.pool)
        let results = Mutex([Result<MatrixSpectrum, SpectrumError>?](repeating: nil, count: total))
        // Cancelled work continues only until its current call of LAPACK returns.
        try Interruptible.run(control) { own in
            let step = control.counter(total, "matrices")
            try pool.run(tasks: total) { task, _ in
                try own.checkCancellation()
                let result =
                    try task < shapes.count
                    ? Self.gaussian(shapes[task], seed: seed, own) : Self.spectrum(views[task - shapes.count], own)
                results.withLock { $0[task] = result }
                step()
            }
        }
        let all = results.withLock { $0.compactMap(\.self) }
        return Found(
            matrices: zip(views, all[shapes.count...]).map { Matrix(name: $0.name, shape: $0.shape, spectrum: $1) },
            nulls: try zip(shapes, all).map { ($0, try $1.get()) })
    }

    private static func gaussian(
        _ shape: [Int], seed: UInt64, _ control: RunControl
    ) throws -> Result<MatrixSpectrum, SpectrumError> {
        try decomposed {
            try GramSpectrum(gaussianRows: shape[0], columns: shape[1], seed: seed, control: control)
        }
    }

    private static func spectrum(
        _ view: TensorView, _ control: RunControl
    ) throws -> Result<MatrixSpectrum, SpectrumError> {
        try decomposed {
            try GramSpectrum(rows: view.shape[0], columns: view.shape[1], control: control) { first, target in
                view.copyDoubles(from: first, into: target)
            }
        }
    }

    private static func decomposed(_ body: () throws -> GramSpectrum) throws -> Result<MatrixSpectrum, SpectrumError> {
        do {
            return .success(try MatrixSpectrum(body()))
        } catch LinearAlgebraError.notFinite {
            return .failure(.notFinite)
        } catch let error as GeometryError {
            return .failure(error == .noVariance ? .allZero : .undecomposed(error.description))
        }
    }
}
