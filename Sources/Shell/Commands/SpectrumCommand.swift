package import ArgumentParser
import Checkpoints
import Geometry
import Language
import LinearAlgebra
import Models
import Reports
import Synchronization
import TerminalText
import Workbench

package struct SpectrumCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "spectrum",
        abstract: "Singular values of weight matrices, ranks and the tail, beside a Gaussian matrix.",
        discussion: """
            In float64, from the eigenvalues l of the Gram matrix on each matrix's smaller side; singular values s = sqrt l.
              stable rank              sum l / l1
              effective rank of sigma  exp(-sum p ln p), p = s / sum s (Roy and Vetterli 2007)
              effective rank of lambda the same with p = l / sum l
              participation ratio      (sum l)^2 / sum l^2
              alpha                    exponent of the power law that fits the largest l best, with 95 %: maximum
                                       likelihood, x_min by the smallest Kolmogorov-Smirnov distance (Clauset et al. 2009)
              tail                     how many l that is, at least 10
            A power law is fitted whether or not there is one: compare alpha with that of the Gaussian. The null is a matrix
            of the same shape of independent Gaussian numbers, drawn with the session's seed once for each shape. --plot
            draws all singular values; the Gaussian's have the norm of the matrix (of several of a shape, the mean square).
            """)
    package static let traits = CommandTraits(
        .files, needsCheckpoint: true, makesValue: true,
        kinds: ["pattern": .tensor, "in": .checkpoint, "plot": .file], optionalValues: ["plot": PlotOption.isFile],
        examples: [
            "spectrum model.layers.0.mlp.up_proj.weight --plot", "spectrum '*layers.?.self_attn.?_proj.weight'",
        ])

    @Argument(help: "Matrices by name; * and ? match any characters.") var pattern: String
    @Option(name: .customLong("in"), help: "An open checkpoint.") var checkpoint: String?
    @Option(name: [.customShort("n"), .long], help: "Singular values in the table.") var top = 3
    @OptionGroup var plotting: PlotOption

    /// The smaller side; 8,192 take about 2 GB and minutes.
    private static let sizeLimit = 8192
    /// More curves than this in one picture tell nothing.
    private static let curveLimit = 12

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let checkpoint = try session.checkpoint(named: checkpoint)
        let top = try checkedCount(top, "--top", limit: 100)
        let picture = try plotting.prepare(session)
        let found = try matchingTensors(checkpoint, pattern)
        let (matrices, skipped) = try Self.matrices(found, pattern)
        guard plotting.plot == nil || matrices.count <= Self.curveLimit else {
            throw CommandError(
                "\(matrices.count) matrices are too many for one picture", remedy: "choose at most \(Self.curveLimit)")
        }
        let job = SpectrumJob(
            views: try matrices.compactMap { try checkpoint.file.tensor($0.name) }, seed: session.settings.seed)
        let (spectra, nulls) = try job.run(session)
        let isASCII = session.pictureOptions(isColored: false).isASCII
        var report = Report(title: checkpoint.label, notes: skipped)
        var values = Table(
            "singular values",
            columns: ["matrix", "shape", "norm"] + (1...top).map { .init("s\($0)") } + ["spectrum"])
        var counts = Table("ranks", columns: [])
        for (view, outcome) in zip(job.views, spectra) {
            switch outcome {
            case .failure(let reason):
                report.notes.append("\(view.name.escapedForTerminal): \(reason); it has no spectrum.")
            case .success(let spectrum):
                let largest = (0..<top).map {
                    $0 < spectrum.singularValues.count ? Cell(spectrum.singularValues[$0]) : nil
                }
                values.append(
                    [.text(view.name), .text(shapeText(view.shape)), .number(spectrum.norm)] + largest
                        + [.text(spectrum.sparkline(width: 16, isASCII: isASCII))])
                counts.columns = ["matrix"] + spectrum.counts.map { .init($0.name) }
                counts.append([.text(view.name)] + spectrum.counts.map(\.value))
                report.series.append(Self.curve(view.name, spectrum.singularValues))
            }
        }
        for (shape, null) in nulls {
            counts.append([.text("Gaussian \(shapeText(shape))")] + null.counts.map(\.value))
            let norms = zip(job.views, spectra).filter { SpectrumJob.key($0.0) == shape }.compactMap {
                try? $0.1.get().norm
            }
            let square = norms.reduce(0) { $0 + $1 * $1 } / Double(max(norms.count, 1))
            let scale = square.squareRoot() / null.norm
            report.series.append(Self.curve("Gaussian \(shapeText(shape))", null.singularValues.map { $0 * scale }))
        }
        guard !values.rows.isEmpty else {
            throw CommandError("no matrix has a spectrum", remedy: report.notes.joined(separator: " "))
        }
        if values.rows.count == 1, let spectrum = try spectra.first(where: { (try? $0.get()) != nil })?.get(),
            let null = nulls.first?.null
        {
            report.scalars = zip(spectrum.counts, null.counts).map { own, null in
                Scalar(own.name, own.value, note: "Gaussian \(null.value.formatted())", null: null.value.value)
            }
            counts.repeatsScalars = true
        }
        report.tables = [values, counts]
        report.notes.append("Gaussian: independent normal numbers, the same shape, seed \(session.settings.seed)")
        report.recipe = session.recipe(checkpoint)
        return try plotting.outcome(report, picture, session)
    }

    /// The tensors that are matrices of a size that can be decomposed, and what is said of the others.
    static func matrices(_ found: [TensorInfo], _ pattern: String) throws -> ([TensorInfo], notes: [String]) {
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
        let reasons = others.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key.escapedForTerminal)" }
        guard !matrices.isEmpty else {
            throw CommandError(
                "\(pattern.escapedForTerminal) matches no matrix: \(reasons.joined(separator: ", "))",
                remedy: "see tensors; '*proj*' or '*weight' match more")
        }
        return (
            matrices, reasons.isEmpty ? [] : ["Skipped, as they are no matrices: \(reasons.joined(separator: ", "))."]
        )
    }

    private static func curve(_ name: String, _ values: [Double]) -> Series {
        Series(
            name, x: .init("singular value, by rank", isLogarithmic: true), y: .init("size", isLogarithmic: true),
            points: values.enumerated().map { .init(x: Double($0.offset + 1), y: $0.element) })
    }
}

/// Decomposes matrices and a Gaussian of each shape, several at a time.
private struct SpectrumJob: Sendable {
    let views: [TensorView]
    let seed: UInt64

    /// Transposed, a matrix has the same singular values.
    static func key(_ view: TensorView) -> [Int] { [view.shape.max() ?? 0, view.shape.min() ?? 0] }

    /// - Returns: what was found or why not, in the order of the views; and the Gaussian of each shape.
    func run(_ session: Session) throws -> (
        spectra: [Result<MatrixSpectrum, SpectrumError>], nulls: [(shape: [Int], null: MatrixSpectrum)]
    ) {
        let shapes = Set(views.map(Self.key)).sorted { ($0[0], $0[1]) < ($1[0], $1[1]) }
        let total = shapes.count + views.count
        let control = session.control
        let pool = try session.pool()
        let results = Mutex([Result<MatrixSpectrum, SpectrumError>?](repeating: nil, count: total))
        // Work that is given up goes on until its call of LAPACK returns, and no further.
        try Interruptible.run(control) { own in
            let done = Atomic(0)
            try pool.run(tasks: total) { task, _ in
                try own.checkCancellation()
                let result = try self.result(task, shapes, own)
                results.withLock { $0[task] = result }
                control.report(
                    done: done.wrappingAdd(1, ordering: .relaxed).newValue, total: total, unit: "matrices")
            }
        }
        let all = results.withLock { $0.compactMap(\.self) }
        return (Array(all[shapes.count...]), try zip(shapes, all).map { ($0, try $1.get()) })
    }

    private func result(_ task: Int, _ shapes: [[Int]], _ control: RunControl) throws -> Result<
        MatrixSpectrum, SpectrumError
    > {
        do {
            if task < shapes.count {
                let shape = shapes[task]
                return try .success(
                    MatrixSpectrum(
                        GramSpectrum(gaussianRows: shape[0], columns: shape[1], seed: seed, control: control)))
            }
            let view = views[task - shapes.count]
            return try .success(
                MatrixSpectrum(
                    GramSpectrum(rows: view.shape[0], columns: view.shape[1], control: control) { first, target in
                        view.copyDoubles(from: first, into: target)
                    }))
        } catch LinearAlgebraError.notFinite {
            return .failure(SpectrumError(description: "it holds NaN or Inf"))
        } catch let error as GeometryError {
            guard error != .noVariance else { return .failure(SpectrumError(description: "all of it is 0")) }
            return .failure(SpectrumError(description: error.description))
        }
    }
}

/// Why a matrix has no spectrum.
private struct SpectrumError: Error, CustomStringConvertible {
    let description: String
}
