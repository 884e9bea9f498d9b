internal import TerminalText

/// One plot of a page.
struct GnuplotPanel {
    let title: String
    /// In pixels.
    let width: Double
    let height: Double
    private let margins: Margins
    private let fontSize: Double
    private let labels: Labels
    /// Everything but the place on the page.
    private let body: (_ placed: Placed) -> String

    private struct Margins {
        var left: Double
        var right: Double
        var top = 30.0
        var bottom: Double
    }

    /// What stands along the sides.
    private struct Labels {
        var x: String
        var y: String
        var bar: String?
    }

    /// Where the panel came to stand; all in shares of the page.
    private struct Placed {
        let right: Double
        let bottom: Double
        let height: Double
        /// One pixel.
        let pixel: Double
        let font: String
    }

    func script(
        box: GnuplotScript.Box, page: GnuplotScript.Box, showsTitle: Bool, format: GnuplotScript.Format
    ) -> String {
        let left = (box.x + margins.left) / page.width
        let right = (box.x + width - margins.right) / page.width
        let bottom = (box.y + box.height - height + margins.bottom) / page.height
        let top = (box.y + box.height - margins.top) / page.height
        let font = "font ',\(format.points(fontSize))'"
        var script = """
            set lmargin at screen \(left)
            set rmargin at screen \(right)
            set bmargin at screen \(bottom)
            set tmargin at screen \(top)
            set border lw 0.5
            set tics \(font)

            """
        if showsTitle, !title.isEmpty {
            let limit = Int(width / (fontSize * GnuplotScript.characterShare))
            script += "set title \(Self.text(title, limit)) \(font) offset 0,-0.4\n"
        }
        // Placed by hand: gnuplot would reckon with the page's font, not the panel's.
        let line = fontSize * 1.25
        func label(_ tag: Int, _ text: String, x: Double, y: Double, _ turn: String) -> String {
            "set label \(tag) \(Self.text(text, 60)) at screen \(x),\(y) center \(turn) \(font)\n"
        }
        let middle = (x: (left + right) / 2, y: (bottom + top) / 2)
        script += label(
            11, labels.x, x: middle.x, y: (box.y + box.height - height + 0.7 * line) / page.height, "norotate")
        script += label(12, labels.y, x: (box.x + 0.8 * line) / page.width, y: middle.y, "rotate by 90")
        if let bar = labels.bar {
            script += label(13, bar, x: (box.x + width - 0.8 * line) / page.width, y: middle.y, "rotate by 90")
        }
        let placed = Placed(
            right: right, bottom: bottom, height: top - bottom, pixel: 1 / page.width, font: font)
        return script + body(placed)
    }

    private static func text(_ text: String, _ limit: Int) -> String {
        GnuplotScript.quoted(text.escapedForTerminal.truncated(toWidth: max(limit, 1)))
    }

    // MARK: Curves

    static func curves(_ panel: CurvePanel, isAlone: Bool) -> GnuplotPanel {
        let bounds = panel.bounds
        let series = panel.curves + panel.bands
        let width = isAlone ? 720.0 : 480
        let fontSize = isAlone ? 12.0 : 10
        var margins = Margins(left: 84, right: 24, bottom: 56)
        // Above the plot, where it hides nothing; there is no title then.
        let key = Key(series, width: width - margins.left - margins.right, fontSize: fontSize)
        let room = series.count > 1 ? Double(key.rows) * key.line : 0
        margins.top += room
        return GnuplotPanel(
            title: series.count == 1 ? series[0].name : "", width: width,
            height: (isAlone ? 460 : 320) + room, margins: margins, fontSize: fontSize,
            labels: Labels(x: panel.x.title, y: panel.y.title)
        ) { placed in
            var script = """
                set xrange [\(bounds.x.lowerBound):\(bounds.x.upperBound)]
                set yrange [\(bounds.y.lowerBound):\(bounds.y.upperBound)]
                set grid lc rgb '#d0d0d0' lw 0.5

                """
            script += logarithmic("x", panel.x, bounds.x, placed) + logarithmic("y", panel.y, bounds.y, placed)
            if panel.isCounted, !panel.x.isLogarithmic, bounds.x.upperBound - bounds.x.lowerBound < 10 {
                script += "set xtics 1\n"
            }
            script +=
                series.count > 1
                ? "set key at graph 0,graph 1.02 left bottom Left reverse horizontal maxcols \(key.columns) \(placed.font)\n"
                : "unset key\n"
            var areas: [String] = []
            var lines: [String] = []
            for (index, band) in panel.bands.enumerated() {
                script += data("$band\(index)", band, bounds.y)
                areas.append(
                    "$band\(index) using 1:3:4 with filledcurves fc rgb '\(Palette.band(index).hexadecimal)'"
                        + " fs transparent solid 0.4 title \(text(band.name, nameLimit))")
            }
            for (index, curve) in panel.curves.enumerated() {
                script += data("$curve\(index)", curve, bounds.y)
                let color = "rgb '\(Palette.curve(index).hexadecimal)'"
                if curve.points.contains(where: { $0.low != nil && $0.high != nil }) {
                    areas.append(
                        "$curve\(index) using 1:3:4 with filledcurves fc \(color) fs transparent solid 0.2 notitle")
                }
                let barred = barred(curve)
                if !barred.points.isEmpty {
                    script += data("$bars\(index)", barred, bounds.y)
                    lines.append("$bars\(index) using 1:2:3:4 with yerrorbars ps 0 lw 0.8 lc \(color) notitle")
                }
                lines.append(
                    "$curve\(index) using 1:2 with linespoints lw 1.5 pt 7 ps 0.3 lc \(color) title \(text(curve.name, nameLimit))"
                )
            }
            return script + "plot " + (areas + lines).joined(separator: ", \\\n    ") + "\n"
        }
    }

    /// Names beside their marks, in as many columns as fit.
    private struct Key {
        let columns: Int
        let rows: Int
        /// Height of a row in pixels.
        let line: Double

        init(_ series: [Series], width: Double, fontSize: Double) {
            let longest = series.map { min($0.name.escapedForTerminal.displayWidth, nameLimit) }.max() ?? 0
            // The mark takes about eight characters.
            let item = Double(longest + 8) * fontSize * GnuplotScript.characterShare
            columns = min(max(Int(width / item), 1), max(series.count, 1))
            rows = (series.count + columns - 1) / columns
            line = fontSize * 1.4
        }
    }

    /// Columns of the longest name of a series that is shown whole.
    private static let nameLimit = 40

    /// The points whose intervals are drawn as bars: few of them, or those that stand alone, where an area has no width.
    private static func barred(_ curve: Series) -> Series {
        var barred = curve
        let hasInterval = curve.points.map { $0.low != nil && $0.high != nil && curve.isDrawable($0) }
        let areFew = hasInterval.count(where: \.self) <= 16
        barred.points = curve.points.indices.filter { index in
            let hasNeighbour = (index > 0 && hasInterval[index - 1]) || hasInterval.dropFirst(index + 1).first == true
            return hasInterval[index] && (areFew || !hasNeighbour)
        }.map { curve.points[$0] }
        return barred
    }

    /// A logarithmic axis, with labels of our own: gnuplot's are powers of ten alone.
    private static func logarithmic(
        _ name: String, _ axis: Series.Axis, _ range: ClosedRange<Double>, _ placed: Placed
    ) -> String {
        guard axis.isLogarithmic else { return "" }
        let ticks = Ticks.on(range, isLogarithmic: true, count: 8).map {
            "\(GnuplotScript.quoted(NumberFormat.significant($0))) \($0)"
        }
        return "set logscale \(name)\nset \(name)tics (\(ticks.joined(separator: ", "))) \(placed.font)\n"
    }

    /// x, y and the ends of the interval; a blank line where the curve is broken.
    private static func data(_ name: String, _ curve: Series, _ range: ClosedRange<Double>) -> String {
        let lines = curve.points.map { point in
            guard curve.isDrawable(point) else { return "" }
            // What lies below a logarithmic axis ends at it.
            let ends = [point.low, point.high].map { end in
                finite(end).map { curve.y.isLogarithmic ? max($0, range.lowerBound) : $0 } ?? point.y
            }
            return "\(point.x) \(finite(point.y) ?? ends[0]) \(ends[0]) \(ends[1])"
        }
        return "\(name) << EOD\n" + lines.map { $0 + "\n" }.joined() + "EOD\n"
    }

    private static func finite(_ number: Double?) -> Double? { number.flatMap { $0.isFinite ? $0 : nil } }

    // MARK: Grids

    /// More cells than this a side are joined, as in a terminal.
    private static let cellLimit = 400

    static func grid(_ original: Grid, isAlone: Bool) -> GnuplotPanel {
        let (grid, blockHeight, blockWidth) = original.pooled(rows: cellLimit, columns: cellLimit)
        let rows = grid.rows.labels.count
        let columns = grid.columns.labels.count
        let fontSize = isAlone ? 12.0 : 9
        let character = fontSize * GnuplotScript.characterShare
        let cell = min(26, max(1, ((isAlone ? 720 : 230) / Double(max(rows, columns))).rounded(.down)))
        let area = (width: max(Double(columns) * cell, 120), height: max(Double(rows) * cell, 120))
        func longest(_ labels: [String]) -> Double {
            Double(min(labels.map(\.escapedForTerminal.displayWidth).max() ?? 0, labelLimit)) * character
        }
        let line = fontSize * 1.25
        let across = longest(grid.columns.labels)
        let isUpright = across > 3.5 * character
        let columnStep = Ticks.step(
            count: columns, size: area.width / Double(columns), label: isUpright ? line : across + character)
        let rowStep = Ticks.step(count: rows, size: area.height / Double(rows), label: line)
        let margins = Margins(
            left: longest(grid.rows.labels) + 2 * line + 12, right: 36 + 4.5 * character + 2 * line,
            bottom: (isUpright ? across : line) + 2 * line + 12)
        var title = original.name
        if blockHeight > 1 || blockWidth > 1 { title += " (largest of \(blockHeight) × \(blockWidth))" }
        let scale = grid.scale
        return GnuplotPanel(
            title: title, width: area.width + margins.left + margins.right,
            height: area.height + margins.top + margins.bottom, margins: margins, fontSize: fontSize,
            labels: Labels(x: grid.columns.label, y: grid.rows.label, bar: grid.value.title)
        ) { placed in
            let palette = (0...16).map { "\($0) '\(Palette.heat(Double($0) / 16).hexadecimal)'" }
            var script = """
                unset key
                set palette defined (\(palette.joined(separator: ", ")))
                set cbrange [\(scale.low):\(scale.high)]
                set cbtics \(placed.font)
                set colorbox vertical user origin screen \(placed.right + 10 * placed.pixel),screen \(placed.bottom) \
                size screen \(10 * placed.pixel),screen \(placed.height)
                set xrange [-0.5:\(Double(columns) - 0.5)]
                set yrange [\(Double(rows) - 0.5):-0.5]
                set tics out nomirror
                set object 1 rectangle from graph 0,0 to graph 1,1 fc rgb '#ececec' fs solid noborder behind

                """
            script += tics("x", grid.columns.labels, columnStep, isUpright ? "rotate by 90 right " : "", placed.font)
            script += tics("y", grid.rows.labels, rowStep, "", placed.font)
            return script + cells(grid)
        }
    }

    /// The values as boxes, which stay sharp at any size; many of them as an image, whose pixels do not blur into
    /// each other (an image needs two rows and columns).
    private static func cells(_ grid: Grid) -> String {
        let rows = grid.rows.labels.indices
        let columns = grid.columns.labels.indices
        var script = "$grid << EOD\n"
        if rows.count > 1, columns.count > 1, rows.count * columns.count > 10_000 {
            for row in rows {
                script += columns.map { finite(grid[row, $0]).map { "\($0)" } ?? "NaN" }.joined(separator: " ") + "\n"
            }
            return script + "EOD\nplot $grid matrix with image notitle\n"
        }
        for row in rows {
            for column in columns {
                if let value = finite(grid[row, column]) { script += "\(column) \(row) \(value)\n" }
            }
        }
        // Boxes overlap a little, or their smoothed edges would show the background between them.
        return script + """
            EOD
            plot $grid using 1:2:($1-0.5):($1+0.52):($2-0.52):($2+0.5):3 with boxxyerror \
            fc palette fs solid noborder notitle

            """
    }

    /// Columns of the longest label that is shown whole.
    private static let labelLimit = 24

    /// Labels on an axis; a percent sign would begin a number's format.
    private static func tics(
        _ axis: String, _ labels: [String], _ step: Int, _ rotation: String, _ font: String
    ) -> String {
        var script = "set \(axis)tics \(rotation)() \(font)\n"
        for index in stride(from: 0, to: labels.count, by: step) {
            let shown = labels[index].escapedForTerminal.truncated(toWidth: labelLimit)
            let literal = shown.unicodeScalars.reduce(into: "") {
                if $1 == "%" { $0 += "%" }
                $0.unicodeScalars.append($1)
            }
            script += "set \(axis)tics add (\(GnuplotScript.quoted(literal)) \(index))\n"
        }
        return script
    }
}
