import Checkpoints
import Control
import Geometry
import LinearAlgebra
import Synchronization
import TerminalText
package import Workbench

/// The computation of the singular values of the change of weight matrices, and of a Gaussian matrix of each shape.
/// Several matrices are decomposed at a time.
package struct WeightSpectraRun {
    private let context: RunContext
    private let pair: CheckpointPair
    private let rows: [WeightsComparison.Row]
    private let top: Int

    /// Prepares the decomposition of the changes of weight matrices between two checkpoints.
    ///
    /// - Parameters:
    ///   - context: The context of the run.
    ///   - pair: The checkpoints, A before and B after.
    ///   - rows: The pairs of tensors with their elementwise changes, of which the finite matrices are decomposed.
    ///   - top: The dimension of the singular subspaces that are compared, or 0 for none.
    package init(context: RunContext, pair: CheckpointPair, rows: [WeightsComparison.Row], top: Int) {
        self.context = context
        self.pair = pair
        self.rows = rows
        self.top = top
    }

    /// The largest smaller side of a matrix that is decomposed. A side of 8,192 takes about 2 GB and minutes, and twice
    /// that with singular vectors.
    package static let sizeLimit = 8192

    package struct Found {
        /// The singular values of each weight matrix's change, with the matrix's name and shape, in the order of the
        /// given tensors.
        package var spectra: [(name: String, shape: [Int], spectrum: DifferenceSpectrum)] = []
        /// The number of weight matrices that were not decomposed because both sides are above the limit.
        package var tooLarge = 0
        /// The dimension of the singular subspaces that were compared, or 0 for none.
        package let top: Int
        package let seed: UInt64
    }

    /// Computes the singular values of the change B - A of each weight matrix in `rows`. Tensors that are not matrices,
    /// are empty, or hold NaN or infinity are passed over, and so are matrices with both sides above `sizeLimit`.
    ///
    /// - Throws: `SpectrumError` if no matrix is left, if the memory does not suffice, or if a tensor can no longer be
    ///   found in its file; `CancellationError` if the user interrupts the run.
    package func run() throws -> Found {
        var found = Found(top: top, seed: context.seed)
        let matrices = rows.filter { $0.pair.a.shape.count == 2 && $0.difference.isFinite && $0.difference.count > 0 }
        let chosen = matrices.filter { $0.pair.a.shape.min() ?? 0 <= Self.sizeLimit }
        guard !chosen.isEmpty else {
            throw SpectrumError.noMatrix(of: rows.count, sizeLimit: Self.sizeLimit)
        }
        found.tooLarge = matrices.count - chosen.count
        try checkMemory(chosen)
        let spectra = try spectra(chosen)
        for (row, spectrum) in zip(chosen, spectra) {
            found.spectra.append((row.pair.name, row.pair.a.shape, spectrum))
        }
        return found
    }

    /// Checks that the memory suffices to decompose as many of the largest matrices at a time as there are threads.
    /// Each needs the Gram matrix, its copy, LAPACK's work space, and the singular vectors.
    ///
    /// - Throws: `SpectrumError.noMemory`.
    private func checkMemory(_ chosen: [WeightsComparison.Row]) throws {
        let sides = chosen.map { $0.pair.a.shape.min() ?? 0 }.sorted(by: >)
        let needed = sides.prefix(context.pool.threadCount).reduce(0) { $0 + 8 * $1 * $1 * (top > 0 ? 6 : 3) }
        guard let available = MachineMemory.available(), needed > available else { return }
        throw SpectrumError.noMemory(needed, available: available)
    }

    private func spectra(_ chosen: [WeightsComparison.Row]) throws -> [DifferenceSpectrum] {
        let files = try pair.files(in: context)
        let views = try chosen.map { row -> (a: TensorView, b: TensorView, grains: (a: ElementType, b: ElementType)) in
            guard let a = try files.a.tensor(row.pair.a.name),
                let b = try files.b.tensor(row.pair.b.name)
            else { throw SpectrumError.gone(row.pair.name) }
            return (a, b, row.grains)
        }
        let shapes = SpectrumRun.orientedShapes(views.map(\.a))
        let (seed, top, control) = (context.seed, top, context.control)
        let pool = context.pool
        // Cancelled work continues only until its current call of LAPACK returns.
        return try Interruptible.run(control) { own in
            let gaussians = Mutex([[Int]: GramSpectrum]())
            let results = Mutex([DifferenceSpectrum?](repeating: nil, count: views.count))
            let step = control.counter(shapes.count + views.count, "matrices")
            try pool.run(tasks: shapes.count) { task, _ in
                try own.checkCancellation()
                let shape = shapes[task]
                let spectrum = try GramSpectrum(gaussianRows: shape[0], columns: shape[1], seed: seed, control: own)
                gaussians.withLock { $0[shape] = spectrum }
                step()
            }
            let spectra = gaussians.withLock { $0 }
            try pool.run(tasks: views.count) { task, _ in
                try own.checkCancellation()
                let (a, b, grains) = views[task]
                guard let gaussian = spectra[SpectrumRun.oriented(a.shape)] else { return }
                let result = try DifferenceSpectrum(
                    a, b, grains: grains, gaussian: gaussian, top: top, seed: seed, control: own)
                results.withLock { $0[task] = result }
                step()
            }
            return results.withLock { $0.compactMap(\.self) }
        }
    }
}
