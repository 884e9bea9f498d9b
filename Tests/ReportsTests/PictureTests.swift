import Testing

@testable import Reports

/// Labels that a tokenizer from a stranger may hold.
let hostileLabels = [
    "\"; system(\"touch x\")", "`id`", "\\033[31m", "\u{1B}[31m", "_x^y{z}", "@", "'", "''; !touch x #", "%s %d %%",
    "\\", "$x", "\n", "日本", "{/Bold a}", "\u{202E}abc", "", "EOD", "\\'", "a\\",
]

private func pattern(_ labels: [String] = ["0 \"a\"", "1 \" bc\"", "2 \"d\""]) -> Grid {
    let count = labels.count
    let values = (0..<count * count).map { index -> Double? in
        index % count <= index / count ? Double(index % count + 1) / Double(count) : nil
    }
    return Grid(
        "head 1", rows: .init("query", labels: labels), columns: .init("key", labels: labels),
        value: .init("probability", range: 0...1), values: values)
}

private let curve = Series(
    "loss", x: .init("step"), y: .init("loss", unit: "nats"),
    points: [.init(x: 0, y: 3), .init(x: 1, y: .nan), .init(x: 2, y: 1, low: 0.5, high: 1.5), .init(x: 4, y: 0)])

@Suite struct PictureTests {
    private func draw(_ report: Report, _ options: RenderOptions = RenderOptions()) -> String {
        TableRenderer(options).render(report.pictures)
    }

    @Test func heatMapInCharacters() {
        #expect(
            draw(Report(grids: [pattern()])) == """
                head 1
                query
                0 "a"   ░░
                1 " bc" ░░▓▓
                2 "d"   ░░▓▓██
                        0 1 2
                        key, numbered as the rows
                0 · 0.2 ░ 0.4 ▒ 0.6 ▓ 0.8 █ 1  probability

                """)
    }

    @Test func heatMapInASCII() {
        #expect(
            draw(Report(grids: [pattern()]), RenderOptions(isASCII: true)) == """
                head 1
                query
                0 "a"   3
                1 " bc" 3 6
                2 "d"   3 6 9
                        0 1 2
                        key, numbered as the rows
                0 is 0, 9 is 0.9 to 1  probability

                """)
    }

    @Test func heatMapInColour() {
        let shown = draw(Report(grids: [pattern()]), RenderOptions(color: true, palette: .trueColor))
        let high = Palette.heat(1)
        #expect(shown.contains("48;2;\(high.red);\(high.green);\(high.blue)m  \u{1B}[0m\n"))
        #expect(!shown.contains("█"))
        let indexed = draw(Report(grids: [pattern()]), RenderOptions(color: true, palette: .indexed256))
        #expect(indexed.contains("\u{1B}[48;5;") && !indexed.contains("48;2;"))
        #expect(!draw(Report(grids: [pattern()])).contains("\u{1B}"))
    }

    @Test func smallMapsStandSideBySide() {
        var other = pattern()
        other.name = "head 2"
        let shown = draw(Report(grids: [pattern(), other]), RenderOptions(width: 60))
        #expect(
            shown == """
                query   head 1   head 2
                0 "a"   ░░       ░░
                1 " bc" ░░▓▓     ░░▓▓
                2 "d"   ░░▓▓██   ░░▓▓██
                        0 1 2    0 1 2
                        key, numbered as the rows
                0 · 0.2 ░ 0.4 ▒ 0.6 ▓ 0.8 █ 1  probability

                """)
        // A scale of their own keeps them apart.
        other.value = .init("score")
        #expect(draw(Report(grids: [pattern(), other])).split(separator: "\n").filter { $0 == "query" }.count == 2)
    }

    @Test func largeMapsAreJoinedAndSayHow() {
        let labels = (0..<100).map { "\($0) \"t\"" }
        var grid = pattern(labels)
        grid.values[99 * 100] = 1
        let shown = draw(Report(grids: [grid]), RenderOptions(width: 60))
        #expect(shown.contains("each cell is the largest of 2 × 2\n"))
        #expect(shown.split(separator: "\n").allSatisfy { $0.count <= 60 })
        // The one large value of the lower left corner survives.
        #expect(shown.contains("98 \"t\" █"))
        let (joined, height, width) = grid.pooled(rows: 50, columns: 30)
        #expect((height, width) == (2, 4))
        #expect(joined.values.count == 50 * 25)
        #expect(joined[49, 0] == 1)
        #expect(joined[0, 24] == nil)
    }

    @Test func otherColumnsHaveALegend() {
        let grid = Grid(
            "g", rows: .init("layer", count: 2), columns: .init("token", labels: ["0 \"one\"", "1 \"two\""]),
            value: .init("share", range: 0...1), values: [0, .nan, nil, 1])
        let shown = draw(Report(grids: [grid]))
        #expect(shown.contains("layer\n0     · ?\n1       ██\n      0 1\n      token\n0 \"one\"  1 \"two\"\n"))
    }

    @Test func curvesInBraille() {
        #expect(
            draw(Report(series: [curve]), RenderOptions(width: 34)) == """
                loss
                loss (nats)
                  3 ┤⠁
                    │
                2.5 ┤
                    │
                  2 ┤
                    │
                1.5 ┤
                    │              ⠨
                    │              ⠨
                  1 ┤              ⠸⠤⡀
                    │              ⠨ ⠈⠑⠤⣀
                0.5 ┤              ⠨     ⠑⠢⣀
                    │                       ⠑⠢⣀
                  0 ┤                          ⠉⠢⢄
                    └─────────────────────────────
                     0             2             4
                     step

                """)
    }

    @Test func severalCurvesShareOnePanelOnlyInColour() {
        var other = curve
        other.name = "other"
        let report = Report(series: [curve, other])
        let colored = draw(report, RenderOptions(color: true, palette: .indexed256))
        #expect(colored.split(separator: "\n").count == 19)
        #expect(colored.contains("── \u{1B}[0mloss"))
        #expect(draw(report).split(separator: "\n").count == 38)
        other.y = .init("accuracy")
        #expect(CurvePanel.panels([curve, other]).count == 2)
    }

    @Test func hostileLabelsReachNoTerminal() {
        let grid = pattern(hostileLabels)
        for palette in [nil, Palette.Depth.trueColor] {
            for ascii in [false, true] {
                let options = RenderOptions(width: 60, palette: palette, isASCII: ascii)
                let shown = draw(Report(title: "\u{1B}]0;x\u{7}", grids: [grid]), options)
                    .replacing(/\u{1B}\[(0|48;2;\d+;\d+;\d+)m/, with: "")
                #expect(!shown.unicodeScalars.contains { $0 != "\n" && $0.value < 0x20 })
                #expect(!shown.contains("\u{202E}"))
            }
        }
    }

    @Test(arguments: [-.infinity, -1e308, -1, 0, .leastNonzeroMagnitude, 1e308, .infinity, .nan] as [Double])
    func extremesAreDrawn(extreme: Double) {
        for values in [[extreme], [extreme, 1e308], [extreme, 1, -1e308], [extreme, extreme]] {
            let grid = Grid(
                "g", rows: .init("r", count: 1), columns: .init("c", count: values.count), value: .init("v"),
                values: values)
            let points = values.enumerated().map {
                Series.Point(x: Double($0.offset) * 1e300, y: $0.element, low: $0.element, high: -$0.element)
            }
            let sideways = values.map { Series.Point(x: $0, y: 1) }
            let report = Report(
                series: [
                    .init("s", x: .init("x"), y: .init("y"), points: points),
                    .init("t", x: .init("x"), y: .init("z"), points: sideways),
                ],
                grids: [grid])
            for width in [1, 20, 80] {
                #expect(draw(report, RenderOptions(width: width)).contains("g\n"))
                #expect(draw(report, RenderOptions(width: width, palette: .trueColor, isASCII: true)).contains("g\n"))
            }
            #expect(GnuplotScript(report, format: .svg).text.hasSuffix("unset multiplot\n"))
        }
    }

    @Test func emptyPicturesAreNone() {
        #expect(!Report(tables: [Table("t", columns: ["a"], rows: [[1]])]).hasPicture)
        let empty = Grid("g", rows: .init("r", count: 0), columns: .init("c", count: 3), value: .init("v"), values: [])
        #expect(!Report(series: [Series("s", x: .init("x"), y: .init("y"))], grids: [empty]).hasPicture)
        #expect(!Report(series: [Series("s", x: .init("x"), y: .init("y"), points: [.init(x: 0, y: .nan)])]).hasPicture)
        #expect(Report(grids: [pattern()]).hasPicture)
    }

    @Test func palette() {
        // Relative luminance (WCAG) grows with the value, so that a grey copy can still be read.
        func luminance(_ color: Palette.RGB) -> Double {
            0.2126 * Double(color.red) + 0.7152 * Double(color.green) + 0.0722 * Double(color.blue)
        }
        let steps = (0...64).map { luminance(Palette.heat(Double($0) / 64)) }
        #expect(zip(steps, steps.dropFirst()).allSatisfy { $0 < $1 })
        #expect(steps[0] < 30 && steps[64] > 220)
        #expect(Palette.heat(-1) == Palette.heat(0) && Palette.heat(2) == Palette.heat(1))
    }

    @Test func ticks() {
        #expect(Ticks.between(0, 1, count: 5) == [0, 0.2, 0.4, 0.6000000000000001, 0.8, 1])
        #expect(Ticks.between(-3, 12, count: 4) == [0, 5, 10])
        #expect(Ticks.between(1, 1, count: 4).isEmpty)
        #expect(Ticks.between(0, .infinity, count: 4).isEmpty)
        #expect(Ticks.between(1e17, 1e17 + 64, count: 4).count <= 100)
        #expect(Ticks.step(count: 100, size: 2, label: 3) == 2)
        #expect(Ticks.step(count: 100, size: 2, label: 11) == 10)
    }
}

@Suite struct PictureDataTests {
    private let report = Report(
        series: [curve],
        grids: [
            Grid(
                "g", rows: .init("layer", count: 2), columns: .init("head", labels: ["a", "a"]),
                value: .init("share", unit: "%", range: 0...1), values: [0.1, nil, 1 / 3, .nan])
        ])

    @Test func csv() {
        #expect(
            CSVRenderer().render(Report(grids: report.grids))
                == "layer,a,a_2\n0,0.1,\n1,0.3333333333333333,NaN\n")
        #expect(CSVRenderer().render(report).hasPrefix("step,loss,loss_low,loss_high\n0.0,3.0,,\n"))
    }

    @Test func markdown() {
        let shown = MarkdownRenderer().render(report)
        #expect(
            shown.contains(
                "| layer | a | a |\n| --- | ---: | ---: |\n| 0 | 0.1 | - |\n| 1 | 0.3333333333333333 | NaN |"))
        #expect(shown.contains("### g\n"))
    }

    @Test func jsonLines() {
        let lines = JSONLinesRenderer().render(report).split(separator: "\n").suffix(3)
        #expect(
            Array(lines) == [
                #"{"grid": "g", "rows": {"label": "layer", "labels": ["0", "1"]}, "columns": {"label": "head", "labels": ["a", "a"]}, "value": {"label": "share", "unit": "%"}, "range": [0.0, 1.0]}"#,
                #"{"grid": "g", "row": "0", "values": [0.1, null]}"#,
                #"{"grid": "g", "row": "1", "values": [0.3333333333333333, null], "nonfinite": {"/values/1": "NaN"}}"#,
            ])
    }

    @Test func json() {
        let shown = JSONRenderer().render(report)
        #expect(shown.contains(#""/grids/0/values/1/1": "NaN""#))
        #expect(shown.contains(#""range": [0.0, 1.0]"#))
    }

    @Test func tablesListThemUnlessDrawn() {
        #expect(TableRenderer().render(Report(grids: report.grids)).contains("1      0.3333  NaN\n"))
    }

    @Test func value() {
        #expect(Report(grids: report.grids).value == 0.1)
    }
}
