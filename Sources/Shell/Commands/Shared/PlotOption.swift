import ArgumentParser
import Language
import Reports
import TerminalText

/// `--plot [FILE]` of a command whose report has a picture.
struct PlotOption: SharedOptions {
    static let kinds: [String: CommandTraits.ArgumentKind] = ["plot": .file]
    static let optionalValues: [String: @Sendable (ParsedLine.Word) -> Bool] = ["plot": isFile]

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

    /// The outcome of a value that is no report, with its report's picture where that was asked for.
    func outcome(_ value: Value, _ report: Report, _ file: PictureFile?, _ session: Session) throws -> Outcome {
        var outcome = try outcome(report, file, session)
        outcome.value = value
        return outcome
    }
}
