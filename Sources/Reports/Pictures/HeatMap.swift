internal import TerminalText

/// A grid drawn with the characters of a terminal.
struct HeatMap {
    let options: RenderOptions

    /// Columns of a picture that goes to no terminal.
    static let defaultWidth = 100
    private static let shades: [Character] = ["·", "░", "▒", "▓", "█"]

    /// Lines: the name, rows with their labels, the columns' labels, the scale.
    func text(_ grid: Grid) -> String {
        guard !grid.isEmpty else { return "(nothing to draw)\n" }
        let width = max(options.width ?? Self.defaultWidth, 20)
        let rowLabels = grid.rows.labels.map { $0.escapedForTerminal.truncated(toWidth: min(20, width / 3)) }
        let margin = max(rowLabels.map(\.displayWidth).max() ?? 0, grid.rows.label.escapedForTerminal.displayWidth)
        let space = max(width - margin - 1, 4)
        let isSquare = grid.rows.labels.count == grid.columns.labels.count
        let columnBlock = grid.pooled(rows: .max, columns: space).width
        let (drawn, height, across) = grid.pooled(
            rows: isSquare ? (grid.rows.labels.count + columnBlock - 1) / columnBlock : .max, columns: space)
        let count = drawn.columns.labels.count
        let cell = 2 * count <= space ? 2 : 1
        let scale = grid.scale
        var text = ""
        if !grid.name.isEmpty { text += dim(grid.name.escapedForTerminal) + "\n" }
        text += dim(grid.rows.label.escapedForTerminal) + "\n"
        for row in drawn.rows.labels.indices {
            text += rowLabels[row * height].padded(toWidth: margin) + " " + line(drawn, row, cell, scale) + "\n"
        }
        let indent = String(repeating: " ", count: margin + 1)
        text += indent + ticks(drawn.columns, cell: cell, block: across) + "\n"
        let isNumbered = grid.columns.labels == grid.rows.labels && !Self.areShort(grid.columns.labels)
        let axis = grid.columns.label.escapedForTerminal + (isNumbered ? ", numbered as the rows" : "")
        text += indent + dim(axis) + "\n"
        if !isNumbered, !Self.areShort(grid.columns.labels) { text += legend(grid.columns.labels, width) }
        text += self.scale(grid, scale, width)
        if height > 1 || across > 1 { text += "each cell is the largest of \(height) × \(across)\n" }
        return text
    }

    private func line(_ grid: Grid, _ row: Int, _ cell: Int, _ scale: (low: Double, high: Double)) -> String {
        var line = ""
        var current: String?
        for column in grid.columns.labels.indices {
            guard let value = grid[row, column], value.isFinite, let depth = options.palette else {
                if current != nil { line += "\u{1B}[0m" }
                current = nil
                line += plain(grid[row, column], cell, scale)
                continue
            }
            let code = Palette.heat(Self.share(value, scale)).parameters(depth)
            if code != current { line += "\u{1B}[48;\(code)m" }
            current = code
            line += String(repeating: " ", count: cell)
        }
        if current != nil { return line + "\u{1B}[0m" }
        while line.utf8.last == UInt8(ascii: " ") { line.removeLast() }
        return line
    }

    /// A cell without colour.
    private func plain(_ value: Double?, _ cell: Int, _ scale: (low: Double, high: Double)) -> String {
        guard let value else { return String(repeating: " ", count: cell) }
        guard value.isFinite else { return "?".padded(toWidth: cell) }
        let share = Self.share(value, scale)
        if options.isASCII { return String(min(9, Int(share * 10))).padded(toWidth: cell) }
        let level = Self.shades[min(Self.shades.count - 1, Int(share * Double(Self.shades.count)))]
        return level == Self.shades[0] ? "·".padded(toWidth: cell) : String(repeating: level, count: cell)
    }

    private static func share(_ value: Double, _ scale: (low: Double, high: Double)) -> Double {
        // Halves first: the difference of two large numbers may be infinite.
        min(max((value / 2 - scale.low / 2) / (scale.high / 2 - scale.low / 2), 0), 1)
    }

    /// Whether labels are short enough to stand under their columns.
    private static func areShort(_ labels: [String]) -> Bool { labels.allSatisfy { $0.count <= 3 } }

    /// Labels under the columns, as many as fit; indices where the labels themselves are too long.
    private func ticks(_ side: Grid.Side, cell: Int, block: Int) -> String {
        let labels =
            Self.areShort(side.labels)
            ? side.labels.map(\.escapedForTerminal) : side.labels.indices.map { String($0 * block) }
        let longest = labels.map(\.displayWidth).max() ?? 1
        let step = Ticks.step(count: labels.count, size: Double(cell), label: Double(longest + 1))
        var line = ""
        for index in stride(from: 0, to: labels.count, by: step) {
            line += labels[index].padded(toWidth: step * cell)
        }
        while line.utf8.last == UInt8(ascii: " ") { line.removeLast() }
        return line
    }

    /// All column labels, for grids whose rows do not say them.
    private func legend(_ labels: [String], _ width: Int) -> String {
        var lines: [String] = []
        var line = ""
        for label in labels.map({ $0.escapedForTerminal.truncated(toWidth: width) }) {
            if !line.isEmpty, line.displayWidth + 2 + label.displayWidth > width {
                lines.append(line)
                line = ""
            }
            line += (line.isEmpty ? "" : "  ") + label
        }
        return (lines + [line]).map { $0 + "\n" }.joined()
    }

    private func scale(_ grid: Grid, _ scale: (low: Double, high: Double), _ width: Int) -> String {
        func number(_ share: Double) -> String {
            NumberFormat.significant(scale.low * (1 - share) + scale.high * share, digits: 3)
        }
        let title = grid.value.title.escapedForTerminal
        if let depth = options.palette {
            let bar = (0..<24).map { step in
                "\u{1B}[48;\(Palette.heat((Double(step) + 0.5) / 24).parameters(depth))m "
            }.joined()
            return "\(number(0)) \(bar)\u{1B}[0m \(number(1))  \(title)\n"
        }
        if options.isASCII { return "0 is \(number(0)), 9 is \(number(0.9)) to \(number(1))  \(title)\n" }
        let count = Self.shades.count
        let steps = Self.shades.indices.map { "\(number(Double($0) / Double(count))) \(Self.shades[$0])" }
        let line = steps.joined(separator: " ") + " \(number(1))"
        return line.displayWidth + 2 + title.displayWidth <= width ? "\(line)  \(title)\n" : "\(line)\n\(title)\n"
    }

    private func dim(_ text: String) -> String {
        options.color && !text.isEmpty ? "\u{1B}[2m\(text)\u{1B}[0m" : text
    }
}
