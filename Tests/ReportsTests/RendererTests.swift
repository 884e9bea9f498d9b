import Foundation
import Provenance
import Testing

@testable import Reports

/// One report with everything in it, as every renderer prints it.
private let sample = Report(
    title: "dimension of resid_post",
    scalars: [
        Scalar("participation ratio", .interval(value: 8.123456, low: 7.9, high: 8.4), unit: "dims", note: "null 24.1"),
        Scalar("rows", 256), Scalar("estimator", "two-nn"),
    ],
    tables: [
        Table(
            "layers",
            columns: [.init("layer"), .init("site"), .init("d", unit: "dims"), .init("note", alignment: .left)],
            rows: [
                [0, "blocks.0.hook_resid_post", .interval(value: 1.23, low: 1.1, high: 1.4), "a,\"b\"\nc"],
                [1, "日本 \u{1B}[31m|x", 0.000012345678901234567, nil],
                [10, "", .number(.nan), ""],
            ])
    ],
    series: [
        Series(
            "d by layer", x: .init("layer"), y: .init("d", unit: "dims"),
            points: [.init(x: 0, y: 1.5, low: 1, high: 2), .init(x: 1, y: -.infinity)])
    ],
    text: "Once upon\n\ta time\u{9B}\r",
    notes: ["Rows are not independent."],
    recipe: Recipe(
        commandLine: "manifold acts", inputs: [.init(name: "acts", sha256: "00ff")], seed: .max, version: "0.1"))

@Suite struct RendererTests {
    @Test func table() {
        #expect(
            TableRenderer().render(sample)
                == #"""
                dimension of resid_post

                participation ratio  8.123 [7.9, 8.4] dims  null 24.1
                rows                 256
                estimator            two-nn

                layer  site                             d (dims)  note
                -----  ------------------------  ---------------  --------
                    0  blocks.0.hook_resid_post  1.23 [1.1, 1.4]  a,"b"\nc
                    1  日本 \e[31m|x                   1.235e-05  -
                   10                                        NaN

                Once upon
                \ta time\u{9B}\r

                Rows are not independent.

                """#)
    }

    @Test func tableShortensTextOnly() {
        let shown = TableRenderer(RenderOptions(width: 50)).render(Report(tables: sample.tables))
        #expect(
            shown == #"""
                layer  site                     d (dims)  note
                -----  ----------------  ---------------  --------
                    0  blocks.0.hook_r…  1.23 [1.1, 1.4]  a,"b"\nc
                    1  日本 \e[31m|x           1.235e-05  -
                   10                                NaN

                """#)
        #expect(shown.split(separator: "\n").allSatisfy { $0.count <= 50 })
        let narrow = TableRenderer(RenderOptions(width: 1)).render(Report(tables: sample.tables))
        #expect(narrow.contains("1.23 [1.1, 1.4]"))
    }

    @Test func tableColoursHeadersIfAsked() {
        let report = Report(tables: [Table("t", columns: ["a"], rows: [[1]])])
        #expect(
            TableRenderer(RenderOptions(color: true)).render(report)
                == "\u{1B}[2ma\u{1B}[0m\n\u{1B}[2m-\u{1B}[0m\n1\n")
    }

    @Test func tableNamesSeveralAndShowsEmptyOnesAndSeries() {
        let report = Report(tables: [Table("one", columns: ["a"]), Table("two", columns: ["b"], rows: [[], [1, 2]])])
        #expect(TableRenderer().render(report) == "one\na\n-\n(no rows)\n\ntwo\nb\n-\n-\n1\n")
        #expect(
            TableRenderer().render(Report(series: sample.series))
                == "layer    d (dims)\n-----  ----------\n    0  1.5 [1, 2]\n    1        -Inf\n")
    }

    @Test func csv() {
        #expect(
            CSVRenderer().render(sample) == #"""
                layer,site,d,d_low,d_high,note
                0,blocks.0.hook_resid_post,1.23,1.1,1.4,"a,""b""
                c"
                1,日本 \e[31m|x,1.2345678901234568e-05,,,
                10,"",NaN,,,""

                """#)
    }

    @Test func csvKeepsTextExactlyForFiles() {
        let report = Report(tables: [Table("t", columns: ["a"], rows: [["\u{1B}x"], ["a\r\nb"], [" b"]])])
        #expect(
            CSVRenderer(RenderOptions(escapesControls: false)).render(report) == "a\n\u{1B}x\n\"a\r\nb\"\n\" b\"\n")
    }

    @Test func csvFallsBack() {
        #expect(
            CSVRenderer().render(Report(scalars: sample.scalars))
                == "name,value,value_low,value_high,unit,note\nparticipation ratio,8.123456,7.9,8.4,dims,null 24.1\n"
                + "rows,256,,,,\nestimator,two-nn,,,,\n")
        #expect(
            CSVRenderer().render(Report(series: sample.series)) == "layer,d,d_low,d_high\n0.0,1.5,1.0,2.0\n1.0,-Inf,,\n"
        )
        #expect(CSVRenderer().render(Report(text: "a\nb")) == "text\n\"a\nb\"\n")
        let two = Report(tables: [
            Table("x", columns: ["a"], rows: [[1]]), Table("y", columns: ["b", "b"], rows: [[2, 3]]),
        ])
        #expect(CSVRenderer().render(two) == "a\n1\n\nb,b_2\n2,3\n")
    }

    @Test func json() {
        #expect(
            JSONRenderer().render(sample) == #"""
                {
                  "title": "dimension of resid_post",
                  "scalars": [
                    {"name": "participation ratio", "value": 8.123456, "low": 7.9, "high": 8.4, "unit": "dims", "note": "null 24.1"},
                    {"name": "rows", "value": 256},
                    {"name": "estimator", "value": "two-nn"}
                  ],
                  "tables": [
                    {
                      "name": "layers",
                      "columns": [
                        {"name": "layer", "unit": null},
                        {"name": "site", "unit": null},
                        {"name": "d", "unit": "dims"},
                        {"name": "note", "unit": null}
                      ],
                      "rows": [
                        {"layer": 0, "site": "blocks.0.hook_resid_post", "d": 1.23, "d_low": 1.1, "d_high": 1.4, "note": "a,\"b\"\nc"},
                        {"layer": 1, "site": "日本 \u001b[31m|x", "d": 1.2345678901234568e-05, "d_low": null, "d_high": null, "note": null},
                        {"layer": 10, "site": "", "d": null, "d_low": null, "d_high": null, "note": ""}
                      ]
                    }
                  ],
                  "series": [
                    {
                      "name": "d by layer",
                      "x": {"label": "layer", "unit": null},
                      "y": {"label": "d", "unit": "dims"},
                      "points": [
                        {"x": 0.0, "y": 1.5, "low": 1.0, "high": 2.0},
                        {"x": 1.0, "y": null}
                      ]
                    }
                  ],
                  "grids": [],
                  "text": "Once upon\n\ta time\u009b\r",
                  "notes": ["Rows are not independent."],
                  "recipe": {
                    "command_line": "manifold acts",
                    "inputs": [
                      {"name": "acts", "sha256": "00ff"}
                    ],
                    "seed": 18446744073709551615,
                    "precision": "f32",
                    "version": "0.1"
                  },
                  "nonfinite": {"/tables/0/rows/2/d": "NaN", "/series/0/points/1/y": "-Infinity"}
                }

                """#)
    }

    @Test func jsonIsReadBackToTheSameBits() throws {
        let numbers: [Double] = [
            0.1, 1.0 / 3, .leastNonzeroMagnitude, .greatestFiniteMagnitude, -0.0, 1e21, 123456789.123,
        ]
        let text = "\u{0}\u{1F}\u{7F}\u{202E}\u{E0041}\"\\/ é 日本"
        let report = Report(
            tables: [Table("t", columns: ["x"], rows: numbers.map { [.number($0)] })], text: text)
        let data = Data(JSONRenderer().render(report).utf8)
        let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect(object["text"] as? String == text)
        let tables = try #require(object["tables"] as? [[String: Any]])
        let rows = try #require(tables[0]["rows"] as? [[String: Double]])
        #expect(rows.map { $0["x"]?.bitPattern } == numbers.map(\.bitPattern))
        #expect(object["nonfinite"] == nil)
    }

    @Test func jsonLines() throws {
        let lines = JSONLinesRenderer().render(sample)
        #expect(
            lines == #"""
                {"table": "layers", "layer": 0, "site": "blocks.0.hook_resid_post", "d": 1.23, "d_low": 1.1, "d_high": 1.4, "note": "a,\"b\"\nc"}
                {"table": "layers", "layer": 1, "site": "日本 \u001b[31m|x", "d": 1.2345678901234568e-05, "d_low": null, "d_high": null, "note": null}
                {"table": "layers", "layer": 10, "site": "", "d": null, "d_low": null, "d_high": null, "note": "", "nonfinite": {"/d": "NaN"}}
                {"scalar": "participation ratio", "value": 8.123456, "low": 7.9, "high": 8.4, "unit": "dims", "note": "null 24.1"}
                {"scalar": "rows", "value": 256}
                {"scalar": "estimator", "value": "two-nn"}
                {"series": "d by layer", "x": 0.0, "y": 1.5, "low": 1.0, "high": 2.0}
                {"series": "d by layer", "x": 1.0, "y": null, "nonfinite": {"/y": "-Infinity"}}
                {"text": "Once upon\n\ta time\u009b\r"}
                {"note": "Rows are not independent."}
                {"recipe": {"command_line": "manifold acts", "inputs": [{"name": "acts", "sha256": "00ff"}], "seed": 18446744073709551615, "precision": "f32", "version": "0.1"}}

                """#)
        for line in lines.split(separator: "\n") {
            _ = try JSONSerialization.jsonObject(with: Data(line.utf8))
        }
        let clash = Report(tables: [Table("t", columns: ["table", "a/b~"], rows: [["x", .number(.nan)]])])
        #expect(
            JSONLinesRenderer().render(clash)
                == #"{"table": "t", "table_2": "x", "a/b~": null, "nonfinite": {"/a~1b~0": "NaN"}}"# + "\n")
    }

    @Test func markdown() {
        #expect(
            MarkdownRenderer().render(sample) == #"""
                ## dimension of resid_post

                - participation ratio: 8.123 [7.9, 8.4] dims (null 24.1)
                - rows: 256
                - estimator: two-nn

                | layer | site | d (dims) | note |
                | ---: | --- | ---: | --- |
                | 0 | blocks.0.hook_resid_post | 1.23 [1.1, 1.4] | a,"b"\\nc |
                | 1 | 日本 \\e[31m\|x | 1.235e-05 | - |
                | 10 |  | NaN |  |

                ```text
                Once upon
                \ta time\u{9B}\r
                ```

                - Rows are not independent.

                ```text
                manifold acts
                acts sha256:00ff
                seed 18446744073709551615
                nacre 0.1
                ```

                """#)
    }

    @Test func markdownEscapesWhatItWouldActOn() {
        let report = Report(title: "_a_ b*c* `d` <e> [f](g) resid_post[12] blocks.0 &amp;", text: "````")
        #expect(
            MarkdownRenderer().render(report)
                == "## \\_a\\_ b\\*c\\* \\`d\\` \\<e> [f\\](g) resid_post[12] blocks.0 \\&amp;\n\n`````text\n````\n`````\n"
        )
    }

    @Test func line() {
        #expect(
            LineRenderer().render(sample) == #"""
                dimension of resid_post

                participation ratio (dims) | 8.123 [7.9, 8.4]  null 24.1
                rows                       | 256
                estimator                  | two-nn

                -[ layers 1 ]-
                layer    | 0
                site     | blocks.0.hook_resid_post
                d (dims) | 1.23 [1.1, 1.4]
                note     | a,"b"\nc
                -[ layers 2 ]-
                layer    | 1
                site     | 日本 \e[31m|x
                d (dims) | 1.235e-05
                note     | -
                -[ layers 3 ]-
                layer    | 10
                site     |\#u{20}
                d (dims) | NaN
                note     |\#u{20}

                Once upon
                \ta time\u{9B}\r

                Rows are not independent.

                """#)
    }

    @Test(arguments: OutputMode.allCases) func nothingHostileReachesTheTerminal(mode: OutputMode) {
        let hostile = "a\u{1B}]0;x\u{7}\u{9B}2J\u{202E}\u{200B}\u{FEFF}\u{7F}\u{8}"
        let report = Report(
            title: hostile, scalars: [Scalar(hostile, .text(hostile), unit: hostile, note: hostile)],
            tables: [Table(hostile, columns: [.init(hostile, unit: hostile)], rows: [[.text(hostile)]])],
            series: [Series(hostile, x: .init(hostile), y: .init(hostile, unit: hostile), points: [.init(x: 0, y: 1)])],
            text: hostile, notes: [hostile],
            recipe: Recipe(commandLine: hostile, inputs: [.init(name: hostile, sha256: hostile)], version: hostile))
        for part in [report, Report(scalars: report.scalars), Report(series: report.series), Report(text: hostile)] {
            let shown = mode.renderer().render(part)
            #expect(
                !shown.unicodeScalars.contains { $0 != "\n" && ($0.value < 0x20 || (0x7F...0x9F).contains($0.value)) })
            #expect(!shown.unicodeScalars.contains { ["\u{202E}", "\u{200B}", "\u{FEFF}"].contains($0) })
            #expect(shown.isEmpty || shown.hasSuffix("\n"))
        }
    }

    @Test(arguments: OutputMode.allCases) func anEmptyReportIsNoTrouble(mode: OutputMode) {
        let shown = mode.renderer().render(Report())
        #expect(mode == .json ? shown.contains("\"tables\": []") : shown.isEmpty)
    }
}

@Suite struct ReportTests {
    @Test func valueIsTheFirstNumber() {
        #expect(sample.value == 8.123456)
        #expect(Report(scalars: [Scalar("a", "word"), Scalar("b", 3)]).value == 3)
        #expect(Report(tables: [Table("t", columns: ["a", "b"], rows: [["x", nil], ["y", 2.5]])]).value == 2.5)
        #expect(Report(series: sample.series).value == 1.5)
        #expect(Report(text: "7").value == nil)
    }

    @Test func literalsMakeCells() {
        let cells: [Cell] = ["a\(1)", 2, 2.5, nil]
        #expect(cells == [.text("a1"), .integer(2), .number(2.5), .missing])
        #expect(Cell(nil as Double?) == .missing)
        #expect(Cell(1.5) == .number(1.5))
    }
}
