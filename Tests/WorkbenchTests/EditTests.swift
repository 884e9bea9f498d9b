import Checkpoints
import Control
import LinearAlgebra
import Models
import Provenance
import Sites
import Statistics
import Testing
import Workbench
import WorkbenchTestSupport

/// What a model of the tests does at its last position.
private struct Bench {
    let tiny: LoadedCheckpoint
    let context = RunContext.testing()
    let ids: [[Int32]]

    init() throws {
        tiny = try fixtureModel("tiny-chat")
        ids = try tiny.encode(promptSet(["the sea and the sand", "a model"]), in: .testing()).ids
    }

    func rows(_ site: Site, _ edits: [any Edit] = [], at positions: [[Int]]? = nil) throws -> Matrix {
        let found = try context.rows(
            tiny, ids, positions: positions ?? ids.map { [$0.count - 1] }, sites: [site], edits: edits,
            choices: RunChoices())
        return try #require(found[site])
    }

    func logits(_ edits: [any Edit]) throws -> [Float] {
        try SpotCheck(tiny, seed: 0).logits(tiny, edits: edits, context)
    }

    /// Two random directions at a layer's input.
    func directions(_ count: Int = 2, site: Site? = Site(.residPre, layer: 1)) throws -> Subspace {
        var random = SeededRandom(seed: 8)
        return try Subspace(
            vectors: Matrix(rows: count, columns: 32, values: random.normal(count: count * 32).map(Float.init)),
            site: site)
    }

    func capture(_ site: Site) throws -> Capture {
        let matrix = try rows(site)
        return Capture(
            sites: [(site.fullName, matrix)],
            rows: ids.indices.map { .init(prompt: Int32($0), position: 0, token: 0) },
            prompts: ids.map { _ in .init(text: "", label: "") }, recipe: "{}")
    }
}

@Suite("Ablations")
struct AblationRequestTests {
    @Test("directions are gone wherever something writes into the stream, and twice is once")
    func directional() throws {
        let bench = try Bench()
        let directions = try bench.directions()
        let entry = try AblationRequest("r", command: "ablate r", seed: 0).entry(of: directions, in: bench.tiny)
        for site in [Site(.residPost, layer: 1), Site(.residMid, layer: 0)] {
            let left = try directions.coordinates(of: bench.rows(site, entry.edits))
            #expect(left.values.allSatisfy { abs($0) < 1e-5 }, "\(site.shortName)")
            let before = try directions.coordinates(of: bench.rows(site))
            #expect(before.values.contains { abs($0) > 1e-2 })
        }
        let (once, twice) = (try bench.logits(entry.edits), try bench.logits(entry.edits + entry.edits))
        #expect(SpotCheck.largestDifference(once, twice) < 1e-4)
        #expect(SpotCheck.largestDifference(once, try bench.logits([])) > 1e-2)
        #expect(entry.label == "-r" && entry.command == "ablate r" && entry.isOn)
        #expect(
            entry.summary
                == "directional ablation of r (2 directions) at 6 sites (resid_pre, attn_out, mlp_out of layers 0 to 1)"
        )
        let control = try #require(entry.control)
        #expect(control.directions == directions && control.site == Site(.residPre, layer: 1))
        #expect(control.edits(directions).count == 1)
    }

    @Test("a part of the way, at chosen sites and positions")
    func partly() throws {
        let bench = try Bench()
        let directions = try bench.directions(1)
        var request = AblationRequest("r", command: "", seed: 0)
        (request.strength, request.sites, request.positions) = (0.5, "resid_post[1]", "from:1")
        let entry = try request.entry(of: directions, in: bench.tiny)
        let site = Site(.residPost, layer: 1)
        let places = bench.ids.map { _ in [0, 1] }
        let before = try directions.coordinates(of: bench.rows(site, at: places))
        let after = try directions.coordinates(of: bench.rows(site, entry.edits, at: places))
        for row in 0..<before.rows {
            let wanted = row % 2 == 0 ? before[row, 0] : before[row, 0] / 2
            #expect(abs(after[row, 0] - wanted) < 1e-4)
        }
        #expect(entry.label == "-0.5r" && entry.summary.hasSuffix("at resid_post[1], from:1, strength 0.5"))
    }

    @Test("the affine form moves rows to the mean of the negatives, or of rows that are given")
    func affine() throws {
        let bench = try Bench()
        var directions = try bench.directions(1)
        directions.negativeMean = (0..<32).map { Float($0) / 10 }
        var request = AblationRequest("r", command: "", seed: 0)
        request.form = "affine"
        let entry = try request.entry(of: directions, in: bench.tiny)
        #expect(entry.label == "-r*")
        let wanted = directions.coordinates(of: try #require(directions.negativeMean))[0]
        let after = try directions.coordinates(of: bench.rows(Site(.residPost, layer: 1), entry.edits))
        #expect(after.values.allSatisfy { abs($0 - wanted) < 1e-4 })
        // From the input of the layer that they were found at on, and at the last output.
        #expect(entry.summary.contains("at resid_pre[1], resid_post[1]"))

        let site = Site(.residPre, layer: 1)
        let capture = try bench.capture(site)
        request.from = ("rows", { capture })
        let other = try request.entry(of: directions, in: bench.tiny)
        let mean = try capture.matrix(site.fullName).columnMeans.map { Float($0) }
        let moved = try directions.coordinates(of: bench.rows(Site(.residPost, layer: 1), other.edits))
        #expect(moved.values.allSatisfy { abs($0 - directions.coordinates(of: mean)[0]) < 1e-4 })
        #expect(other.digest != entry.digest)
        directions.negativeMean = nil
        request.from = nil
        #expect(throws: EditError.noNegativeMean("r")) { try request.entry(of: directions, in: bench.tiny) }
    }

    @Test("sites, heads and columns become zero, a mean, or rows that were seen elsewhere")
    func sites() throws {
        let bench = try Bench()
        let site = Site(.mlpOut, layer: 0)
        var request = AblationRequest("mlp_out[0]", command: "", seed: 3)
        #expect(try bench.rows(site, request.entryOfSites(in: bench.tiny).edits).values.allSatisfy { $0 == 0 })
        let capture = try bench.capture(site)
        let seen = try capture.matrix(site.fullName)
        request.from = ("rows", { capture })
        request.form = "mean"
        let mean = try request.entryOfSites(in: bench.tiny)
        let means = seen.columnMeans.map { Float($0) }
        for row in 0..<2 { #expect(Array(try bench.rows(site, mean.edits).row(row)) == means) }
        request.form = "resample"
        let resampled = try request.entryOfSites(in: bench.tiny)
        let drawn = try bench.rows(site, resampled.edits)
        for row in 0..<2 { #expect((0..<2).contains { seen.row($0) == drawn.row(row) }) }
        #expect(resampled.summary.hasSuffix("seed 3") && resampled.digest != mean.digest)

        // Of a head, the second half of its columns.
        var head = AblationRequest("attn.z[1].h2", command: "", seed: 0)
        head.columns = ("4:8", { width in width / 2..<width })
        let entry = try head.entryOfSites(in: bench.tiny)
        let z = Site(.z, layer: 1)
        let (before, after) = (try bench.rows(z), try bench.rows(z, entry.edits))
        for column in 0..<32 {
            #expect(after[0, column] == ((20..<24).contains(column) ? 0 : before[0, column]), "\(column)")
        }
        #expect(entry.label == "zero attn.z[1].h2:4:8" && entry.control == nil)
    }

    @Test("what can't be is refused, each for its reason")
    func refusals() throws {
        let bench = try Bench()
        let directions = try bench.directions(1)
        func error(
            _ subspace: Subspace? = nil, _ change: (inout AblationRequest) -> Void = { _ in }
        ) -> EditError? {
            var request = AblationRequest("r", command: "", seed: 0)
            change(&request)
            let made = request
            return #expect(throws: EditError.self) { try made.entry(of: subspace ?? directions, in: bench.tiny) }
        }
        #expect(
            error { $0.form = "zero" } == .otherForm("zero", target: "directions", allowed: [.directional, .affine]))
        #expect(error { $0.columns = ("0:1", { _ in 0..<1 }) } == .columnsOfDirections)
        #expect(error { $0.strength = 0 } == .badStrength(0))
        #expect(error { $0.strength = 1e300 } == .badStrength(1e300))
        #expect(error { $0.positions = "somewhere" } == .badPositions("somewhere"))
        #expect(error { $0.positions = "128" } == .noSuchPosition(128, positions: 128))
        #expect(error { $0.sites = "logits" } == .cantBeEdited(Site(.logits)))
        #expect(error { $0.sites = "mlp.post[0]" } == .siteOfOtherWidth(Site(.mlpPost, layer: 0), directions: 32))
        #expect(error { $0.sites = "attn.z[0]" } == .siteOutsideStream(Site(.z, layer: 0)))
        let capture = try bench.capture(Site(.residPre, layer: 1))
        #expect(error { $0.from = ("rows", { capture }) } == .rowsOfDirections)
        let narrow = try Subspace(vectors: Matrix(rows: 1, columns: 3, values: [1, 0, 0]))
        #expect(error(narrow) == .otherWidth("r", 3, place: "the model's residual stream", placeWidth: 32))
        let late = try bench.directions(1, site: Site(.residPre, layer: 7))
        #expect(error(late) == .noSuchLayer("r", layer: 7, layers: 2))
        let inner = try bench.directions(1, site: Site(.z, layer: 0))
        #expect(error(inner) == .notOfStream("r", place: "attn.z[0]"))
        let unplaced = try bench.directions(1, site: nil)
        #expect(
            error(unplaced) {
                $0.form = "affine"
                $0.from = ("rows", { capture })
            } == .unplaced("r", isAdded: false))
        let other = Site(.residPost, layer: 0)
        #expect(
            error(try bench.directions(1, site: other)) {
                $0.form = "affine"
                $0.from = ("rows", { capture })
            } == .siteNotHeld(capture: "rows", site: other.fullName))
    }

    @Test("what can't be taken out of a site is refused, each for its reason")
    func refusalsOfSites() throws {
        let bench = try Bench()
        let capture = try bench.capture(Site(.mlpOut, layer: 0))
        func error(_ target: String = "mlp_out[0]", _ change: (inout AblationRequest) -> Void = { _ in }) -> EditError?
        {
            var request = AblationRequest(target, command: "", seed: 0)
            change(&request)
            let made = request
            return #expect(throws: EditError.self) { try made.entryOfSites(in: bench.tiny) }
        }
        #expect(error("logits") == .cantBeEdited(Site(.logits)))
        #expect(error { $0.sites = "embed" } == .directionsOptionsOfSite)
        #expect(error { $0.strength = 2 } == .directionsOptionsOfSite)
        #expect(error { $0.from = ("rows", { capture }) } == .rowsUnused)
        #expect(error { $0.form = "mean" } == .formNeedsRows(.mean))
        #expect(
            error { $0.form = "affine" } == .otherForm("affine", target: "a site", allowed: [.zero, .mean, .resample]))
        let narrow = Capture(
            sites: [("blocks.0.hook_mlp_out", Matrix(rows: 1, columns: 2, values: [1, 2]))],
            rows: [.init(prompt: 0, position: 0, token: 0)], prompts: [.init(text: "", label: "")], recipe: "{}")
        #expect(
            error {
                $0.form = "mean"
                $0.from = ("rows", { narrow })
            } == .rowsOfOtherWidth(capture: "rows", Site(.mlpOut, layer: 0), 2, model: 32))
        let bad = Capture(
            sites: [("blocks.0.hook_mlp_out", Matrix(rows: 1, columns: 2, values: [1, .nan]))],
            rows: [.init(prompt: 0, position: 0, token: 0)], prompts: [.init(text: "", label: "")], recipe: "{}")
        #expect(
            error {
                $0.form = "mean"
                $0.from = ("rows", { bad })
            } == .notFiniteRow(capture: "rows", row: 0, site: "blocks.0.hook_mlp_out"))
    }
}

@Suite("Steering")
struct SteeringRequestTests {
    @Test("adds the vector at its own site, or where it is told to")
    func added() throws {
        let bench = try Bench()
        let directions = try bench.directions(2)
        var request = SteeringRequest("r", command: "steer r")
        request.strength = -2
        let site = Site(.residPre, layer: 1)
        let entry = try request.entry(of: directions, in: bench.tiny)
        let (before, after) = (try bench.rows(site), try bench.rows(site, entry.edits))
        for row in 0..<2 {
            for column in 0..<32 {
                #expect(abs(after[row, column] - before[row, column] + 2 * directions.vectors[0, column]) < 1e-5)
            }
        }
        #expect(entry.label == "-2r" && entry.summary == "-2 times r added at resid_pre[1]")
        #expect(entry.control?.directions.dimension == 1)
        (request.strength, request.sites, request.positions) = (1, "resid_post[1]", "last")
        let other = try request.entry(of: directions, in: bench.tiny)
        #expect(other.label == "+r" && other.summary.hasSuffix("resid_post[1], the prompt's last position"))
        request.strength = -1
        #expect(try request.entry(of: directions, in: bench.tiny).label == "-r")
    }

    @Test("relative, the strength counts in lengths of the row")
    func relative() throws {
        let bench = try Bench()
        let directions = try bench.directions(1)
        var request = SteeringRequest("r", command: "")
        (request.strength, request.isRelative) = (3, true)
        let entry = try request.entry(of: directions, in: bench.tiny)
        let site = Site(.residPre, layer: 1)
        let (before, after) = (try bench.rows(site), try bench.rows(site, entry.edits))
        let length = before.row(0).reduce(0) { $0 + $1 * $1 }.squareRoot()
        for column in 0..<32 {
            #expect(abs(after[0, column] - before[0, column] - 3 * length * directions.basis[0, column]) < 1e-4)
        }
        #expect(entry.summary.contains(", in lengths of each row, added"))
    }

    @Test("a direction that nobody knows the place of can't be added without one")
    func unplaced() throws {
        let bench = try Bench()
        let directions = try bench.directions(1, site: nil)
        #expect(throws: EditError.unplaced("r", isAdded: true)) {
            try SteeringRequest("r", command: "").entry(of: directions, in: bench.tiny)
        }
    }
}

@Suite("Edits in force")
struct EditStackTests {
    private func entry(_ label: String, isOn: Bool = true) -> EditStack.Entry {
        EditStack.Entry(
            label: label, summary: "s \(label)", command: "c \(label)",
            edits: [Steering(vector: [1], sites: [Site(.embed)])], digest: "d\(label)", isOn: isOn)
    }

    @Test("what is off changes nothing and is not named")
    func onAndOff() {
        var stack = EditStack()
        #expect(stack.isEmpty && stack.label.isEmpty && stack.identity.isEmpty)
        for label in ["-r", "+s", "zero z"] { stack.add(entry(label)) }
        #expect(stack.label == "[-r,+s,zero z]" && stack.active.count == 3)
        stack.set([1], on: false)
        #expect(stack.label == "[-r,zero z]" && stack.commands == ["c -r", "c zero z"])
        #expect(stack.inputs.map(\.name) == ["edit -r", "edit zero z"] && stack.inputs[0].sha256 == "d-r")
        #expect(stack.identity == "s -r d-r; s zero z dzero z")
        stack.remove([0])
        #expect(stack.entries.map(\.label) == ["+s", "zero z"] && stack.active.count == 1)
        stack.set([0, 1], on: true)
        #expect(stack.active.count == 2)
    }

    @Test("positions in words")
    func positions() throws {
        let c = try fixtureModel("tiny-chat").facts()
        let words: [(String, EditPositions, String)] = [
            ("all", .all, ""), ("prompt", .prompt, ", the prompt's positions"),
            ("last", .last, ", the prompt's last position"), ("first", .position(0), ", position first"),
            ("7", .position(7), ", position 7"), ("from:3", .from(3), ", from:3"),
        ]
        for (text, wanted, suffix) in words {
            #expect(try c.editPositions(text) == wanted && EditSites.suffix(text) == suffix, "\(text)")
        }
        #expect(EditSites.positionWords.contains("from:"))
        for bad in ["-1", "from:", "from:x", ""] {
            #expect(throws: EditError.badPositions(bad)) { try c.editPositions(bad) }
        }
    }

    @Test("the inputs from a site on are those of the layers that it reaches")
    func inputs() throws {
        let c = try fixtureModel("tiny-chat").facts()
        let last = Site(.residPost, layer: 1)
        #expect(c.inputSites(from: nil) == [Site(.residPre, layer: 0), Site(.residPre, layer: 1), last])
        #expect(c.inputSites(from: Site(.residPost, layer: 0)) == [Site(.residPre, layer: 1), last])
        #expect(c.inputSites(from: last) == [last])
    }

    @Test("digests tell edits apart by their numbers, sites and positions")
    func digests() {
        let sites = [Site(.embed)]
        let digest = EditSites.digest([1, 2], sites, "all")
        #expect(digest != EditSites.digest([1, 3], sites, "all") && digest != EditSites.digest([1, 2], [], "all"))
        #expect(digest != EditSites.digest([1, 2], sites, "last"))
    }
}
