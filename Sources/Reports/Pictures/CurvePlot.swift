internal import TerminalText

/// Curves drawn with braille dots, two across and four down in a character; with `*` where only ASCII can be shown.
struct CurvePlot {
    let options: RenderOptions

    private static let height = 14

    /// Curves of one panel; without colours, one below another on the same scale.
    func text(_ panel: CurvePanel) -> String {
        guard options.palette == nil, panel.curves.count > 1 else { return plot(panel, panel.bounds) }
        return panel.curves.map {
            var one = panel
            one.curves = [$0]
            return plot(one, panel.bounds)
        }.joined(separator: "\n")
    }

    private func plot(_ panel: CurvePanel, _ bounds: (x: ClosedRange<Double>, y: ClosedRange<Double>)) -> String {
        let height = Self.height
        var labels = [String](repeating: "", count: height)
        for tick in Ticks.on(bounds.y, isLogarithmic: panel.y.isLogarithmic, count: 5) {
            let share = Ticks.share(tick, bounds.y, isLogarithmic: panel.y.isLogarithmic)
            labels[height - 1 - Int((share * Double(height - 1)).rounded())] = NumberFormat.significant(tick)
        }
        let margin = labels.map(\.displayWidth).max() ?? 0
        let width = max(min(options.width ?? HeatMap.defaultWidth, HeatMap.defaultWidth) - margin - 2, 10)
        var canvas = Canvas(width: width, height: height, isASCII: options.isASCII)
        let dots = (across: Double(canvas.dotsAcross - 1), down: Double(canvas.dotsDown - 1))
        func place(_ x: Double, _ y: Double) -> (Int, Int) {
            let across = Ticks.share(x, bounds.x, isLogarithmic: panel.x.isLogarithmic) * dots.across
            let down = (1 - Ticks.share(y, bounds.y, isLogarithmic: panel.y.isLogarithmic)) * dots.down
            return (Int(across.rounded()), Int(down.rounded()))
        }
        for (index, band) in panel.bands.enumerated() { fill(band, index, place, on: &canvas) }
        for (index, curve) in panel.curves.enumerated() { draw(curve, index, place, on: &canvas) }

        let axis = options.isASCII ? ("+", "|", "-") : ("┤", "│", "─")
        let corner = options.isASCII ? "+" : "└"
        var text = key(panel) + "\n" + dim(panel.y.title.escapedForTerminal) + "\n"
        for row in 0..<height {
            let side = labels[row].isEmpty ? axis.1 : axis.0
            var line = labels[row].padded(toWidth: margin, right: true) + " " + side
            line += canvas.line(row, color: colored)
            while line.utf8.last == UInt8(ascii: " ") { line.removeLast() }
            text += line + "\n"
        }
        let indent = String(repeating: " ", count: margin + 1)
        text += indent + corner + String(repeating: axis.2, count: width) + "\n"
        text += indent + " " + horizontalTicks(panel, bounds.x, width: width) + "\n"
        return text + indent + " " + dim(panel.x.title.escapedForTerminal) + "\n"
    }

    /// The names of what is drawn, each with its mark where there are several.
    private func key(_ panel: CurvePanel) -> String {
        if panel.curves.count == 1, panel.bands.isEmpty { return dim(name(panel.curves[0])) }
        let isAlone = panel.curves.count == 1 && options.palette == nil
        let curves = panel.curves.enumerated().map { index, curve in
            isAlone
                ? dim(name(curve)) : colored(options.isASCII ? "-- " : "── ", .curve(index)) + name(curve)
        }
        let bands = panel.bands.enumerated().map { index, band in
            let mark = String(repeating: Canvas.shade(index, isASCII: options.isASCII), count: 2)
            return colored(mark, .band(index)) + " " + dim(name(band))
        }
        // A mark and a blank stand before each name.
        let widths = (panel.curves + panel.bands).map { name($0).displayWidth + 3 }
        var text = ""
        var column = 0
        for (item, itemWidth) in zip(curves + bands, widths) {
            let isFull = column > 0 && column + 3 + itemWidth > options.width ?? HeatMap.defaultWidth
            text += column == 0 ? item : (isFull ? "\n" : "   ") + item
            column = isFull || column == 0 ? itemWidth : column + 3 + itemWidth
        }
        return text
    }

    private func draw(_ curve: Series, _ index: Int, _ place: (Double, Double) -> (Int, Int), on canvas: inout Canvas) {
        var previous: (Int, Int)?
        for point in curve.points {
            guard curve.isDrawable(point) else {
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

    private func fill(_ band: Series, _ index: Int, _ place: (Double, Double) -> (Int, Int), on canvas: inout Canvas) {
        var previous: Canvas.Side?
        for point in band.points {
            guard band.isDrawable(point), let low = point.low, let high = point.high else {
                previous = nil
                continue
            }
            let (x, bottom) = place(point.x, low)
            let here = Canvas.Side(x: x, top: place(point.x, high).1, bottom: bottom)
            canvas.fill(from: previous ?? here, to: here, index)
            previous = here
        }
    }

    private func horizontalTicks(_ panel: CurvePanel, _ range: ClosedRange<Double>, width: Int) -> String {
        var line = ""
        var end = 0
        let isLogarithmic = panel.x.isLogarithmic
        let isCounted = panel.isCounted
        for tick in Ticks.on(range, isLogarithmic: isLogarithmic, count: max(2, width / 12))
        where !isCounted || tick == tick.rounded() {
            let label = NumberFormat.significant(tick)
            let share = Ticks.share(tick, range, isLogarithmic: isLogarithmic)
            let middle = Int((share * Double(width - 1)).rounded())
            let start = min(max(middle - label.count / 2, 0), width - label.count)
            guard start >= end + (end == 0 ? 0 : 1) else { continue }
            line += String(repeating: " ", count: start - end) + label
            end = start + label.count
        }
        return line
    }

    private func name(_ series: Series) -> String { series.name.escapedForTerminal }

    private func colored(_ text: String, _ ink: Canvas.Ink) -> String {
        guard let depth = options.palette else { return text }
        let color =
            switch ink {
            case .curve(let index): Palette.curve(index)
            case .band(let index): Palette.band(index)
            }
        return "\u{1B}[38;\(color.parameters(depth))m\(text)\u{1B}[0m"
    }

    private func dim(_ text: String) -> String {
        options.color && !text.isEmpty ? "\u{1B}[2m\(text)\u{1B}[0m" : text
    }
}

/// Dots on a field of characters, over shaded areas; each character has the colour of what came last.
private struct Canvas {
    enum Ink: Equatable {
        case curve(Int)
        case band(Int)
    }

    /// The left or right end of an area, in dots.
    struct Side {
        let x: Int
        let top: Int
        let bottom: Int
    }

    private let width: Int
    private let height: Int
    private let isASCII: Bool
    let dotsAcross: Int
    let dotsDown: Int
    /// No ink where nothing was drawn; no dots where an area is.
    private var cells: [(dots: UInt8, ink: Ink?)]

    init(width: Int, height: Int, isASCII: Bool) {
        self.width = width
        self.height = height
        self.isASCII = isASCII
        dotsAcross = isASCII ? width : 2 * width
        dotsDown = isASCII ? height : 4 * height
        cells = Array(repeating: (0, nil), count: width * height)
    }

    /// The character that stands for an area.
    static func shade(_ band: Int, isASCII: Bool) -> Character {
        let shades: [Character] = isASCII ? [":", ".", "%"] : ["░", "▒", "▓"]
        return shades[band % shades.count]
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

    /// The area between two sides: characters whose middle is in it, and in each column at least one.
    mutating func fill(from a: Side, to b: Side, _ band: Int) {
        let (across, down) = isASCII ? (1, 1) : (2, 4)
        for column in min(a.x, b.x) / across...max(a.x, b.x) / across {
            let share = a.x == b.x ? 0 : Double(column * across - a.x) / Double(b.x - a.x)
            func between(_ a: Int, _ b: Int) -> Double { Double(a) + min(max(share, 0), 1) * Double(b - a) }
            let (top, bottom) = (between(a.top, b.top), between(a.bottom, b.bottom))
            let half = Double(down - 1) / 2
            let inside = (0..<height).filter { (top...bottom).contains(Double($0 * down) + half) }
            for row in inside.isEmpty ? [Int((top + bottom) / 2) / down] : inside {
                cells[row * width + column] = (0, .band(band))
            }
        }
    }

    private mutating func set(_ x: Int, _ y: Int, _ curve: Int) {
        let cell = isASCII ? y * width + x : y / 4 * width + x / 2
        // Unicode numbers the dots of the upper three rows down each column first, then the lowest row.
        let bit = isASCII ? 0 : y % 4 == 3 ? 6 + x % 2 : y % 4 + 3 * (x % 2)
        cells[cell] = (cells[cell].dots | 1 << UInt8(bit), .curve(curve))
    }

    func line(_ row: Int, color: (String, Ink) -> String) -> String {
        var line = ""
        var run = ""
        var runInk: Ink?
        func colored() -> String { runInk.map { run.isEmpty ? "" : color(run, $0) } ?? run }
        for cell in cells[row * width..<(row + 1) * width] {
            if let ink = cell.ink, ink != runInk {
                line += colored()
                (run, runInk) = ("", ink)
            }
            run.append(character(cell))
        }
        while run.utf8.last == UInt8(ascii: " ") { run.removeLast() }
        return line + colored()
    }

    private func character(_ cell: (dots: UInt8, ink: Ink?)) -> Character {
        switch cell.ink {
        case nil: " "
        case .band(let index): Self.shade(index, isASCII: isASCII)
        case .curve: isASCII ? "*" : Character(Unicode.Scalar(0x2800 + UInt32(cell.dots)) ?? " ")
        }
    }
}
