package import ArgumentParser
import Checkpoints
import Comparison
import Geometry
import Language
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
        kinds: ["pattern": .tensor, "in": .checkpoint],
        examples: [
            "spectrum model.layers.0.mlp.up_proj.weight --plot", "spectrum '*layers.?.self_attn.?_proj.weight'",
        ])

    @Argument(help: "Matrices by name; * and ? match any characters.") var pattern: String
    @Option(name: .customLong("in"), help: "An open checkpoint.") var checkpoint: String?
    @Option(name: [.customShort("n"), .long], help: "Singular values in the table.") var top = 3
    @OptionGroup var plotting: PlotOption

    /// The largest number of curves in one picture. More of them can't be told apart.
    private static let curveLimit = 12

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let checkpoint = try session.checkpoint(named: checkpoint)
        let top = try checkedCount(top, "--top", limit: 100)
        let picture = try plotting.prepare(session)
        let found = try matchingTensors(checkpoint, pattern)
        let (matrices, skipped) = try matchingMatrices(found, pattern)
        guard plotting.plot == nil || matrices.count <= Self.curveLimit else {
            throw CommandError(
                "\(matrices.count) matrices are too many for one picture", remedy: "choose at most \(Self.curveLimit)")
        }
        let run = try SpectrumRun(session.context(), of: matrices, in: checkpoint).run()
        let isASCII = session.pictureOptions(isColored: false).isASCII
        var report = Report(title: checkpoint.label, notes: skipped)
        var values = Table(
            "singular values",
            columns: ["matrix", "shape", "norm"] + (1...top).map { .init("s\($0)") } + ["spectrum"])
        var counts = Table("ranks", columns: [])
        for matrix in run.matrices {
            switch matrix.spectrum {
            case .failure(let reason):
                report.notes.append("\(matrix.name.escapedForTerminal): \(reason); it has no spectrum.")
            case .success(let spectrum):
                let largest = (0..<top).map {
                    $0 < spectrum.singularValues.count ? Cell(spectrum.singularValues[$0]) : nil
                }
                values.append(
                    [.text(matrix.name), .text(shapeText(matrix.shape)), .number(spectrum.norm)] + largest
                        + [.text(spectrum.sparkline(width: 16, isASCII: isASCII))])
                counts.columns = ["matrix"] + spectrum.counts.map { .init($0.name) }
                counts.append([.text(matrix.name)] + spectrum.counts.map(\.value))
                report.series.append(Self.curve(matrix.name, spectrum.singularValues))
            }
        }
        for (shape, null) in run.nulls {
            counts.append([.text("Gaussian \(shapeText(shape))")] + null.counts.map(\.value))
            let norms = run.matrices.filter { $0.orientedShape == shape }.compactMap { try? $0.spectrum.get().norm }
            let square = norms.reduce(0) { $0 + $1 * $1 } / Double(max(norms.count, 1))
            let scale = square.squareRoot() / null.norm
            report.series.append(Self.curve("Gaussian \(shapeText(shape))", null.singularValues.map { $0 * scale }))
        }
        guard !values.rows.isEmpty else {
            throw CommandError("no matrix has a spectrum", remedy: report.notes.joined(separator: " "))
        }
        if values.rows.count == 1, let spectrum = run.matrices.lazy.compactMap({ try? $0.spectrum.get() }).first,
            let null = run.nulls.first?.null
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

    private static func curve(_ name: String, _ values: [Double]) -> Series {
        Series(
            name, x: .init("singular value, by rank", isLogarithmic: true), y: .init("size", isLogarithmic: true),
            points: values.enumerated().map { .init(x: Double($0.offset + 1), y: $0.element) })
    }
}
