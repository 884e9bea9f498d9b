import Testing

@testable import Reports

/// Bands, intervals and logarithmic axes.
@Suite struct BandTests {
    private let x = Series.Axis("layer")
    private let y = Series.Axis("dimension")

    private var curve: Series {
        Series(
            "TwoNN", x: x, y: y,
            points: (0...8).map { index in
                let value = 10 + 2 * Double(index)
                return .init(x: Double(index), y: value, low: value - 3, high: value + 3)
            })
    }
    private var null: Series {
        Series(
            "null", x: x, y: y,
            points: (0...8).map { .init(x: Double($0), y: 40, low: 36, high: 44) }, style: .band)
    }

    private func draw(_ series: [Series], _ options: RenderOptions = RenderOptions(width: 44)) -> String {
        TableRenderer(options).render(Report(series: series).pictures)
    }

    @Test func aBandStandsBehindTheCurve() {
        #expect(
            draw([null, curve]) == """
                TwoNN   ░░ null
                dimension
                   │░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░
                40 ┤░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░
                   │░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░
                   │
                   │
                30 ┤                                       ⢀
                   │                                  ⠠    ⣐
                   │                             ⢐  ⢀⣀⠬⠔⠒⠊⠉⢐
                20 ┤                    ⡀   ⠨⢀⣀⡠⠤⢒⠊⠉⠁ ⠨
                   │               ⠄   ⢀⣂⠤⠔⠒⠩⠁   ⠐
                   │          ⡂  ⣀⡠⠥⠒⠒⠉⠁⡂   ⠈
                   │⡀    ⠅⣀⣀⠤⠔⡒⠉⠉  ⠅
                10 ┤⣂⠤⠤⠒⠊⠍    ⠂
                   │⡂    ⠁
                   └────────────────────────────────────────
                    0         2         4        6         8
                    layer

                """)
    }

    @Test func inASCII() {
        let shown = draw([curve, null], RenderOptions(width: 44, isASCII: true))
        #expect(shown.utf8.allSatisfy { $0 < 0x80 })
        #expect(shown.hasPrefix("TwoNN   :: null\n"))
        #expect(shown.contains("::::::::") && shown.contains("*"))
    }

    @Test func withoutColourEachCurveHasTheBands() {
        var other = curve
        other.name = "MLE"
        let shown = draw([curve, null, other])
        #expect(shown.contains("TwoNN   ░░ null\n") && shown.contains("MLE   ░░ null\n"))
        let colored = draw([curve, null, other], RenderOptions(width: 44, color: true, palette: .trueColor))
        #expect(colored.split(separator: "\n").count == 19)
        #expect(colored.contains("░░\u{1B}[0m \u{1B}[2mnull"))
    }

    @Test func aThinBandIsSeen() {
        let claim = Series("claim", x: x, y: y, range: 20...20.01, across: 0...8)
        #expect(claim.points.map(\.x) == [0, 8] && claim.points.allSatisfy { $0.low == 20 && $0.high == 20.01 })
        let shown = draw([claim, curve])
        #expect(shown.split(separator: "\n").count { $0.contains("░░░") } == 1)
    }

    @Test func aBandAloneIsAPicture() {
        #expect(Report(series: [null]).hasPicture)
        #expect(draw([null]).contains("░░ null\n"))
        var empty = null
        empty.points = [.init(x: 0, y: 1), .init(x: 1, y: 1, low: 2, high: 1), .init(x: 2, y: 1, low: .nan, high: 1)]
        #expect(!Report(series: [empty]).hasPicture)
    }

    @Test func logarithmicAxes() {
        let scale = Series.Axis("scale", isLogarithmic: true)
        let dimension = Series.Axis("dimension", isLogarithmic: true)
        let line = Series(
            "d", x: scale, y: dimension,
            points: [0, 1, 10, 100, 1000].map { .init(x: $0, y: $0 * $0) })
        let shown = draw([line], RenderOptions(width: 50))
        // A power law is a straight line: each decade of x is as wide as the next.
        #expect(
            shown == """
                d
                dimension
                1000000 ┤                                      ⣀⠔⠊
                        │                                   ⣀⠔⠊
                 100000 ┤                                ⣀⠔⠊
                        │                             ⣀⠔⠊
                  10000 ┤                          ⣀⠔⠊
                        │                       ⢀⠤⠊
                   1000 ┤                    ⢀⠤⠊⠁
                        │                 ⢀⡠⠒⠁
                        │               ⡠⠒⠁
                    100 ┤            ⡠⠔⠉
                        │         ⡠⠔⠉
                     10 ┤      ⡠⠔⠉
                        │   ⡠⠔⠉
                      1 ┤⡠⠔⠉
                        └─────────────────────────────────────────
                         1           10            100        1000
                         scale

                """)
        #expect(Ticks.on(1...1000, isLogarithmic: true, count: 5) == [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000])
        #expect(Ticks.on(1...1e6, isLogarithmic: true, count: 5) == [1, 10, 100, 1000, 1e4, 1e5, 1e6])
        #expect(Ticks.on(3...4, isLogarithmic: true, count: 5) == Ticks.between(3, 4, count: 5))
        #expect(Ticks.on(1e-200...1e200, isLogarithmic: true, count: 5).count < 12)
    }

    @Test func whatHasNoPlaceOnALogarithmicAxis() {
        let log = Series.Axis("scale", isLogarithmic: true)
        for values in [[-1, 0], [0, 5], [5, 5], [-.infinity, 3], [.leastNonzeroMagnitude, 1e299]] as [[Double]] {
            let points = values.map { Series.Point(x: $0, y: $0, low: $0 - 1, high: $0 + 1) }
            for style in [Series.Style.line, .band] {
                let series = Series("s", x: log, y: log, points: points, style: style)
                for width in [1, 20, 80] { _ = draw([series], RenderOptions(width: width)) }
                let script = GnuplotScript(Report(series: [series, curve]), format: .svg).text
                #expect(script.hasSuffix("unset multiplot\n") && !script.contains("-1.0"))
            }
        }
    }

    @Test func gnuplotDrawsBandsFirst() {
        let script = GnuplotScript(Report(series: [curve, null]), format: .svg).text
        #expect(script.contains("plot $band0 using 1:3:4 with filledcurves"))
        #expect(script.contains("title \"null\""))
        #expect(script.contains("$bars0 using 1:2:3:4 with yerrorbars"))
        #expect(script.contains("$band0 << EOD\n0.0 40.0 36.0 44.0\n"))
        #expect(script.contains("set yrange [7.0:44.0]"))
    }

    @Test func machinesReadTheStyle() {
        let scale = Series.Axis("scale", isLogarithmic: true)
        let json = JSONRenderer().render(Report(series: [null, Series("d", x: scale, y: y)]))
        #expect(json.contains("\"style\": \"band\"") && json.contains("\"scale\": \"logarithmic\""))
        #expect(!JSONRenderer().render(Report(series: [curve])).contains("\"style\""))
    }

    @Test func sparklines() {
        #expect(Sparkline.text([0, 1, 2, 3, 4, 5, 6, 7]) == "▁▂▃▄▅▆▇█")
        #expect(Sparkline.text([0, nil, 7, .nan, -.infinity]) == "▁ █??")
        #expect(Sparkline.text([3, 3]) == "▅▅")
        #expect(Sparkline.text([]) == "" && Sparkline.text([nil]) == " ")
        #expect(Sparkline.text([0.25, 2, -1], range: 0...1) == "▃█▁")
        #expect(Sparkline.text((0..<10).map(Double.init), isASCII: true) == "0123456789")
        #expect(Sparkline.text([-1e308, 1e308]) == "▁█")
    }
}
