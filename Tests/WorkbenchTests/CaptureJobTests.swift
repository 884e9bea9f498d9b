import Checkpoints
import Control
import Geometry
import LinearAlgebra
import Models
import Provenance
import Sites
import TestSupport
import Testing
import WorkbenchTestSupport

@testable import Workbench

@Suite("Captures")
struct CaptureJobTests {
    private let folder = TemporaryFolder()

    private static let set = PromptSet(
        source: "p",
        prompts: [
            .init(text: "the sea and the sand", label: "sea"), .init(text: "a model", label: "model"),
            .init(text: "you are a user", label: "model"), .init(text: "the shore", label: "sea"),
        ], isChat: false)

    private func request(_ sites: [String], _ change: (inout CaptureRequest) -> Void = { _ in }) -> CaptureRequest {
        var request = CaptureRequest(sites, of: Self.set, recipe: Recipe(commandLine: "capture", version: "test"))
        change(&request)
        return request
    }

    private func job(
        _ sites: [String], context: RunContext = .testing(), _ change: (inout CaptureRequest) -> Void = { _ in }
    ) throws -> CaptureJob {
        try CaptureJob(request(sites, change), fixtureModel("tiny-chat"), context)
    }

    @Test("a capture keeps which lines its set lost, in memory and in a file")
    func losses() throws {
        var losses = ReadingLosses()
        (losses.blank, losses.emptyFields, losses.unlabelled) = ([7], [2], [3])
        let set = PromptSet(source: "p", prompts: Self.set.prompts, isChat: false, losses: losses)
        #expect(try job(["resid_post[0]"]) { $0.set = set }.inMemory().linesWithoutText == [2, 7])
        #expect(try job(["resid_post[0]"]).inMemory().linesWithoutText == [])
        let path = folder.file("a.h5")
        let written = try job(["resid_post[0]"]) { ($0.set, $0.path) = (set, path) }
            .toFile(path, overwrite: false, restart: false, sectionPrompts: nil)
        #expect(written.capture.linesWithoutText == [2, 7])
        #expect(try Capture(CaptureFile.open(path)).linesWithoutText == [2, 7])
    }

    @Test("rows are the model's at the positions, each with its prompt, place and token")
    func inMemory() throws {
        let tiny = try fixtureModel("tiny-chat")
        let ids = try tiny.encode(Self.set, in: .testing()).ids
        let capture = try job(["resid_post[*]", "attn.z[1].h2"]).inMemory()
        let head = SiteSelection(Site(.z, layer: 1), head: 2).fullName
        #expect(capture.sites == ["blocks.0.hook_resid_post", head, "blocks.1.hook_resid_post"])
        #expect(capture.rows.map(\.position) == ids.map { Int32($0.count - 1) })
        #expect(capture.rows.map(\.token) == ids.map { $0[$0.count - 1] })
        #expect(capture.prompts.map(\.label) == ["sea", "model", "model", "sea"])
        let site = Site(.residPost, layer: 1)
        let rows = try RunContext.testing().rows(
            tiny, ids, positions: ids.map { [$0.count - 1] }, sites: [site, Site(.z, layer: 1)], choices: RunChoices())
        #expect(try capture.matrix(site.fullName) == rows[site])
        #expect(capture.width(of: head) == 8)
        let z = try #require(rows[Site(.z, layer: 1)])
        for row in 0..<4 {
            #expect(try capture.matrix(head).row(row).elementsEqual(z.row(row).dropFirst(16).prefix(8)))
        }
        #expect(capture.summary == "3 sites, 4 rows of 4 prompts" && capture.patterns.isEmpty)
        #expect(capture.recipe.contains("capture"))
        #expect(throws: WorkbenchError.noSite("x", known: capture.sites)) { try capture.matrix("x") }
        #expect(capture.width(of: "x") == nil)
    }

    @Test("a mean is one row a prompt, and logits are rows too")
    func meansAndLogits() throws {
        let mean = try job(["resid_post[1]"]) { $0.position = "mean" }.inMemory()
        #expect(mean.rows == (0..<4).map { CaptureRow(prompt: $0, position: -1, token: -1) })
        let all = try job(["resid_post[1]"]) { $0.position = "all" }.inMemory()
        let first = all.rows.prefix { $0.prompt == 0 }.count
        let site = "blocks.1.hook_resid_post"
        for column in 0..<32 {
            let sum = (0..<first).reduce(0.0) { $0 + Double((try? all.matrix(site)[$1, column]) ?? .nan) }
            #expect(abs(sum / Double(first) - Double(try mean.matrix(site)[0, column])) < 1e-5)
        }
        let tiny = try fixtureModel("tiny-chat")
        let ids = try tiny.encode(Self.set, in: .testing()).ids
        var own: [Float] = []
        let sequences = TokenSequences(ids)
        let request = LogitsRequest(rows: sequences.starts.dropFirst().map { $0 - 1 }) { range, values, _ in
            own += UnsafeBufferPointer(start: values, count: range.count * 300)
        }
        try RunContext.testing().run(tiny, sequences, logits: request)
        let logits = try job(["logits"]).inMemory()
        let name = Site(.logits).fullName
        #expect(logits.sites == [name] && logits.width(of: name) == 300)
        #expect(try logits.matrix(name).values == own)
    }

    @Test("to a file, section by section, the same numbers as in memory, and patterns beside them")
    func toFile() throws {
        let path = folder.file("c.h5")
        let told = Told()
        let context = RunContext.testing(tell: told.tell)
        let job = try job(["resid_post[1]", "attn.pattern[0]", "attn.attn_scores[1].h1"], context: context) {
            $0.path = path
        }
        let (capture, notes) = try job.toFile(path, overwrite: false, restart: false, sectionPrompts: 3)
        #expect(notes.isEmpty && told.scopes.count == 2 && told.scopes[0].done == 0 && told.scopes[1].done > 0)
        let site = "blocks.1.hook_resid_post"
        let memory = try self.job(["resid_post[1]"]).inMemory()
        #expect(try capture.matrix(site) == memory.matrix(site) && capture.rows == memory.rows)
        #expect(capture.width(of: site) == 32 && capture.sites == [site])
        #expect(capture.patterns.map(\.heads) == [4, 1] && capture.patterns.count == 2)
        #expect(capture.summary == "1 site, 4 rows, 2 patterns of 4 prompts, in \(path)")
        let file = try CaptureFile.open(path)
        #expect(file.rows == capture.rows && capture.promptDigest == Self.set.digest)
        #expect(try job.roundingNotes().isEmpty)
        #expect(throws: (any Error).self) {
            try job.toFile(path, overwrite: false, restart: false, sectionPrompts: nil)
        }
        let again = try job.toFile(path, overwrite: true, restart: false, sectionPrompts: nil)
        #expect(try again.capture.matrix(site) == memory.matrix(site))
    }

    @Test("one that was given up goes on where it stopped, and ends with the same numbers")
    func resumed() throws {
        let path = folder.file("c.h5")
        let control = RunControl()
        var scopes = 0
        let stopping = RunContext.testing(control: control) { event in
            if case .scope = event {
                scopes += 1
                if scopes == 3 { control.cancel() }
            }
        }
        let error = #expect(throws: UnfinishedCapture.self) {
            try job(["resid_post[1]"], context: stopping) { $0.path = path }
                .toFile(path, overwrite: false, restart: false, sectionPrompts: 1)
        }
        #expect(error?.done == 2 && error?.count == 4 && error?.cause is CancellationError)
        #expect(error?.kept == "2 of 4 prompts are kept in \(error?.partialPath ?? "")")
        let told = Told()
        let (capture, _) = try job(["resid_post[1]"], context: .testing(tell: told.tell)) { $0.path = path }
            .toFile(path, overwrite: false, restart: false, sectionPrompts: 1)
        guard case .resumed(path, done: 2, of: 4)? = told.events.first else {
            Issue.record("\(told.events)")
            return
        }
        #expect(told.scopes.count == 2)
        let site = "blocks.1.hook_resid_post"
        #expect(try capture.matrix(site) == job(["resid_post[1]"]).inMemory().matrix(site))
        #expect(folder.names == ["c.h5"])
    }

    @Test("one that was given up before its first prompt leaves nothing")
    func nothingKept() throws {
        let path = folder.file("c.h5")
        #expect(throws: CancellationError.self) {
            let control = RunControl()
            let job = try job(["resid_post[1]"], context: .testing(control: control)) { $0.path = path }
            control.cancel()
            _ = try job.toFile(path, overwrite: false, restart: false, sectionPrompts: 1)
        }
        #expect(folder.names.isEmpty)
        let one = UnfinishedCapture(done: 1, count: 2, partialPath: "p", cause: CancellationError())
        #expect(one.kept == "1 of 2 prompts is kept in p")
    }

    @Test("what a run will take is estimated before it begins")
    func estimate() throws {
        let estimate = try #require(try job(["resid_post[1]"]).estimate())
        #expect(estimate.operations > 0 && estimate.sweeps == 1)
        let file = try #require(try job(["resid_post[1]"]) { $0.path = folder.file("x.h5") }.estimate())
        // The rows themselves are not kept in memory then.
        #expect(file.memoryBytes < estimate.memoryBytes && file.sweeps == 1)
    }

    @Test("what can't be captured is refused before anything runs")
    func refusals() throws {
        func error(_ sites: String..., change: (inout CaptureRequest) -> Void = { _ in }) -> WorkbenchError? {
            #expect(throws: WorkbenchError.self) { try job(sites, change) }
        }
        #expect(error("logits") { $0.position = "mean" } == .noMeanOfLogits)
        #expect(error("attn.pattern[0]") == .patternsNeedFile)
        #expect(
            error("attn.pattern[0]") {
                $0.path = folder.file("c.h5")
                $0.position = "first"
            } == .patternsHoldAll)
        #expect(throws: SiteError.self) { try job(["nowhere"]) }
        #expect(throws: SiteError.self) { try job(["embed"]) { $0.position = "40" } }
    }
}

@Suite("Sites of captures")
struct CaptureSitesTests {
    private func capture(_ sites: [String]) -> Capture {
        Capture(
            sites: sites.map { ($0, Matrix(rows: 1, columns: 2, values: [1, 2])) },
            rows: [.init(prompt: 0, position: -1, token: -1)], prompts: [.init(text: "t", label: "l")], recipe: "{}")
    }

    @Test("a site is found by its full or its short name, and the only one without a name")
    func resolve() throws {
        let both = capture(["blocks.0.hook_resid_post", "blocks.1.hook_resid_post"])
        #expect(try both.resolve("resid_post[1]") == "blocks.1.hook_resid_post")
        #expect(try both.resolve("blocks.0.hook_resid_post") == "blocks.0.hook_resid_post")
        #expect(try both.sites(matching: "resid_post[*]").count == 2)
        #expect(throws: WorkbenchError.severalSites(both.sites)) { try both.resolve(nil) }
        #expect(throws: WorkbenchError.namesSeveral("resid_post[*]", known: both.sites)) {
            try both.resolve("resid_post[*]")
        }
        #expect(throws: WorkbenchError.notHeld("resid_pre[1]", known: both.sites)) { try both.resolve("resid_pre[1]") }
        // The model may have layers that the capture lacks; a name that no model has is refused as such.
        let lacking = WorkbenchError.notHeld("resid_post[7]", known: both.sites)
        #expect(throws: lacking) { try both.resolve("resid_post[7]") }
        #expect(throws: SiteError.self) { try both.resolve("resid_poet[1]") }
        let one = capture(["blocks.1.hook_resid_post"])
        #expect(try one.resolve(nil) == "blocks.1.hook_resid_post")
        let none = capture([])
        #expect(throws: WorkbenchError.noRows) { try none.resolve(nil) }
        #expect(throws: WorkbenchError.noRows) { try none.sites(matching: "embed") }
    }

    @Test("points of a site know their prompts, those of a file only themselves")
    func sources() throws {
        let capture = Capture(
            sites: [("blocks.0.hook_resid_post", Matrix(rows: 3, columns: 2, values: [1, 2, 3, 4, 5, 6]))],
            rows: [
                .init(prompt: 0, position: 4, token: 9), .init(prompt: 1, position: -1, token: -1),
                .init(prompt: 1, position: 2, token: 8),
            ], prompts: [.init(text: "a", label: "x"), .init(text: "b", label: "")], recipe: "{}")
        let site = PointSource(capture, site: "blocks.0.hook_resid_post")
        #expect(site.count == 3 && site.width == 2 && site.hasTexts && site.inputs.isEmpty)
        #expect(site.row(0) == .init(prompt: 0, text: "a", label: "x", position: 4, token: 9))
        #expect(site.row(1) == .init(prompt: 1, text: "b", label: "", position: nil, token: nil))
        #expect(try site.matrix().values == [1, 2, 3, 4, 5, 6] && site.pointSet().count == 3)

        func points(_ values: [Float], _ columns: Int) -> PointSource {
            PointSource(
                Points(
                    name: "f.npy", matrix: Matrix(rows: values.count / columns, columns: columns, values: values),
                    rounding: "rounded", input: Recipe.Input(name: "f.npy", sha256: "d")))
        }
        let file = points([1, 2, 3, 4], 2)
        #expect(file.row(0) == nil && !file.hasTexts && file.inputs.map(\.name) == ["f.npy"])
        #expect(throws: WorkbenchError.self) { try points([1, .infinity], 2).finiteMatrix() }
        #expect(throws: WorkbenchError.sameRows(count: 2)) { try points([1, 2, 1, 2], 2).pointSet() }
        #expect(throws: WorkbenchError.fewRows(name: "f.npy", count: 1)) { try points([1, 2], 2).pointSet() }
        let summary = Points(
            name: "f.npy", matrix: Matrix(rows: 1, columns: 2), rounding: "rounded to f32",
            input: .init(name: "f.npy", sha256: "")
        ).summary
        #expect(summary == "1 point of width 2, from f.npy, rounded to f32")
    }
}
