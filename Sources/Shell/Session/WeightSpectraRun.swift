import Checkpoints
import Comparison
import Geometry
import Language
import LinearAlgebra
import Models
import Reports
import Synchronization
import TerminalText
import Workbench

/// Singular values of the change of weight matrices, and of a Gaussian matrix of each shape, several at a time.
struct WeightSpectraRun {
    let session: Session
    let pair: CheckpointPair
    let rows: [WeightsComparison.Row]
    /// Dimensions of the singular subspaces that are compared; 0: none.
    let top: Int

    /// The smaller side; 8,192 take about 2 GB and minutes, twice that with singular vectors.
    static let sizeLimit = 8192

    struct Found {
        /// By name of the tensor, in the order of the rows.
        var spectra: [(name: String, shape: [Int], spectrum: DifferenceSpectrum)] = []
        var notes: [String] = []
        let seed: UInt64

        private static let counts: [Table.Column] = [
            "stable rank", "eff. rank of sigma", "eff. rank of lambda",
        ]

        private static func counts(_ dimensions: LinearDimensions?) -> [Cell] {
            [
                Cell(dimensions?.stableRank), Cell(dimensions?.effectiveRankOfSingularValues),
                Cell(dimensions?.effectiveRank),
            ]
        }

        var table: Table {
            let k = spectra.compactMap(\.spectrum.overlap?.dimension).max()
            let overlaps: [Table.Column] =
                k.map { k in
                    ["left \(k)", "right \(k)", "null left", "null right"].map { .init($0, alignment: .right) }
                } ?? []
            var table = Table(
                "change of matrices",
                columns: ["tensor", "rank", "above noise", "largest", "rounding"] + Self.counts + overlaps)
            for (name, _, spectrum) in spectra {
                let o = spectrum.overlap
                table.append(
                    [
                        .text(name), .integer(spectrum.rank), .integer(spectrum.rankAboveBulk),
                        .number(spectrum.singularValues.first ?? 0), .number(spectrum.roundingEdge),
                    ] + Self.counts(spectrum.dimensions)
                        + (k == nil
                            ? [] : [Cell(o?.left), Cell(o?.right), Cell(o?.null?.left), Cell(o?.null?.right)]))
            }
            return table
        }

        /// What the counts are of Gaussian matrices.
        var nulls: Table {
            var table = Table("Gaussian matrices", columns: ["shape"] + Self.counts)
            var seen: Set<[Int]> = []
            for (_, shape, spectrum) in spectra where seen.insert(shape).inserted {
                table.append([.text(shapeText(shape))] + Self.counts(spectrum.nullDimensions))
            }
            return table
        }
    }

    /// - Throws: `CommandError` if none is a matrix that can be decomposed; `CancellationError`.
    func run() throws -> Found {
        var found = Found(seed: session.settings.seed)
        let matrices = rows.filter { $0.pair.a.shape.count == 2 && $0.difference.isFinite && $0.difference.count > 0 }
        let chosen = matrices.filter { $0.pair.a.shape.min() ?? 0 <= Self.sizeLimit }
        guard !chosen.isEmpty else {
            throw CommandError(
                "none of the \(counted(rows.count, "tensor")) listed is a finite matrix with a side of at most \(Self.sizeLimit)",
                remedy: "choose others with --tensors, list more with --top, or leave out --svd")
        }
        if chosen.count < matrices.count {
            found.notes.append(
                "\(counted(matrices.count - chosen.count, "matrix", "matrices")) with sides above \(Self.sizeLimit) have no"
                    + " spectrum.")
        }
        try checkMemory(chosen)
        let spectra = try spectra(chosen)
        for (row, spectrum) in zip(chosen, spectra) {
            found.spectra.append((row.pair.name, row.pair.a.shape, spectrum))
        }
        found.notes += [
            "rank: singular values of B - A above what rounding both sides would give; above noise: those also above"
                + " Gaussian noise with the median of them all.",
            "Gaussian: independent normal numbers, the same shape, seed \(session.settings.seed).",
        ]
        if top > 0 {
            found.notes.append(
                "left, right k: |U_A'U_B|_F²/k of the first k singular vectors; null: of A and A plus a Gaussian matrix of"
                    + " the norm of B - A.")
        }
        return found
    }

    /// The Gram matrix, its copy, LAPACK's work space, and vectors; for as many matrices as there are threads.
    private func checkMemory(_ chosen: [WeightsComparison.Row]) throws {
        let sides = chosen.map { $0.pair.a.shape.min() ?? 0 }.sorted(by: >)
        let needed = sides.prefix(session.settings.threads).reduce(0) { $0 + 8 * $1 * $1 * (top > 0 ? 6 : 3) }
        guard let available = MachineMemory.available(), needed > available else { return }
        throw CommandError(
            "singular values of these matrices take \(NumberFormat.bytes(needed)) of memory;"
                + " \(NumberFormat.bytes(available)) are available",
            remedy: "choose fewer or smaller ones with --tensors, or set threads 1")
    }

    func spectra(_ chosen: [WeightsComparison.Row]) throws -> [DifferenceSpectrum] {
        let views = try chosen.map { row -> (a: TensorView, b: TensorView, grains: (a: ElementType, b: ElementType)) in
            guard let a = try pair.a.checkpoint.file.tensor(row.pair.a.name),
                let b = try pair.b.checkpoint.file.tensor(row.pair.b.name)
            else { throw CommandError("\(row.pair.name) is gone", remedy: "open the checkpoints again") }
            return (a, b, row.grains)
        }
        func key(_ view: TensorView) -> [Int] { [view.shape.max() ?? 0, view.shape.min() ?? 0] }
        let shapes = Set(views.map { key($0.a) }).sorted { ($0[0], $0[1]) < ($1[0], $1[1]) }
        let (seed, top, control) = (session.settings.seed, top, session.control)
        let pool = try session.pool()
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
