internal import TerminalText

/// Grids drawn with the characters of a terminal.
struct HeatMap {
    let options: RenderOptions

    /// Columns of a picture that goes to no terminal.
    static let defaultWidth = 100
    private static let shades: [Character] = ["·", "░", "▒", "▓", "█"]
    /// Columns between two maps.
    private static let gap = 3

    private var width: Int { max(options.width ?? Self.defaultWidth, 20) }

    /// One text for each run of grids that share sides and scale: small maps side by side, a large one alone.
    func texts(_ grids: [Grid]) -> [String] {
        var groups: [[Grid]] = []
        for grid in grids where !grid.isEmpty {
            if let last = groups.last?.first, last.rows == grid.rows, last.columns == grid.columns,
                last.value == grid.value, grid.value.range != nil
            {
                groups[groups.count - 1].append(grid)
            } else {
                groups.append([grid])
            }
        }
        return groups.map(text)
    }

    /// - Parameter grids: at least one; all have the same sides and scale.
    private func text(_ grids: [Grid]) -> String {
        let first = grids[0]
        let rows = first.rows.labels
        let columns = first.columns.labels
        let labels = rows.map { $0.escapedForTerminal.truncated(toWidth: min(20, width / 3)) }
        let rowTitle = first.rows.label.escapedForTerminal
        let margin = max(labels.map(\.displayWidth).max() ?? 0, rowTitle.displayWidth)
        let space = max(width - margin - 1, 4)

        // The name stands above a map, so that it widens the map's place when there are several.
        let nameWidth = grids.count == 1 ? 0 : grids.map(\.name.escapedForTerminal.displayWidth).max() ?? 0
        func fitting(_ cell: Int) -> Int {
            (space + Self.gap) / (max(cell * columns.count, nameWidth) + Self.gap)
        }
        let cell = fitting(2) >= min(grids.count, 3) ? 2 : 1
        let across = max(1, min(grids.count, fitting(cell)))
        let place = max(cell * columns.count, nameWidth)
        // Joined in squares, or a diagonal would no longer look like one.
        let rowLimit = rows.count == columns.count ? space : .max
        let block = (
            height: Grid.block(rows.count, limit: rowLimit), width: Grid.block(columns.count, limit: space / cell)
        )

        var text = grids.count == 1 && !first.name.isEmpty ? dim(first.name.escapedForTerminal) + "\n" : ""
        for start in stride(from: 0, to: grids.count, by: across) {
            if start > 0 { text += "\n" }
            let strip = grids[start..<min(start + across, grids.count)].map {
                $0.pooled(rows: rowLimit, columns: space / cell).grid
            }
            let names = grids.count == 1 ? [] : strip.map(\.name.escapedForTerminal)
            text += line(dim(rowTitle.padded(toWidth: margin)), names, place: place)
            for row in strip[0].rows.labels.indices {
                let maps = strip.map { self.row(row, of: $0, cell: cell) }
                let padding = String(repeating: " ", count: max(0, place - cell * strip[0].columns.labels.count))
                text += line(labels[row * block.height].padded(toWidth: margin), maps.map { $0 + padding }, place: 0)
            }
            let indent = String(repeating: " ", count: margin)
            let ticks = ticks(strip[0].columns, cell: cell, block: block.width)
            text += line(indent, strip.map { _ in ticks }, place: place)
        }
        return text + explanation(first, margin: margin, block: block)
    }

    /// What the columns, the shades and joined cells mean.
    private func explanation(_ grid: Grid, margin: Int, block: (height: Int, width: Int)) -> String {
        let labels = grid.columns.labels
        let isNumbered = !Self.areShort(labels)
        let asRows = labels == grid.rows.labels
        let axis = grid.columns.label.escapedForTerminal + (isNumbered && asRows ? ", numbered as the rows" : "")
        var text = String(repeating: " ", count: margin + 1) + dim(axis) + "\n"
        if isNumbered, !asRows { text += legend(labels) }
        text += scale(grid)
        if block.height > 1 || block.width > 1 {
            text += "each cell is the largest of \(block.height) × \(block.width)\n"
        }
        return text
    }

    /// A line of the picture: what stands left of the maps, then a part of each.
    private func line(_ margin: String, _ parts: [String], place: Int) -> String {
        let gap = String(repeating: " ", count: Self.gap)
        var line = margin + " " + parts.map { $0.padded(toWidth: place) }.joined(separator: gap)
        while line.utf8.last == UInt8(ascii: " ") { line.removeLast() }
        return line + "\n"
    }

    // MARK: Cells

    /// A row of a map, `cell` columns for each value.
    private func row(_ row: Int, of grid: Grid, cell: Int) -> String {
        let scale = grid.scale
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
        return current == nil ? line : line + "\u{1B}[0m"
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
        Ticks.share(value, scale.low, scale.high)
    }

    // MARK: Labels

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
            let rest = labels.count * cell - line.displayWidth
            if labels[index].displayWidth <= rest || line.isEmpty { line += labels[index].padded(toWidth: step * cell) }
        }
        while line.utf8.last == UInt8(ascii: " ") { line.removeLast() }
        return line
    }

    /// All column labels, for grids whose rows do not say them.
    private func legend(_ labels: [String]) -> String {
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

    private func scale(_ grid: Grid) -> String {
        let scale = grid.scale
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
