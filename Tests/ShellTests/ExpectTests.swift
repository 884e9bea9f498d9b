import Language
import Reports
import TestSupport
import Testing

@testable import Shell

@Suite("Values that expect reads")
struct ReportPathTests {
    private let report = Report(
        scalars: [
            Scalar("KL (nats)", .number(0.25), null: 2), Scalar("rate", .interval(value: 0.5, low: 0.25, high: 0.75)),
            Scalar("rate.low", .text("named so")), Scalar("none", nil),
        ],
        tables: [
            Table(
                "by layer", columns: ["site", .init("surprise", unit: "nats"), "a,b", "0"],
                rows: [["resid_post[0]", 1, .interval(value: 2, low: 1, high: 3), 7], ["1", 4, 5, 8]])
        ])

    private func cell(_ path: String, _ more: Report? = nil) throws -> Cell {
        let session = Session(settings: Settings(threads: 1))
        session.define("r", .report(more ?? report))
        session.define("r.x-1", .report(Report(scalars: [Scalar("value", 9)])))
        return try session.cell(at: path)
    }

    @Test("a text that several rows begin with names none of them")
    func ambiguous() throws {
        let twice = Report(tables: [
            Table("t", columns: ["name", "value"], rows: [["a", 1], ["b c", 2], ["a", 3], ["b_c", 4]])
        ])
        #expect(throws: ReportPathError.self) { try cell("r[a,value]", twice) }
        #expect(try cell("r[2,value]", twice) == 3)
        #expect(try cell("r[b c,value]", twice) == 2)
        #expect(throws: ReportPathError.self) { try cell("r[b-c,value]", twice) }
    }

    @Test(
        "scalars, their parts, and cells",
        arguments: [
            ("r.KL (nats)", 0.25), ("r.KL_nats", 0.25), ("r.KL_nats.null", 2.0),
            ("r.rate", .interval(value: 0.5, low: 0.25, high: 0.75)),
            ("r.rate.high", 0.75), ("r.rate.low", "named so"), ("r.none", nil), ("r.value", 0.25), ("r.x-1.value", 9),
            ("r[0,surprise]", 1), ("r[0, surprise (nats)]", 1), ("r[0,surprise_nats]", 1), ("r[-1,surprise]", 4),
            ("r[resid_post[0],a,b]", .interval(value: 2, low: 1, high: 3)), ("r.by_layer[0,a_b].high", 3.0),
            ("r[1,site]", "1"), ("r[resid_post_0,0]", 7), ("r[1,1]", 4), ("r[0,3]", 7),
        ] as [(String, Cell)])
    func values(path: String, expected: Cell) throws {
        #expect(try cell(path) == expected)
    }

    @Test(
        "what there is not is refused with what there is",
        arguments: [
            ("r", "r holds several values; it has KL_nats, rate, rate.low, none; and r[row,column] with the columns"),
            ("r.loss", "r has no loss; it has KL_nats"), ("r.KL_nats.low", "r.KL_nats has no low; it has null"),
            ("r.rate.null", "r.rate has no null; it has low and high"), ("r.none.low", "r.none has no low"),
            ("r[2,surprise]", "r has no row 2; its rows are 0 to 1"), ("r[-3,surprise]", "r has no row -3"),
            ("r[x,surprise]", "r has no row x; give a number from 0, or one of resid_post[0], 1"),
            ("r[0,x]", "r has no column x; it has site, surprise, a,b, 0"), ("r[0]", "[...] takes a row and a column"),
            ("r.other[0,site]", "r has no table other"), ("q.loss", "nothing is called q"),
            ("it.loss", "there is no result yet"), ("r[0,surprise]x", "r has no [0,surprise]x"),
            ("r[99999999999999999999,0]", "r has no row 99999999999999999999"),
        ])
    func refused(path: String, message: String) {
        let error = #expect(throws: (any Error).self) { try cell(path) }
        let words = error.map(CommandError.words) ?? ""
        #expect(words.hasPrefix(message), "\(words)")
    }

    @Test("curves stand for tables where there are none, and completion offers what there is")
    func curves() throws {
        let curve = Series("curve", x: .init("x"), y: .init("y"), points: [.init(x: 1, y: 2)])
        #expect(try cell("r[0,y]", Report(series: [curve])) == 2.0)
        #expect(
            ReportPath(report, name: "it").candidates == [
                "it.value", "it.KL_nats", "it.KL_nats.null", "it.rate", "it.rate.low", "it.rate.high", "it.rate.low",
                "it.none", "it[",
            ])
    }

    @Test("shortened at the prompt it compares, but redirects nothing")
    func shortened() {
        let folder = TemporaryFolder()
        let interpreter = Interpreter(Session(settings: Settings(threads: 1), isInteractive: true))
        #expect(interpreter.run("exp 4 > \(folder.file("3"))", from: .prompt) == .failed(code: 2))
        #expect(interpreter.run("exp 4 | cat", from: .prompt) == .failed(code: 2))
        #expect(folder.names.isEmpty)
        #expect(interpreter.run("exp 4 == 4", from: .prompt, quietly: true) == .done)
        #expect(interpreter.run("expect 4 > 3", from: .prompt, quietly: true) == .done)
    }

    @Test("in a script: 0 and a line if all holds, 3 and both values if not, and the last result stays")
    func binary() throws {
        let model = "Tests/Fixtures/models/tiny-chat.h5"
        func run(_ lines: String...) throws -> NacreProcess {
            try NacreProcess(
                ["--no-init", "--mode", "csv", model, "-c", "next hello --top 2 > /dev/null"]
                    + lines.flatMap { ["-c", $0] })
        }
        let holds = try run("expect it.entropy ~ 4.728 within 0.001 and it[0,rank]==1", "expect it.value > 0")
        #expect(
            holds.code == 0 && holds.output.contains("holds: 4.728 ~ 4.728 within 0.001 and 1 == 1"), "\(holds.errors)")
        let fails = try run("expect it.entropy < 1 and it.entropy > 2", "mode")
        #expect(fails.code == 3 && !fails.output.contains("csv"))
        #expect(fails.errors == "nacre: it.entropy < 1 does not hold: it.entropy is 4.728\n")
        let close = try run("expect it.entropy == 4.728")
        #expect(close.errors.hasPrefix("nacre: it.entropy == 4.728 does not hold: it.entropy is 4.7275"))
        #expect(try run("expect it.loss < 1").code == 1)
        #expect(try run("expect it.entropy < 'x'").code == 2)
        let session = Session(settings: Settings(threads: 1))
        session.setLast(.report(Report(scalars: [Scalar("x", .number(.nan)), Scalar("y", nil)])))
        for path in ["it.x", "it.y"] {
            for sign in ["<", "!=", "=="] {
                let comparison = try Condition([path, sign, path]).comparisons[0]
                let error = #expect(throws: CommandError.self) { try comparison.check(in: session) }
                #expect(
                    error?.exitCode == 3 && error?.problem.contains(path == "it.x" ? "NaN" : "not measured") == true)
            }
        }
    }
}
