internal import TerminalText

/// Curves drawn with braille dots, two across and four down in a character; with `*` where only ASCII can be shown.
struct CurvePlot {
    let options: RenderOptions

    private static let height = 14

    /// Curves of one panel; without colours, one below another on the same scale.
    func text(_ panel: CurvePanel) -> String {
        guard options.palette == nil, panel.curves.count > 1 else { return plot(panel, panel.bounds) }
        return panel.curves.map {
            plot(CurvePanel(x: panel.x, y: panel.y, curves: [$0]), panel.bounds)
        }.joined(separator: "\n")
    }

    private func plot(_ panel: CurvePanel, _ bounds: (x: ClosedRange<Double>, y: ClosedRange<Double>)) -> String {
        let height = Self.height
        var labels = [String](repeating: "", count: height)
        for tick in Ticks.between(bounds.y.lowerBound, bounds.y.upperBound, count: 5) {
            let share = Self.share(tick, bounds.y)
            labels[height - 1 - Int((share * Double(height - 1)).rounded())] = NumberFormat.significant(tick)
        }
        let margin = labels.map(\.displayWidth).max() ?? 0
        let width = max(min(options.width ?? HeatMap.defaultWidth, HeatMap.defaultWidth) - margin - 2, 10)
        var canvas = Canvas(width: width, height: height, isASCII: options.isASCII)
        for (index, curve) in panel.curves.enumerated() { draw(curve, index, bounds, on: &canvas) }

        let axis = options.isASCII ? ("+", "|", "-") : ("┤", "│", "─")
        let corner = options.isASCII ? "+" : "└"
        var text = ""
        if panel.curves.count > 1 {
            text += panel.curves.enumerated().map { colored(options.isASCII ? "-- " : "── ", $0) + name($1) }
                .joined(separator: "   ")
        } else {
            text += dim(name(panel.curves[0]))
        }
        text += "\n" + dim(panel.y.title.escapedForTerminal) + "\n"
        for row in 0..<height {
            let side = labels[row].isEmpty ? axis.1 : axis.0
            var line = labels[row].padded(toWidth: margin, right: true) + " " + side
            line += canvas.line(row) { colored($0, $1) }
            while line.utf8.last == UInt8(ascii: " ") { line.removeLast() }
            text += line + "\n"
        }
        let indent = String(repeating: " ", count: margin + 1)
        text += indent + corner + String(repeating: axis.2, count: width) + "\n"
        text += indent + " " + horizontalTicks(bounds.x, width: width, isCounted: panel.isCounted) + "\n"
        return text + indent + " " + dim(panel.x.title.escapedForTerminal) + "\n"
    }

    private func draw(
        _ curve: Series, _ index: Int, _ bounds: (x: ClosedRange<Double>, y: ClosedRange<Double>),
        on canvas: inout Canvas
    ) {
        func place(_ x: Double, _ y: Double) -> (Int, Int) {
            let across = Self.share(x, bounds.x) * Double(canvas.dotsAcross - 1)
            let down = (1 - Self.share(y, bounds.y)) * Double(canvas.dotsDown - 1)
            return (Int(across.rounded()), Int(down.rounded()))
        }
        var previous: (Int, Int)?
        for point in curve.points {
            guard point.isDrawable else {
                previous = nil
                continue
            }
            let here = place(point.x, point.y)
            canvas.line(from: previous ?? here, to: here, index)
            previous = here
            if let low = point.low, let high = point.high, low.isFinite, high.isFinite {
                canvas.line(from: place(point.x, low), to: place(point.x, high), index, every: 2)
            }
        }
    }

    private func horizontalTicks(_ range: ClosedRange<Double>, width: Int, isCounted: Bool) -> String {
        var line = ""
        var end = 0
        for tick in Ticks.between(range.lowerBound, range.upperBound, count: max(2, width / 12))
        where !isCounted || tick == tick.rounded() {
            let label = NumberFormat.significant(tick)
            let middle = Int((Self.share(tick, range) * Double(width - 1)).rounded())
            let start = min(max(middle - label.count / 2, 0), width - label.count)
            guard start >= end + (end == 0 ? 0 : 1) else { continue }
            line += String(repeating: " ", count: start - end) + label
            end = start + label.count
        }
        return line
    }

    private static func share(_ value: Double, _ range: ClosedRange<Double>) -> Double {
        Ticks.share(value, range.lowerBound, range.upperBound)
    }

    private func name(_ series: Series) -> String { series.name.escapedForTerminal }

    private func colored(_ text: String, _ index: Int) -> String {
        guard let depth = options.palette else { return text }
        return "\u{1B}[38;\(Palette.curve(index).parameters(depth))m\(text)\u{1B}[0m"
    }

    private func dim(_ text: String) -> String {
        options.color && !text.isEmpty ? "\u{1B}[2m\(text)\u{1B}[0m" : text
    }
}

/// Dots on a field of characters; each character has the colour of the curve that came last.
private struct Canvas {
    private let width: Int
    private let isASCII: Bool
    let dotsAcross: Int
    let dotsDown: Int
    private var cells: [(dots: UInt8, curve: Int)]

    init(width: Int, height: Int, isASCII: Bool) {
        self.width = width
        self.isASCII = isASCII
        dotsAcross = isASCII ? width : 2 * width
        dotsDown = isASCII ? height : 4 * height
        cells = Array(repeating: (0, 0), count: width * height)
    }

    /// A straight line (Bresenham), or only every so many of its dots.
    mutating func line(from a: (Int, Int), to b: (Int, Int), _ curve: Int, every: Int = 1) {
        let steps = max(abs(b.0 - a.0), abs(b.1 - a.1))
        for step in stride(from: 0, through: steps, by: every) {
            let share = steps == 0 ? 0 : Double(step) / Double(steps)
            let x = Double(a.0) + share * Double(b.0 - a.0)
            let y = Double(a.1) + share * Double(b.1 - a.1)
            set(Int(x.rounded()), Int(y.rounded()), curve)
        }
    }

    private mutating func set(_ x: Int, _ y: Int, _ curve: Int) {
        let cell = isASCII ? y * width + x : y / 4 * width + x / 2
        // Unicode numbers the dots of the upper three rows down each column first, then the lowest row.
        let bit = isASCII ? 0 : y % 4 == 3 ? 6 + x % 2 : y % 4 + 3 * (x % 2)
        cells[cell] = (cells[cell].dots | 1 << UInt8(bit), curve)
    }

    func line(_ row: Int, color: (String, Int) -> String) -> String {
        var line = ""
        var run = ""
        var runCurve = 0
        for cell in cells[row * width..<(row + 1) * width] {
            let text =
                cell.dots == 0
                ? " " : isASCII ? "*" : String(Character(Unicode.Scalar(0x2800 + UInt32(cell.dots)) ?? " "))
            if cell.dots != 0, cell.curve != runCurve, !run.isEmpty {
                line += run.allSatisfy { $0 == " " } ? run : color(run, runCurve)
                run = ""
            }
            if cell.dots != 0 { runCurve = cell.curve }
            run += text
        }
        while run.utf8.last == UInt8(ascii: " ") { run.removeLast() }
        return line + (run.isEmpty ? "" : color(run, runCurve))
    }
}
