import Language
import Reports
import TerminalText

/// A picture that will be written to a file: everything that can be refused has been, so that what it shows may then
/// take long to compute.
struct PictureFile {
    private let path: String
    private let format: GnuplotScript.Format
    private let file: OutputFile

    /// - Throws: `CommandError` if the name's ending is unknown, gnuplot is missing, or the file may not be written.
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

    /// Draws the report and gives the file its name.
    ///
    /// - Returns: the sentence to print.
    func draw(_ report: Report, in session: Session) throws -> String {
        var picture = try Gnuplot.run(GnuplotScript(report, format: format).text, control: session.control)
        if format == .pdf { picture.removePDFDate() }
        try file.write(picture)
        try file.commit()
        return "drew \(path.escapedForTerminal)"
    }
}

extension [UInt8] {
    /// The same picture gives the same bytes: the time at which cairo made it becomes 1970.
    mutating func removePDFDate() {
        let key = Array("/CreationDate (D:".utf8)
        guard let found = indices.first(where: { self[$0] == key[0] && self[$0...].starts(with: key) }) else { return }
        for (offset, digit) in "19700101000000".utf8.enumerated() {
            let place = found + key.count + offset
            guard place < count, (0x30...0x39).contains(self[place]) else { return }
            self[place] = digit
        }
    }
}

extension Session {
    /// What pictures in the terminal may use.
    func pictureOptions(isColored: Bool) -> (palette: Palette.Depth?, isASCII: Bool) {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap(Environment.value).first
        // Without a locale nothing is known of the terminal; nearly all show UTF-8.
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
