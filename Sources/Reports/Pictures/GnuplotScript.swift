import Provenance
internal import TerminalText

/// A script that makes gnuplot draw a report's series and grids.
///
/// Nothing of a report is code in it: texts are quoted strings in which everything that gnuplot might act on is an octal
/// escape, with its markup off; numbers stand in data blocks. The picture goes to gnuplot's standard output.
/// Sizes depend on the shape of the report alone, so that pictures by the same command can be compared.
package struct GnuplotScript {
    /// What a picture file can be, by the end of its name.
    package enum Format: String, CaseIterable, Sendable {
        case svg, png, pdf

        /// - Parameter path: `picture.svg`, in any case.
        package init?(path: String) {
            guard let dot = path.lastIndex(of: ".") else { return nil }
            self.init(rawValue: path[path.index(after: dot)...].lowercased())
        }
    }

    package let text: String

    /// A rectangle of the page, in pixels from its lower left corner.
    struct Box {
        let x: Double
        let y: Double
        let width: Double
        let height: Double
    }

    private static let header = 36.0
    private static let footer = 20.0
    /// Room for the title.
    private static let leastWidth = 560.0

    /// - Parameter report: one that has a picture.
    package init(_ report: Report, format: Format) {
        let curves = CurvePanel.panels(report.series)
        let grids = report.grids.filter { !$0.isEmpty }
        let isAlone = curves.count + grids.count == 1
        let panels =
            curves.map { GnuplotPanel.curves($0, isAlone: isAlone) }
            + grids.map { GnuplotPanel.grid($0, isAlone: isAlone) }
        let across = max(1, Int(Double(panels.count).squareRoot().rounded(.up)))
        let down = (panels.count + across - 1) / across
        let cell = (width: panels.map(\.width).max() ?? 1, height: panels.map(\.height).max() ?? 1)
        let page = Box(
            x: 0, y: 0, width: max(Double(across) * cell.width, Self.leastWidth).rounded(),
            height: (Double(down) * cell.height + Self.header + Self.footer).rounded())
        let title = report.title.isEmpty && isAlone ? panels[0].title : report.title
        var script = "set encoding utf8\n" + Self.terminal(format, page) + "set multiplot\n"
        for (index, panel) in panels.enumerated() {
            let box = Box(
                x: Double(index % across) * cell.width,
                y: Self.footer + Double(down - 1 - index / across) * cell.height, width: cell.width,
                height: cell.height)
            script += "reset\n"
            if index == 0 {
                script += Self.label(title, tag: 1, at: page.height - Self.header / 2, page, size: 14, format)
                script += Self.label(Self.origin(report.recipe), tag: 2, at: Self.footer / 2, page, size: 9, format)
            }
            script += panel.script(
                box: box, page: page, showsTitle: !isAlone || !title.hasSuffix(panel.title), format: format)
        }
        text = script + "unset multiplot\n"
    }

    private static func terminal(_ format: Format, _ page: Box) -> String {
        let font = "font 'DejaVu Sans,\(format.points(12))' noenhanced"
        switch format {
        case .svg: return "set terminal svg size \(Int(page.width)),\(Int(page.height)) background '#ffffff' \(font)\n"
        case .png:
            return "set terminal pngcairo size \(Int(page.width)),\(Int(page.height)) background '#ffffff' \(font)\n"
        case .pdf:
            return
                "set terminal pdfcairo size \(page.width / 96)in,\(page.height / 96)in background '#ffffff' \(font)\n"
        }
    }

    /// A line of text at the left of the page.
    private static func label(
        _ text: String, tag: Int, at y: Double, _ page: Box, size: Double, _ format: Format
    ) -> String {
        let limit = Int((page.width - 20) / (size * characterShare))
        return
            "set label \(tag) \(quoted(text.escapedForTerminal.truncated(toWidth: limit)))"
            + " at screen \(10 / page.width),\(y / page.height) left font ',\(format.points(size))'\n"
    }

    /// What made the picture, on one line.
    private static func origin(_ recipe: Recipe?) -> String {
        guard let recipe else { return "" }
        let inputs = recipe.inputs.map { "\($0.name) \($0.sha256.prefix(12))" }
        let seed = recipe.seed.map { ["seed \($0)"] } ?? []
        return (["nacre \(recipe.version)"] + inputs + seed + [recipe.commandLine]).joined(separator: "   ")
    }

    /// The width of a character as a share of the font's size.
    static let characterShare = 0.61

    /// A gnuplot string that stands for exactly this text, made safe for a terminal.
    ///
    /// Between double quotes, since gnuplot 5.4 misreads a single-quoted string that begins with a quote: it ends it
    /// there, and the rest is code. Letters, digits, blanks and what is not ASCII stand as they are; all else,
    /// backquotes and backslashes too, is `\ooo`, and so is a digit after that, which gnuplot would add to the number.
    static func quoted(_ text: String) -> String {
        var quoted = "\""
        var follows = false
        for scalar in text.escapedForTerminal.unicodeScalars {
            let isDigit = ("0"..."9").contains(scalar)
            let isPlain = !scalar.isASCII || scalar.properties.isAlphabetic || scalar == " " || isDigit && !follows
            if isPlain {
                quoted.unicodeScalars.append(scalar)
            } else {
                let digits = String(scalar.value, radix: 8)
                quoted += "\\" + String(repeating: "0", count: 3 - digits.count) + digits
            }
            follows = !isPlain
        }
        return quoted + "\""
    }
}

extension GnuplotScript.Format {
    /// The number that gnuplot wants for a font so many pixels high: its SVG counts pixels, cairo 72nds of an inch.
    func points(_ pixels: Double) -> String {
        NumberFormat.significant(self == .svg ? pixels : pixels * 0.75)
    }
}
