import Provenance
import Testing

@testable import Reports

/// What stands outside of quotes, where everything could be code, and the strings; single-quoted ones are our own
/// constants, in double-quoted ones every backslash begins three octal digits.
private func codeAndStrings(_ script: String) -> (code: String, strings: [String]) {
    var code = ""
    var strings: [String] = []
    let bytes = Array(script.utf8)
    var index = 0
    while index < bytes.count {
        let quote = bytes[index]
        code.unicodeScalars.append(Unicode.Scalar(quote))
        index += 1
        guard quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else { continue }
        var string: [UInt8] = []
        while bytes[index] != quote {
            #expect(bytes[index] != UInt8(ascii: "`") && bytes[index] != UInt8(ascii: "\n"))
            if bytes[index] == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                string.append(UInt8(String(decoding: bytes[index + 1...index + 3], as: UTF8.self), radix: 8)!)
                index += 4
                // gnuplot would read on.
                #expect(!(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[index]))
            } else {
                string.append(bytes[index])
                index += 1
            }
        }
        index += 1
        strings.append(String(decoding: string, as: UTF8.self))
    }
    return (code, strings)
}

@Suite struct GnuplotScriptTests {
    private func report(_ labels: [String]) -> Report {
        let values = (0..<labels.count * labels.count).map { Optional(Double($0)) }
        let grids = labels.map { label in
            Grid(
                label, rows: .init(label, labels: labels), columns: .init(label, labels: labels),
                value: .init(label, unit: label), values: values)
        }
        let series = labels.map { label in
            Series(label, x: .init(label, unit: label), y: .init("y"), points: [.init(x: 0, y: 1), .init(x: 1, y: 2)])
        }
        return Report(
            title: labels.joined(), series: series, grids: grids,
            recipe: Recipe(commandLine: labels.joined(), inputs: [.init(name: labels[0], sha256: "00")], version: "1"))
    }

    @Test("whatever the labels, the code is the same", arguments: GnuplotScript.Format.allCases)
    func hostile(format: GnuplotScript.Format) {
        // A curve without a name has no title line, which is a difference that is meant.
        let labels = hostileLabels.filter { !$0.isEmpty }
        let number = /-?[0-9.]+(e[-+]?[0-9]+)?/
        let (code, strings) = codeAndStrings(GnuplotScript(report(labels), format: format).text)
        let harmless = labels.indices.map { "label \($0)" }
        let (expected, _) = codeAndStrings(GnuplotScript(report(harmless), format: format).text)
        #expect(code.replacing(number, with: "N") == expected.replacing(number, with: "N"))
        for label in ["\"; system(\"touch x\")", "`id`", "\\033[31m", "\\e[31m", "_x^y{z}", "@", "''; !touch x #"] {
            #expect(strings.contains(label), "\(label)")
        }
        // Tic labels are formats for a number.
        #expect(strings.contains("%%s %%d %%%%"))
        #expect(!strings.contains { $0.unicodeScalars.contains { $0.value < 0x20 } })
        #expect(code.contains("noenhanced"))
    }

    @Test func quoting() {
        #expect(GnuplotScript.quoted("it's \\ \"x\" é") == #""it\047s \134 \042x\042 é""#)
        #expect(GnuplotScript.quoted("0.15\"2a") == #""0\056\061\065\042\062a""#)
        #expect(GnuplotScript.quoted("a\nb\u{1B}`%@$") == #""a\134nb\134e\140\045\100\044""#)
    }

    @Test func formats() {
        #expect(GnuplotScript.Format(path: "a.SVG") == .svg)
        #expect(GnuplotScript.Format(path: "x.y/a.png") == .png)
        #expect(GnuplotScript.Format(path: "pdf") == nil)
        #expect(GnuplotScript.Format(path: "a.svg/b") == nil)
        #expect(GnuplotScript.Format(path: "a.gp") == nil)
    }

    @Test("a fixed range and size, whatever the values")
    func comparable() {
        func script(_ value: Double) -> String {
            let grid = Grid(
                "g", rows: .init("r", count: 2), columns: .init("c", count: 2), value: .init("p", range: 0...1),
                values: [value, nil, 0, .nan])
            return GnuplotScript(Report(grids: [grid]), format: .svg).text
        }
        #expect(script(0.25).replacing("0 0 0.25", with: "0 0 0.75") == script(0.75))
        #expect(script(0.25).contains("set cbrange [0.0:1.0]\n"))
        // Neither what can't be nor what is no number has a box.
        #expect(script(0.25).contains("$grid << EOD\n0 0 0.25\n0 1 0.0\nEOD\n"))
    }

    @Test("curves break where a point is missing, and intervals become bands")
    func curves() {
        let curve = Series(
            "s", x: .init("x"), y: .init("y"),
            points: [.init(x: 0, y: 1), .init(x: 1, y: .nan), .init(x: 2, y: 3, low: 2, high: 4)])
        let script = GnuplotScript(Report(series: [curve]), format: .pdf).text
        #expect(script.contains("$curve0 << EOD\n0.0 1.0 1.0 1.0\n\n2.0 3.0 2.0 4.0\nEOD\n"))
        #expect(script.contains("using 1:3:4 with filledcurves"))
        #expect(script.contains("set yrange [1.0:4.0]"))
    }
}
