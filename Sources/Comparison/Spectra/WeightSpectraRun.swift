import Checkpoints
import Control
import Geometry
import LinearAlgebra
import Synchronization
import TerminalText
package import Workbench

/// Singular values of the change of weight matrices, and of a Gaussian matrix of each shape, several at a time.
package struct WeightSpectraRun {
    private let context: RunContext
    private let pair: CheckpointPair
    private let rows: [WeightsComparison.Row]
    private let top: Int

    /// - Parameter top: dimensions of the singular subspaces that are compared; 0: none.
    package init(context: RunContext, pair: CheckpointPair, rows: [WeightsComparison.Row], top: Int) {
        self.context = context
        self.pair = pair
        self.rows = rows
        self.top = top
    }

    /// The smaller side; 8,192 take about 2 GB and minutes, twice that with singular vectors.
    package static let sizeLimit = 8192

    package struct Found {
        /// By name of the tensor, in the order of the rows.
        package var spectra: [(name: String, shape: [Int], spectrum: DifferenceSpectrum)] = []
        /// Matrices that have no spectrum, since both sides are above the limit.
        package var tooLarge = 0
        /// Dimensions of the singular subspaces that were compared; 0: none.
        package let top: Int
        package let seed: UInt64
    }

    /// - Throws: `SpectrumError` if none is a matrix that can be decomposed, or for lack of memory; `CancellationError`.
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

    /// The Gram matrix, its copy, LAPACK's work space, and vectors; for as many matrices as there are threads.
    private func checkMemory(_ chosen: [WeightsComparison.Row]) throws {
        let sides = chosen.map { $0.pair.a.shape.min() ?? 0 }.sorted(by: >)
        let needed = sides.prefix(context.pool.threadCount).reduce(0) { $0 + 8 * $1 * $1 * (top > 0 ? 6 : 3) }
        guard let available = MachineMemory.available(), needed > available else { return }
        throw SpectrumError.noMemory(needed, available: available)
    }

    private func spectra(_ chosen: [WeightsComparison.Row]) throws -> [DifferenceSpectrum] {
        let views = try chosen.map { row -> (a: TensorView, b: TensorView, grains: (a: ElementType, b: ElementType)) in
            guard let a = try pair.a.checkpoint.file.tensor(row.pair.a.name),
                let b = try pair.b.checkpoint.file.tensor(row.pair.b.name)
            else { throw SpectrumError.gone(row.pair.name) }
            return (a, b, row.grains)
        }
        func key(_ view: TensorView) -> [Int] { [view.shape.max() ?? 0, view.shape.min() ?? 0] }
        let shapes = Set(views.map { key($0.a) }).sorted { ($0[0], $0[1]) < ($1[0], $1[1]) }
        let (seed, top, control) = (context.seed, top, context.control)
        let pool = context.pool
        // Work that is given up goes on until its call of LAPACK returns, and no further.
        return try Interruptible.run(control) { own in
            let gaussians = Mutex([[Int]: GramSpectrum]())
            let results = Mutex([DifferenceSpectrum?](repeating: nil, count: views.count))
            let total = shapes.count + views.count
            let done = Atomic(0)
            func step() {
                control.report(
                    done: done.wrappingAdd(1, ordering: .relaxed).newValue, total: total, unit: "matrices")
            }
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
                guard let gaussian = spectra[[a.shape.max() ?? 0, a.shape.min() ?? 0]] else { return }
                let result = try DifferenceSpectrum(
                    a, b, grains: grains, gaussian: gaussian, top: top, seed: seed, control: own)
                results.withLock { $0[task] = result }
                step()
            }
            return results.withLock { $0.compactMap(\.self) }
        }
    }
}
