import Checkpoints
@testable import Comparison
import Control
import Foundation
import Geometry
import LinearAlgebra
import Models
import Reports
import Sites
import Statistics
import TestSupport
import Testing
import Workbench

@testable import Shell

@Suite("Series of checkpoints")
struct SeriesTests {
    private let folder = TemporaryFolder()

    private static let files = Bench.root("Checkpoints/pearl-step-*.h5") + " " + Bench.root("Checkpoints/pearl-base.h5")

    private static func bench(_ limit: Int = 40) throws -> Bench {
        try Bench("corpus = prompts \(Bench.root("Scripts/prompts/open.txt")) --limit \(limit)")
    }

    @Test("the numbers are those of loss, compare and the weights themselves, in the order of steps")
    func numbers() throws {
        let bench = try Self.bench()
        let series = try bench.report("series \(Self.files) --prompts corpus")
        #expect(series.tables.map(\.name) == ["loss", "debiased PR", "twonn", "d90", "cka", "weights", "order"])
        #expect(try series.numbers("steps", of: "loss") == [0, 16, 64, 256, 1024, 2600])
        let names = ["step-0", "step-16", "step-64", "step-256", "step-1024", "base"]
        for name in names { bench.run("open \(Bench.root("Checkpoints/pearl-\(name).h5"))") }
        let losses = try series.numbers("loss", of: "loss")
        for (name, loss) in zip(names, losses) {
            bench.run("use pearl-\(name)")
            #expect(try bench.report("loss --prompts corpus").scalar("loss").value.value == loss, "\(name)")
        }
        let before = try series.column("minus the one before", of: "loss")
        #expect(before[0] == .missing)
        for place in 1..<6 {
            let found = try #require(before[place].value)
            #expect(abs(found - (losses[place] - losses[place - 1])) < 1e-9)
        }

        // |dW| / |W|, naively.
        let (one, other) = (
            try bench.session.checkpoint(named: "pearl-step-64").file,
            try bench.session.checkpoint(named: "pearl-step-256").file
        )
        var (change, norm) = (0.0, 0.0)
        for info in one.tensors {
            let (a, b) = (try #require(try one.tensor(info.name)), try #require(try other.tensor(info.name)))
            var (x, y) = ([Double](repeating: 0, count: a.count), [Double](repeating: 0, count: a.count))
            x.withUnsafeMutableBufferPointer { a.copyDoubles(from: 0, into: $0) }
            y.withUnsafeMutableBufferPointer { b.copyDoubles(from: 0, into: $0) }
            change += zip(x, y).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
            norm += x.reduce(0) { $0 + $1 * $1 }
        }
        let weights = try series.column("to the one before", of: "weights")
        #expect(abs(try #require(weights[3].value) / (change / norm).squareRoot() - 1) < 1e-12)

        // Rows as a capture has them.
        bench.run("use pearl-step-1024")
        bench.run("late = capture resid_post[2] --prompts corpus --at last")
        bench.run("use pearl-base")
        bench.run("end = capture resid_post[2] --prompts corpus --at last")
        let rows = try ["late", "end"].map { try bench.session.capture(named: $0).matrix("blocks.2.hook_resid_post") }
        let alignment = try LinearCKA(
            CentredKernel(CentredRows(rows[0])), CentredKernel(CentredRows(rows[1]))
        ).value
        #expect(try series.column("to the last", of: "cka")[4].value == alignment)
        let spectrum = try GlobalSpectrum(PointSet(rows[1]), control: RunControl())
        #expect(try series.numbers("debiased PR", of: "debiased PR")[5] == spectrum.debiased.dimension())
        #expect(try series.numbers("d90", of: "d90")[5] == Double(spectrum.linear.d90))
        let over = try series.numbers("debiased PR", of: "debiased PR")
        #expect(
            try abs(#require(series.column("over the first", of: "debiased PR")[5].value) - over[5] / over[0]) < 1e-9)
    }

    @Test("pearl's training: the loss falls at each step, and weights and CKA come nearer to the end at each")
    func pearl() throws {
        let bench = try Self.bench(200)
        let series = try bench.report("series \(Self.files) --measure loss,cka,weights --prompts corpus")
        let order = try #require(series.tables.first { $0.name == "order" })
        #expect(order.rows.count == 3)
        #expect(try series.column("monotone", of: "order") == [.text("falls: supported"), .missing, .missing])
        #expect(try series.column("converges", of: "order") == Array(repeating: .text("supported"), count: 3))
        #expect(try series.numbers("spearman", of: "order") == [-1, -1, -1])
        // Two orders of 720 are monotone, and two of 120.
        #expect(try abs(series.numbers("isotonic p", of: "order")[0] - 2.0 / 720) < 1e-15)
        #expect(try abs(series.numbers("isotonic p", of: "order")[2] - 2.0 / 120) < 1e-15)
        #expect(series.series.map(\.name) == ["loss", "cka, to the last", "weights, to the last"])
        #expect(series.series[2].points.last?.y == 0 && series.series[1].points.last?.x == 2600)
    }

    @Test("checkpoints out of order are sorted by their steps, and given ones stay")
    func sorted() throws {
        let bench = try Self.bench()
        let shuffled = ["base", "step-0", "step-1024", "step-16"]
            .map { Bench.root("Checkpoints/pearl-\($0).h5") }.joined(separator: " ")
        let sorted = try bench.report("series \(shuffled) --measure weights --sort steps")
        #expect(try sorted.numbers("steps", of: "weights") == [0, 16, 1024, 2600])
        let given = try bench.report("series \(shuffled) --measure weights")
        #expect(
            try given.column("checkpoint", of: "weights")
                == ["base", "step-0", "step-1024", "step-16"].map { .text("pearl-\($0)") })
        // The steps do not ascend: the axis is the order.
        #expect(given.series[0].x.label == "checkpoint, in order")
        #expect(given.series[0].points.map(\.x) == [1, 2, 3, 4])
        #expect(try given.column("converges", of: "order")[0].formatted().hasPrefix("not supported"))
    }

    @Test("natural order of names")
    func names() {
        let names = ["step-256", "step-16", "step-0", "step-1024", "step-64", "Step", "step-064", "step-64b"]
        #expect(
            names.sorted(by: FileGlob.isNaturallyBefore)
                == ["Step", "step-0", "step-16", "step-064", "step-64", "step-64b", "step-256", "step-1024"])
    }

    /// A curve of values that are known to a standard error.
    private func curve(_ values: [Double], error: Double) -> SeriesCurve {
        var random = SeededRandom(seed: 2)
        let noise = values.map { _ in random.normal(count: 40).map { $0 * error } }
        return SeriesCurve(
            name: "planted", unit: nil, numbers: values, parts: zip(values, noise).map { v, n in n.map { v + $0 } })
    }

    private func row(_ curve: SeriesCurve) throws -> [String: Cell] {
        let members = try curve.values.map { values in
            try values.indices.map {
                try SeriesMember(
                    name: "m\($0)", .file(Bench.root("Checkpoints/pearl-base.h5")))
            }
        }
        let report = SeriesReport(
            result: .init(curves: [curve], site: nil, prompts: 0, tokens: 0, refusals: []), members: members ?? [],
            seed: 0
        ).report
        let table = try #require(report.tables.last)
        return Dictionary(uniqueKeysWithValues: zip(table.columns.map(\.name), table.rows[0]))
    }

    @Test("a planted phase is found, steady change is none, and noise is neither steady nor a phase")
    func planted() throws {
        let phase = try row(curve([5, 4.9, 1.2, 1.1, 1.0, 0.95], error: 0.01))
        #expect(phase["phases"] == .text("supported") && phase["largest step"] == .text("m1 to m2"))
        #expect(phase["monotone"] == .text("falls: supported") && phase["converges"] == .text("supported"))
        let steady = try row(curve([6, 5, 4, 3, 2, 1], error: 0.01))
        #expect(steady["phases"] == .text("not distinguishable from noise"))
        #expect(steady["monotone"] == .text("falls: supported") && steady["isotonic"] == .number(1))
        let turning = try row(curve([6, 3, 4, 2, 1.5, 1], error: 0.01))
        #expect(turning["monotone"] == .text("falls: not supported (m1 to m2)"))
        #expect(turning["converges"] == .text("not supported (m1 to m2)"))
        let noise = try row(curve([1, 1.1, 0.95, 1.05, 1, 1.02], error: 0.2))
        #expect(noise["monotone"]?.formatted().contains("not distinguishable from noise") == true)
        // The largest step of values that nothing is known of is no phase.
        let unknown = try row(
            SeriesCurve(name: "x", unit: nil, numbers: [5, 4.9, 1.2, 1.1], parts: Array(repeating: [], count: 4)))
        #expect(unknown["phases"] == .text("not distinguishable from noise"))
    }

    @Test("what makes no series is refused, with what to do")
    func refusals() throws {
        let bench = try Self.bench()
        let base = Bench.root("Checkpoints/pearl-base.h5")
        let tiny = Bench.root("Tests/Fixtures/models/tiny-chat.h5")
        #expect(bench.run("series").contains("a series has two checkpoints or more, and none is given"))
        #expect(bench.run("series \(base)").contains("pearl-base is one"))
        #expect(bench.run("series \(base) \(base)").contains("the series has pearl-base twice"))
        #expect(bench.run("series nothing-*.h5").contains("no file is called nothing-*.h5"))
        #expect(bench.run("series \(base) nothing.h5").contains("nothing.h5"))
        let other = bench.run("series \(base) \(tiny) --measure weights")
        #expect(other.contains("give checkpoints of one model"), "\(other)")
        let vocabulary = bench.run("series \(base) \(tiny) --measure loss --prompts corpus")
        #expect(vocabulary.contains("compare checkpoints that share a tokenizer"), "\(vocabulary)")
        #expect(bench.run("series \(base) \(tiny) --measure los --prompts corpus").contains("did you mean loss?"))
        #expect(bench.run("series \(base) \(tiny) --measure loss,loss --prompts corpus").contains("names loss twice"))
        #expect(bench.run("series \(base) \(tiny) --measure loss").contains("loss is measured over prompts"))
        #expect(bench.run("series \(base) \(tiny) --measure weights --prompts corpus").contains("need no prompts"))
        #expect(bench.run("series \(base) \(tiny) --measure weights --site embed").contains("--site goes with"))
        #expect(bench.run("series \(base) \(tiny) --sort name").contains("--sort can't be"))
        #expect(
            bench.run("series \(base) \(tiny) --sort steps").contains("neither the recipe nor the name of tiny-chat"))
        let sites = bench.run("series \(Self.files) --measure cka --prompts corpus --site resid_post[*]")
        #expect(sites.contains("name one, such as resid_post[2]"), "\(sites)")
        // Three prompts have a loss, and no dimension.
        bench.run("few = prompts \(Bench.root("Scripts/prompts/open.txt")) --limit 3")
        let few = try bench.report("series \(Self.files) --measure loss,dimension,cka --prompts few")
        #expect(try few.column("debiased PR", of: "debiased PR")[0] == .missing)
        #expect(try few.column("to the last", of: "cka")[0] == .missing)
        #expect(few.notes.contains { $0.hasPrefix("pearl-step-0: ") })
    }

    @Test("NaN weights are named")
    func notFinite() throws {
        let bench = try Self.bench()
        bench.run("open \(Bench.root("Checkpoints/pearl-base.h5"))")
        try bench.defineNotFinite()
        let weights = bench.run("series pearl-base bad --measure weights")
        #expect(weights.contains("bad.h5: model.norm.weight holds NaN or infinite values"), "\(weights)")
        let loss = bench.run("series pearl-base bad --measure loss --prompts corpus")
        #expect(loss.contains("model.norm.weight"), "\(loss)")
    }

    @Test("Ctrl-C ends it and keeps the session")
    func cancelled() throws {
        let bench = try Self.bench(12)
        let paths = FileGlob.paths(Bench.root("Checkpoints/pearl-step-*.h5"))
        #expect(
            paths.map { CheckpointName.of($0) } == [0, 16, 64, 256, 1024].map { "pearl-step-\($0)" })
        for measure in SeriesMeasure.allCases {
            let run = SeriesRun(
                context: try bench.session.context(),
                members: try paths.map { try SeriesMember(name: CheckpointName.of($0), .file($0)) },
                measures: [measure], prompts: try bench.session.prompts(named: "corpus"), site: nil, precision: .f32)
            bench.session.control.cancel()
            #expect(throws: CancellationError.self) { try run.run() }
            bench.session.control.reset()
            #expect(try !run.run().curves.isEmpty)
        }
    }
}
