import Checkpoints
import Control
import Foundation
import Geometry
import LinearAlgebra
import Models
import Sites
import Statistics
import TestSupport
import Testing
import Workbench
import WorkbenchTestSupport

@testable import Comparison

@Suite("Series of checkpoints in a run")
struct SeriesRunTests {
    private static func member(_ name: String) throws -> SeriesMember {
        try SeriesMember(name: name, .open(pearl(name)))
    }

    /// One that is opened when its turn comes.
    private static func file(_ name: String) throws -> SeriesMember {
        try SeriesMember(name: name, .file(repositoryFile("Checkpoints/pearl-\(name).h5")))
    }

    private func run(
        of names: [String] = ["step-0", "step-64", "step-1024", "base"], _ measures: [SeriesMeasure], _ count: Int = 40,
        site: String? = nil, context: RunContext = .testing()
    ) throws -> SeriesRun.Result {
        try SeriesRun(
            context: context, members: names.map(Self.member), measures: measures,
            prompts: shippedPrompts("open.txt", count), site: site, precision: .f32
        ).run()
    }

    @Test("losses are those of each checkpoint alone, and fall at each step of training")
    func loss() throws {
        let result = try run([.loss])
        let curve = try #require(result.curves.first)
        let ids = try pearl("base").encode(shippedPrompts("open.txt", 40), in: .testing()).ids
        #expect(result.prompts == 40 && result.tokens == ids.reduce(0) { $0 + $1.count - 1 } && result.site == nil)
        let values = try #require(curve.values)
        for (name, value) in zip(["step-0", "step-64", "step-1024", "base"], values) {
            let losses = try RunContext.testing().losses(pearl(name), TokenSequences(ids))
            #expect(value?.value == ClusteredMean(losses)?.mean, "\(name)")
        }
        #expect(curve.toFirst[0] == nil && curve.toBefore[0] == nil && curve.toLast[3] == nil)
        let change = try #require(curve.toBefore[1])
        let (before, here) = (try #require(values[0]?.value), try #require(values[1]?.value))
        #expect(abs(change.value - (here - before)) < 1e-9)
        let chance = try #require(curve.null)
        #expect(abs(chance.value - Foundation.log(1024)) < 1e-12)
        #expect(curve.monotone?.verdict == .supported && curve.monotone?.direction == .falls)
        #expect(curve.convergence?.verdict == .supported)
        #expect(curve.order(seed: 0)?.spearman == -1)
    }

    @Test("weights are apart as a naive sum says, and come nearer to the end at each step")
    func weights() throws {
        let result = try run([.weights])
        let curve = try #require(result.curves.first)
        let (one, other) = (try pearl("step-0").file, try pearl("step-64").file)
        var (change, norm) = (0.0, 0.0)
        for info in one.tensors {
            for (x, y) in zip(try values(of: info.name, one), try values(of: info.name, other)) {
                change += (x - y) * (x - y)
                norm += x * x
            }
        }
        let found = try #require(curve.toBefore[1])
        #expect(abs(found.value / (change / norm).squareRoot() - 1) < 1e-12 && found.standardError == 0)
        #expect(curve.toFirst[1]?.value == found.value && curve.values == nil)
        #expect(curve.convergence?.verdict == .supported && result.prompts == 0)
        #expect(
            try run(of: ["step-1024", "step-0", "step-64", "base"], [.weights]).curves[0].convergence?.verdict
                == .notSupported)
    }

    @Test("CKA and dimensions are those of the rows that a capture has")
    func rows() throws {
        let names = ["step-64", "step-1024", "base"]
        let result = try run(of: names, [.dimension, .cka], site: "resid_post[3]")
        #expect(result.site == Site(.residPost, layer: 3) && result.refusals.isEmpty)
        #expect(result.curves.map(\.name) == SeriesDimensions.names + ["cka"])
        let set = try shippedPrompts("open.txt", 40)
        let site = Site(.residPost, layer: 3)
        let rows = try names.map { name -> Matrix in
            let checkpoint = try pearl(name)
            let ids = try checkpoint.encode(set, in: .testing()).ids
            return try #require(
                RunContext.testing().rows(
                    checkpoint, ids, positions: ids.map { [$0.count - 1] }, sites: [site], choices: RunChoices())[site])
        }
        let alignment = try LinearCKA(CentredKernel(CentredRows(rows[1])), CentredKernel(CentredRows(rows[2]))).value
        let cka = try #require(result.curves.last)
        #expect(cka.toLast[1]?.value == alignment && cka.isSimilarity && cka.toLast[2] == nil)
        #expect(cka.toBefore[2]?.value == alignment)
        let floor = try #require(cka.floors?[0] ?? nil)
        #expect(abs(floor) < 0.2, "rows that are paired at random have nothing in common")
        let spectrum = try GlobalSpectrum(PointSet(rows[2].rescaled), control: RunControl())
        let ratio = result.curves[0]
        #expect(try ratio.measured?[2] == spectrum.debiased.dimension() && ratio.isLogarithmic)
        #expect(result.curves[2].measured?[2] == Double(spectrum.linear.d90))
        #expect(ratio.null?.of == "white noise")
        let logarithm = try #require(ratio.values?[2]?.value)
        #expect(abs(logarithm - Foundation.log(try spectrum.debiased.dimension())) < 1e-12)
    }

    @Test("files are the same series as checkpoints that are open")
    func files() throws {
        let set = try shippedPrompts("open.txt", 6)
        let found = try [Self.file, Self.member].map { member in
            try SeriesRun(
                context: .testing(), members: ["step-64", "base"].map(member), measures: [.loss, .weights],
                prompts: set,
                site: nil, precision: .f32
            ).run()
        }
        for (one, other) in zip(found[0].curves, found[1].curves) {
            #expect(one.ordered == other.ordered && one.toFirst[1]?.value == other.toFirst[1]?.value)
        }
    }

    @Test("the same bits at one thread and at two, and the middle layer where no site is named")
    func threads() throws {
        let found = try [1, 2].map {
            try run(of: ["step-64", "base"], [.cka, .dimension], context: .testing(threads: $0))
        }
        #expect(found[0].site == Site(.residPost, layer: 2))
        for (one, other) in zip(found[0].curves, found[1].curves) {
            #expect(one.ordered == other.ordered && one.toBefore.map { $0?.value } == other.toBefore.map { $0?.value })
        }
    }

    @Test("few prompts have a loss, and neither dimension nor likeness, with the reason of each")
    func few() throws {
        let result = try run(of: ["step-64", "step-1024", "base"], [.loss, .dimension, .cka], 3)
        #expect(result.curves[0].values?[0] != nil)
        #expect(result.curves[1].values?.allSatisfy { $0 == nil } == true)
        #expect(result.curves.last?.toLast[0] == nil)
        #expect(result.refusals.count == 4 && result.refusals[0].hasPrefix("step-64: dimension: "))
        // As many are needed however few there are.
        for count in [1, 2] {
            let refusals = try run(of: ["step-64", "base"], [.loss, .dimension, .cka], count).refusals
            let wanted = [("step-64: dimension: ", 20), ("base: dimension: ", 20), ("cka: ", 4)]
            #expect(refusals == wanted.map { "\($0)\(GeometryError.tooFewPoints(found: count, needed: $1))" })
        }
        #expect(throws: GeometryError.tooFewPoints(found: 2, needed: 4)) {
            try run(of: ["step-64", "base"], [.cka], 2)
        }
    }

    @Test("a checkpoint after itself: nothing changes, and nothing is a phase")
    func same() throws {
        let result = try run(of: ["base", "base", "base"], [.loss, .weights, .cka])
        let (loss, weights, cka) = (result.curves[0], result.curves[1], result.curves[2])
        #expect(loss.toBefore.dropFirst().allSatisfy { $0?.value == 0 } && weights.toFirst[2]?.value == 0)
        for step in cka.toBefore.dropFirst() { #expect(abs((step?.value ?? 0) - 1) < 1e-9) }
        #expect(loss.monotone?.verdict == .notDistinguishable && loss.hasPhase == nil && weights.largestStep == nil)
        #expect(cka.hasPhase != .supported)
    }

    @Test("several sites, other models, and NaN are refused, each by name")
    func refusals() throws {
        #expect(throws: ComparisonError.severalSites("resid_post[*]", count: 6, checkpoint: "base")) {
            try run(of: ["base", "step-64"], [.cka], 3, site: "resid_post[*]")
        }
        let tiny = try SeriesMember(name: "tiny", .open(fixtureModel("tiny-chat")))
        func series(_ last: SeriesMember, _ measures: [SeriesMeasure]) throws -> SeriesRun.Result {
            try SeriesRun(
                context: .testing(), members: [Self.member("base"), last], measures: measures,
                prompts: promptSet(["the sea"]), site: nil, precision: .f32
            ).run()
        }
        #expect(throws: WorkbenchError.differentVocabularies("base", 1024, "tiny", 300)) { try series(tiny, [.loss]) }
        #expect(throws: CheckpointError.self) { try series(tiny, [.weights]) }
        let bad = try SeriesMember(name: "bad", .open(withNaN(pearl("base"))))
        #expect(throws: ComparisonError.brokenTensor("model.norm.weight", checkpoint: "bad.h5")) {
            try series(bad, [.weights])
        }
        #expect(throws: WorkbenchError.self) { try series(bad, [.loss]) }
    }

    @Test("given up, it throws, whatever is measured", arguments: SeriesMeasure.allCases)
    func cancelled(measure: SeriesMeasure) throws {
        let told = Told()
        let control = RunControl()
        control.cancel()
        #expect(throws: CancellationError.self) {
            try run(of: ["step-64", "base"], [measure], 12, context: .testing(control: control, tell: told.tell))
        }
        #expect(told.isOver)
    }

    @Test("the number of steps is that of the recipe, else of the name")
    func steps() throws {
        #expect(SeriesMember.steps(name: "pearl-step-64") == 64)
        #expect(SeriesMember.steps(name: "checkpoint-500") == 500)
        #expect(SeriesMember.steps(name: "model_Steps_0020") == 20)
        #expect(SeriesMember.steps(name: "gpt2-7b") == nil)
        #expect(SeriesMember.steps(recipe: Array(#"{"training": {"steps": 12}}"#.utf8)) == 12)
        #expect(SeriesMember.steps(recipe: Array(#"{"step": 3}"#.utf8)) == 3)
        #expect(SeriesMember.steps(recipe: Array(#"{"steps": -3}"#.utf8)) == nil)
        #expect(SeriesMember.steps(recipe: Array("no json".utf8)) == nil)
        #expect(SeriesMember.steps(recipe: nil) == nil)
        #expect(try Self.file("step-256").steps == 256 && Self.member("base").steps == 2600)
        #expect(throws: (any Error).self) { try SeriesMember(name: "n", .file("/nowhere.h5")) }
    }
}

@Suite("What the order of a series shows")
struct SeriesCurveTests {
    /// A curve of values that are known to a standard error.
    private func curve(_ values: [Double], error: Double) -> SeriesCurve {
        var random = SeededRandom(seed: 2)
        let noise = values.map { _ in random.normal(count: 40).map { $0 * error } }
        return SeriesCurve(
            name: "planted", unit: nil, numbers: values, parts: zip(values, noise).map { v, n in n.map { v + $0 } })
    }

    @Test("a planted phase is found, steady change is none, and noise is neither steady nor a phase")
    func planted() throws {
        let phase = curve([5, 4.9, 1.2, 1.1, 1.0, 0.95], error: 0.01)
        #expect(phase.hasPhase == .supported && phase.largestStep?.index == 1)
        #expect(phase.monotone?.verdict == .supported && phase.convergence?.verdict == .supported)
        let steady = curve([6, 5, 4, 3, 2, 1], error: 0.01)
        #expect(steady.hasPhase == .notDistinguishable && steady.monotone?.verdict == .supported)
        #expect(steady.order(seed: 0)?.isotonic == 1)
        let turning = curve([6, 3, 4, 2, 1.5, 1], error: 0.01)
        #expect(turning.monotone?.verdict == .notSupported && turning.monotone?.against == [1])
        #expect(turning.convergence?.verdict == .notSupported)
        let noise = curve([1, 1.1, 0.95, 1.05, 1, 1.02], error: 0.2)
        #expect(noise.monotone?.verdict == .notDistinguishable)
        // The largest step of values that nothing is known of is no phase.
        let unknown = SeriesCurve(
            name: "x", unit: nil, numbers: [5, 4.9, 1.2, 1.1], parts: Array(repeating: [], count: 4))
        #expect(unknown.hasPhase == .notDistinguishable)
        #expect(unknown.values?[0]?.standardError == nil)
    }

    @Test("a number that could not be measured leaves its steps out")
    func missing() {
        let found = SeriesCurve(
            name: "x", unit: nil, numbers: [5, nil, 1.2, -1], parts: Array(repeating: [], count: 4))
        #expect(found.values?[1] == nil && found.values?[3] == nil && found.monotone == nil && found.convergence == nil)
        #expect(found.toBefore.compactMap(\.self).isEmpty && found.steps.isEmpty && found.largestStep == nil)
    }

    @Test("distances that are known exactly are a phase where one step holds nearly all of the way")
    func exact() {
        func distances(_ before: [Double]) -> SeriesCurve {
            var curve = SeriesCurve(
                name: "weights", values: nil, toFirst: [nil] + before.map { .init($0, standardError: 0) },
                toBefore: [nil] + before.map { .init($0, standardError: 0) },
                toLast: before.map { .init($0, standardError: 0) } + [nil])
            curve.approach = []
            return curve
        }
        #expect(distances([0.01, 0.9, 0.01, 0.01, 0.01]).hasPhase == .supported)
        #expect(distances([0.2, 0.2, 0.2, 0.2, 0.2]).hasPhase == .notDistinguishable)
        #expect(distances([0.2, 0.2]).ordered == [0.2, 0.2])
    }

    @Test("a file that is written to, or replaced, while the series runs is refused")
    func otherFile() throws {
        let folder = TemporaryFolder()
        for isReplaced in [false, true] {
            let path = folder.file("\(isReplaced).h5")
            try FileManager.default.copyItem(atPath: repositoryFile("Checkpoints/pearl-base.h5"), toPath: path)
            let member = try SeriesMember(name: "base", .file(path))
            _ = try member.load()
            usleep(30_000)
            let bytes = readBytes(repositoryFile("Checkpoints/pearl-chat.h5"))
            writeBytes(bytes, isReplaced ? folder.file("new.h5") : path)
            if isReplaced { #expect(rename(folder.file("new.h5"), path) == 0) }
            #expect(throws: ComparisonError.otherFile(path)) { try member.load() }
        }
    }
}
