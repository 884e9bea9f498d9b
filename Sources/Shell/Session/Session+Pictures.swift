import Checkpoints
import Language
import Reports
import TerminalText
import Terminal

/// A picture that will be written to a file. Every reason to refuse the file has been checked at creation, so that the
/// content may then take long to compute.
struct PictureFile {
    private let path: String
    private let format: GnuplotScript.Format
    private let file: OutputFile

    /// Checks that the picture can be drawn and opens its file.
    ///
    /// - Throws: `CommandError` if the ending of the name is unknown, gnuplot is missing, or the file may not be
    ///   written.
    init(_ path: String, in session: Session) throws {
        let path = expandTilde(path)
        guard let format = GnuplotScript.Format(path: path) else {
            throw CommandError(
                "\(path.escapedForTerminal) does not say what kind of picture it is",
                remedy: "let its name end in \(PictureFile.endings)", exitCode: 2)
        }
        try Gnuplot.check()
        file = try session.outputFile(path)
        self.path = path
        self.format = format
    }

    static let endings = GnuplotScript.Format.allCases.map { ".\($0.rawValue)" }.joined(separator: ", ")

    /// Draws the report and gives the file its final name.
    ///
    /// - Returns: The sentence to print.
    /// - Throws: `CommandError` if gnuplot fails or the file can't be written, and `CancellationError` after a
    ///   cancellation.
    func draw(_ report: Report, in session: Session) throws -> String {
        try file.write(try Gnuplot.picture(report, format, control: session.control))
        try file.commit()
        return "drew \(path.escapedForTerminal)"
    }
}

extension Session {
    /// Returns the colours that pictures in the terminal may use, and whether they are limited to ASCII characters.
    ///
    /// - Returns: `palette`, which is nil where pictures have no colours, and `isASCII`.
    func pictureOptions(isColored: Bool) -> (palette: Palette.Depth?, isASCII: Bool) {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap(Environment.value).first
        // Without a locale nothing is known about the terminal, and nearly all terminals show UTF-8.
        let isASCII = locale.map { !$0.uppercased().filter { $0 != "-" }.hasSuffix("UTF8") } ?? false
        guard isColored else { return (nil, isASCII) }
        switch Environment.value("COLORTERM") {
        case "truecolor"?, "24bit"?: return (.trueColor, isASCII)
        default:
            let terminal = Environment.value("TERM") ?? ""
            let has256 = terminal.hasSuffix("256color") || terminal.hasSuffix("direct")
            return (has256 ? .indexed256 : nil, isASCII)
        }
    }
}
