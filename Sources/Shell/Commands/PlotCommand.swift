package import ArgumentParser
import Language
import Reports
import TerminalText

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

/// `--plot [FILE]` of a command whose report has a picture.
struct PlotOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Draw the result too: in the terminal if it stands at the end, or to a file ending in .svg, .png or .pdf.",
            valueName: "file"))
    var plot: String?

    /// A word after `--plot` is its file, so that a name without an ending is refused rather than become part of a text;
    /// to draw in the terminal, `--plot` stands at the end or before another option.
    @Sendable static func isFile(_ word: ParsedLine.Word) -> Bool { !word.text.hasPrefix("-") }

    /// Called before the work: refuses a file that could not be drawn.
    func prepare(_ session: Session) throws -> PictureFile? {
        guard let plot, plot != CommandTraits.noValue else { return nil }
        guard GnuplotScript.Format(path: plot) != nil else {
            throw CommandError(
                "--plot can't draw to \"\(plot.escapedForTerminal)\"",
                remedy: "let the file's name end in \(PictureFile.endings), or put --plot last to draw in the terminal",
                exitCode: 2)
        }
        return try PictureFile(plot, in: session)
    }

    /// The outcome of a report, with its picture where that was asked for.
    func outcome(_ report: Report, _ file: PictureFile?, _ session: Session) throws -> Outcome {
        var shown = report
        if let file {
            shown.notes.append(try file.draw(report.pictures, in: session))
        } else if plot != nil {
            shown.showsPictures = true
        }
        return Outcome(.report(report), report: shown)
    }
}
