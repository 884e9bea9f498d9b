import ArgumentParser
import Language
import Reports
import TerminalText

/// The option `--plot [FILE]` of a command whose report has a picture.
struct PlotOption: SharedOptions {
    static let kinds: [String: CommandTraits.ArgumentKind] = ["plot": .file]
    static let optionalValues: [String: @Sendable (ParsedLine.Word) -> Bool] = ["plot": isFile]

    @Option(
        help: ArgumentHelp(
            "Draw the result too: in the terminal if it stands at the end, or to a file ending in .svg, .png or .pdf.",
            valueName: "file"))
    var plot: String?

    /// Returns whether the word after `--plot` is its file. Any word that is not an option is, so that a name without
    /// an ending is refused and does not become part of a text. To draw in the terminal, `--plot` stands at the end or
    /// before another option.
    @Sendable static func isFile(_ word: ParsedLine.Word) -> Bool { !word.text.hasPrefix("-") }

    /// Opens the picture's file before the work begins, so that a file that can't be drawn is refused at once.
    ///
    /// - Returns: The file, or nil if no file is given.
    /// - Throws: `CommandError` if the name's ending is unknown, gnuplot is missing, or the file may not be written.
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

    /// Returns the outcome of a command that makes a report, with the report's picture if one was requested.
    func outcome(_ report: Report, _ file: PictureFile?, _ session: Session) throws -> Outcome {
        var shown = report
        if let file {
            shown.notes.append(try file.draw(report.pictures, in: session))
        } else if plot != nil {
            shown.showsPictures = true
        }
        return Outcome(.report(report), report: shown)
    }

    /// Returns the outcome of a command that makes a value other than a report, with the picture of its report if one
    /// was requested.
    func outcome(_ value: Value, _ report: Report, _ file: PictureFile?, _ session: Session) throws -> Outcome {
        var outcome = try outcome(report, file, session)
        outcome.value = value
        return outcome
    }
}
