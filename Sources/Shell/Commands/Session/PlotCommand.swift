package import ArgumentParser
import Language
import Reports

package struct PlotCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "plot", abstract: "Draw a report's curves and heat maps, in the terminal or to a file.",
        discussion: """
            Draws what was computed before; nothing is computed again. The file's name says what it becomes: .svg, .png or .pdf,
            drawn by gnuplot (package gnuplot-nox). In the modes csv, json, jsonl and markdown, plot without a file prints the
            numbers of the picture at full precision. Sizes and fonts depend on the report's shape alone, and probabilities are
            drawn on a scale from 0 to 1, so that two pictures compare. A script replaces no file unless nacre was started
            with --overwrite.
            """)
    package static let traits = CommandTraits(
        .session, kinds: ["name": .report, "file": .file],
        examples: ["lens \"The capital of France is\"", "plot it", "plot it lens.svg"])

    @Argument(help: "A report.") var name = "it"
    @Argument(help: "A picture: .svg, .png or .pdf; left out, the terminal.") var file: String?

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        guard case .report(let report) = try session.value(existing: name) else {
            throw CommandError(
                "\(name) is \(try session.value(existing: name).kind.phrase), and only reports have pictures",
                remedy: "compute something first, for example with lens or pca")
        }
        guard report.hasPicture else {
            throw CommandError(
                "\(name) has no curves and no heat map to draw",
                remedy: "see its numbers with print \(name)")
        }
        guard let file else { return .message(report.pictures) }
        return .message(Report(text: try PictureFile(file, in: session).draw(report.pictures, in: session)))
    }
}
