package import ArgumentParser
import Checkpoints
import Comparison
import Language
import Reports
import TerminalText
import Workbench

package struct DiffCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "One tensor of two checkpoints: how much changed, of what rank, and where.",
        discussion: """
            What compare A B weights --svd says of a tensor (see help compare), with where the change is: the rows, columns and
            numbers with the largest |B - A|. Rows of an embedding or an output matrix are tokens, and are named. The spectrum
            of B - A stands beside that of a Gaussian matrix of the same shape and norm, drawn with the session's seed;
            --plot draws both. A vector has no spectrum.
            """)
    package static let traits = CommandTraits(
        .files, needsCheckpoint: true, makesValue: true,
        kinds: ["a": .checkpoint, "b": .checkpoint, "tensor": .tensor],
        examples: [
            "open Checkpoints/pearl-tuned.h5", "diff pearl-base pearl-tuned model.layers.1.mlp.down_proj.weight --plot",
        ])

    @Argument(help: "A checkpoint.") var a: String
    @Argument(help: "The checkpoint that is compared with it.") var b: String
    @Argument(help: "A tensor by name; * and ? match any characters, if it is the only one.") var tensor: String
    @Option(name: [.customShort("n"), .long], help: "Rows, columns, numbers and singular values in the tables.")
    var top = 5
    @Option(help: "How many singular vectors of A and of B are compared.") var topK = 8
    @OptionGroup var plotting: PlotOption

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let pair = try session.pair(a, b)
        let top = try checkedCount(top, "--top", limit: 1000)
        let topK = try checkedCount(topK, "--top-k", limit: 1000)
        let picture = try plotting.prepare(session)
        let pairs = try pair.tensors(matching: tensor, in: session.context())
        guard pairs.pairs.count == 1 else {
            throw CommandError(
                "\(pairs.pairs.count) tensors match \(tensor.escapedForTerminal), such as"
                    + " \(pairs.pairs.prefix(2).map(\.name.escapedForTerminal).joined(separator: " and "))",
                remedy: "name one, or see all: compare \(a) \(b) weights --tensors '\(tensor.escapedForTerminal)'")
        }
        let (one, other) = try pair.files(in: session.context())
        let row = try pair.compare(pairs, in: session.context()).rows[0]
        guard row.difference.isFinite else {
            throw CommandError(
                "\(row.pair.name.escapedForTerminal) holds \(WeightsReport.text(row.difference))",
                remedy: "verify lists such tensors; print shows their numbers")
        }
        guard let viewA = try one.tensor(row.pair.a.name), let viewB = try other.tensor(row.pair.b.name) else {
            throw CommandError("\(row.pair.name) is gone", remedy: "open the checkpoints again")
        }
        let places = try LargestChanges(viewA, viewB, limit: top, control: session.control)
        let isMatrix = row.pair.a.shape.count == 2 && row.difference.count > 0
        guard isMatrix || plotting.plot == nil else {
            throw CommandError(
                "\(row.pair.name.escapedForTerminal) is no matrix, and has no spectrum to draw",
                remedy: "leave out --plot")
        }
        let run = try WeightSpectraRun(context: session.context(), pair: pair, rows: [row], top: topK)
        let found = isMatrix ? try run.run() : nil
        var report = try DiffReport(pair: pair, row: row, places: places, spectra: found, top: top).report()
        report.recipe = session.recipe([pair.a.checkpoint, pair.b.checkpoint])
        return try plotting.outcome(report, picture, session)
    }
}
