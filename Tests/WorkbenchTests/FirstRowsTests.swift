import Checkpoints
import Control
import Geometry
import LinearAlgebra
import Models
import Provenance
import Sites
import Testing
import WorkbenchTestSupport

@testable import Workbench

@Suite("Few rows do not make the number: first rows that are outliers")
struct FirstRowsTests {
    /// Texts that all begin with a token that stands nowhere else in them.
    private static let texts = [
        "Z the sea and the sand", "Z a model of the shore", "Z you are a user", "Z the shore and a sea", "Z is a sand",
        "Z and the model and you", "Z a user of the sea", "Z are you the model",
    ]
    private static let set = promptSet(texts)
    private static let site = Site(.residPost, layer: 1)

    private static func ids(_ checkpoint: LoadedCheckpoint) throws -> [[Int32]] {
        try checkpoint.encode(set, in: .testing()).ids
    }

    /// The small model with an outlier in each text's first row.
    private static func planted(times factor: Double = 1000) throws -> LoadedCheckpoint {
        let tiny = try fixtureModel("tiny-chat")
        let first = try ids(tiny)[0][0]
        #expect(try ids(tiny).allSatisfy { $0[0] == first && !$0.dropFirst().contains(first) })
        return try withLongTokens(tiny, [first], times: factor)
    }

    private static func capture(
        _ checkpoint: LoadedCheckpoint, sites: [String] = ["resid_post[*]"], at position: String,
        in context: RunContext = .testing(), _ change: (inout CaptureRequest) -> Void = { _ in }
    ) throws -> Capture {
        var request = CaptureRequest(sites, of: set, recipe: Recipe(commandLine: "capture", version: "test"))
        request.position = position
        change(&request)
        return try CaptureJob(request, checkpoint, context).inMemory()
    }

    @Test("all and mean are bit for bit the rows with first positions cut by hand, and that is told")
    func byHand() throws {
        let long = try Self.planted()
        let ids = try Self.ids(long)
        let told = Told()
        let context = RunContext.testing(tell: told.tell)
        let cut = ids.map { Array(1..<$0.count) }
        for (position, isMean) in [("all", false), ("mean", true)] {
            let found = try Self.capture(long, at: position, in: context)
            let rows = try context.rows(
                long, ids, positions: cut, isMean: isMean, sites: [Self.site], choices: RunChoices())
            #expect(try found.matrix(Self.site.fullName) == rows[Self.site])
            #expect(found.rows.count == (isMean ? ids.count : cut.reduce(0) { $0 + $1.count }))
            #expect(isMean || found.rows.allSatisfy { $0.position > 0 })
        }
        #expect(told.firstRows.count == 2 && told.firstRows[0] == told.firstRows[1])
        let note = try #require(told.firstRows.first)
        #expect(note.prompts == ids.count && note.total == ids.count && note.position == 0 && note.set == nil)
        #expect(note.norm > 100 * note.median)
        #expect(note.description.hasPrefix("Left out as outliers: the first rows of all"))
    }

    @Test("PCA and the participation ratio of all are those without first rows; with them they say which rows weigh")
    func principalComponents() throws {
        let long = try Self.planted()
        let name = Self.site.fullName
        func measured(_ capture: Capture) throws -> (ratio: Double, variances: [Double], told: Told) {
            let told = Told()
            let source = PointSource(capture, site: name)
            let run = try PCARun(.testing(tell: told.tell), source, source.pointSet(), without: [])
            let found = try run.run(scores: 0).found
            return (found.participationRatio, found.variances, told)
        }
        let found = try measured(Self.capture(long, at: "all"))
        let whole = try Self.capture(long, at: "all") { $0.keepsFirst = true }
        let kept = whole.rows.indices.filter { whole.rows[$0].position > 0 }
        let cut = Points(
            name: "cut", matrix: try whole.matrix(name).selecting(kept.map(Int32.init)), rounding: nil,
            input: .init(name: "cut", sha256: ""))
        let source = PointSource(cut)
        let byHand = try PCARun(.testing(), source, source.pointSet(), without: []).run(scores: 0).found
        #expect(found.variances == byHand.variances && found.ratio == byHand.participationRatio)
        #expect(found.told.heavyRows.isEmpty)
        // The first rows are the same row in all texts, of which one is a distinct point.
        let withFirst = try measured(whole)
        #expect(withFirst.ratio < 1.1 && found.ratio > 2)
        let heavy = withFirst.told.heavyRows
        #expect(heavy.map(\.kind) == [.outliers, .carrier] && heavy.allSatisfy { $0.name == Self.site.shortName })
        #expect(heavy[0].weights.outliers == 1 && heavy[1].weights.largestShare > 0.9)
    }

    @Test("nothing is left out elsewhere, where first rows or BOS are wanted, of logits, and where no row is long")
    func kept() throws {
        let long = try Self.planted()
        let ids = try Self.ids(long)
        let told = Told()
        let context = RunContext.testing(tell: told.tell)
        let count = ids.reduce(0) { $0 + $1.count }
        #expect(try Self.capture(long, at: "first", in: context).rows.count == ids.count)
        #expect(try Self.capture(long, at: "0", in: context).rows.count == ids.count)
        #expect(try Self.capture(long, at: "all", in: context) { $0.keepsFirst = true }.rows.count == count)
        #expect(try Self.capture(long, at: "all", in: context) { $0.includesLeading = true }.rows.count == count)
        #expect(try Self.capture(long, sites: ["logits"], at: "all", in: context).rows.count == count)
        #expect(try Self.capture(Self.planted(times: 2), at: "all", in: context).rows.count == count)
        #expect(try Self.capture(fixtureModel("tiny-chat"), at: "all", in: context).rows.count == count)
        #expect(told.firstRows.isEmpty)
        // With logits beside it, a site of the residual stream decides for both.
        let both = try Self.capture(long, sites: ["logits", "resid_post[0]"], at: "all", in: context)
        #expect(both.rows.count == count - ids.count)
    }

    @Test("a prompt that would lose its only row keeps it; edits in force decide what is long")
    func onlyRowAndEdits() throws {
        let long = try Self.planted()
        let ids = try Self.ids(long)
        let told = Told()
        let context = RunContext.testing(tell: told.tell)
        let sides = [NamedCheckpoint("long", long)]
        let short = [Array(ids[0].prefix(1)), ids[1]]
        let found = try context.withoutOutlierFirstRows(
            [FirstRowSet(ids: short, positions: short.map { Array($0.indices) })], of: sides, at: .all,
            sites: [Self.site], choices: RunChoices())
        #expect(found == [[[0], Array(1..<ids[1].count)]])
        #expect(told.firstRows.map(\.prompts) == [1] && told.firstRows.map(\.total) == [2])
        #expect(told.firstRows[0].description.contains("the first row of 1 of 2 prompts"))
        long.edits.add(
            try AblationRequest("resid_pre[0]", command: "ablate resid_pre[0]", seed: 0).entryOfSites(in: long))
        let edited = try context.withoutOutlierFirstRows(
            [FirstRowSet(ids: ids, positions: ids.map { Array($0.indices) })], of: sides, at: .all,
            sites: [Self.site], choices: RunChoices())
        #expect(edited[0].allSatisfy { $0[0] == 0 })
        // A named checkpoint has edits of its own, or none, whatever is in force.
        let bare = try context.withoutOutlierFirstRows(
            [FirstRowSet(ids: ids, positions: ids.map { Array($0.indices) })],
            of: [NamedCheckpoint(name: "bare", checkpoint: long, edits: [])], at: .mean, sites: [Self.site],
            choices: RunChoices())
        #expect(bare[0].allSatisfy { $0[0] == 1 })
    }

    @Test("the sets of a contrast are judged by one median, and each says what it lost")
    func twoSets() throws {
        let long = try Self.planted()
        let ids = try Self.ids(long)
        let told = Told()
        let sets = [("a", ids[..<3]), ("b", ids[3...])].map { name, part in
            FirstRowSet(name: name, ids: Array(part), positions: part.map { Array($0.indices) })
        }
        let found = try RunContext.testing(tell: told.tell).withoutOutlierFirstRows(
            sets, of: [NamedCheckpoint("long", long)], at: .mean, sites: [Self.site], choices: RunChoices())
        #expect(found.map(\.count) == [3, 5] && found.joined().allSatisfy { $0[0] == 1 })
        #expect(told.firstRows.map(\.set) == ["a", "b"] && told.firstRows.map(\.prompts) == [3, 5])
        #expect(told.firstRows[0].median == told.firstRows[1].median)
    }

    @Test("after a BOS token, which is left out anyway, the next row is the first")
    func afterBOS() throws {
        let words = try fixtureModel("tiny-words")
        let set = promptSet(["The capital of France is", "The capital of a sea", "The capital is it"])
        let ids = try words.encode(set, in: .testing()).ids
        #expect(ids.allSatisfy { $0[0] == 1 && $0.count > 3 })
        let long = try withLongTokens(words, Set(ids.map { $0[1] }))
        let context = RunContext.testing()
        let positions = try context.positions(.all, long, ids: ids, includesLeading: false)
        let found = try context.withoutOutlierFirstRows(
            [FirstRowSet(ids: ids, positions: positions)], of: [NamedCheckpoint("long", long)], at: .all,
            sites: [Site(.residPost, layer: 0)], choices: RunChoices())
        #expect(positions.map(\.first) == [1, 1, 1] && found[0].map(\.first) == [2, 2, 2])
    }

    @Test("of the small models no first row is left out, nor of the shipped one, where BOS is long but left out anyway")
    func shipped() throws {
        for name in ["tiny-chat", "tiny-near", "gpt2", "gpt-neox", "qwen2", "gemma2", "olmo2"] {
            let model = try fixtureModel(name)
            let facts = try model.facts()
            let ids = (0..<12).map { prompt in
                (0..<9).map { Int32(((prompt * 31 + $0 * 17) * 7 + 3) % facts.vocabularySize) }
            }
            let whole = ids.map { Array($0.indices) }
            let found = try RunContext.testing().withoutOutlierFirstRows(
                [FirstRowSet(ids: ids, positions: whole)], of: [NamedCheckpoint(name, model)], at: .all,
                sites: (0..<facts.layers).map { Site(.residPost, layer: $0) }, choices: RunChoices())
            #expect(found == [whole], "\(name)")
        }
        let told = Told()
        let base = try pearl("base")
        let request = CaptureRequest(
            ["resid_post[*]"], of: try shippedPrompts("open.txt", 60),
            recipe: Recipe(commandLine: "capture", version: "test"))
        var all = request
        all.position = "all"
        _ = try CaptureJob(all, base, .testing(tell: told.tell))
        #expect(told.firstRows.isEmpty)
    }

    @Test("what is known of first rows is not run again, and with too little memory the study itself says so")
    func rememberedAndRefused() throws {
        let long = try Self.planted()
        let context = RunContext.testing()
        let ids = try Self.ids(long)
        func judged(_ choices: RunChoices = RunChoices()) throws -> [[[Int]]] {
            try context.withoutOutlierFirstRows(
                [FirstRowSet(ids: ids, positions: ids.map { Array($0.indices) })],
                of: [NamedCheckpoint("long", long)], at: .all, sites: [Self.site], choices: choices)
        }
        let first = try judged()
        let operations = context.history.operations
        #expect(operations > 0)
        #expect(try judged() == first && context.history.operations == operations)
        let other = RunContext.testing(memory: MemoryLimit(bytes: 1, name: "the setting memory"))
        let kept = try other.withoutOutlierFirstRows(
            [FirstRowSet(ids: ids, positions: ids.map { Array($0.indices) })], of: [NamedCheckpoint("long", long)],
            at: .all, sites: [Self.site], choices: RunChoices())
        #expect(kept[0].allSatisfy { $0[0] == 0 })
        #expect(throws: WorkbenchError.self) { try Self.capture(long, at: "all", in: other) }
        #expect(throws: CancellationError.self) { try Self.capture(long, at: "all", in: .cancelled) }
    }

    @Test("rows at hand that are outliers are told once for all sets, with the worst of them")
    func atHand() {
        func rows(_ factor: Float) -> Matrix {
            var matrix = Matrix(rows: 20, columns: 2, values: (0..<40).map { Float(($0 * 7) % 11 - 5) + 0.5 })
            for column in 0..<2 { matrix[4, column] *= factor }
            return matrix
        }
        let told = Told()
        let context = RunContext.testing(tell: told.tell)
        context.weigh(rows(1), name: "even")
        #expect(told.heavyRows.isEmpty)
        var weighed = WeighedRows()
        weighed.add(rows(1), name: "even")
        weighed.add(rows(100), name: "x")
        weighed.add(rows(1000).values.map(Double.init), width: 2, name: "y")
        weighed.tell(in: context)
        #expect(told.heavyRows.map(\.name) == ["y", "y"] && told.heavyRows.map(\.otherSets) == [1, 1])
        #expect(told.heavyRows[0].description.hasPrefix("1 of 20 rows of y is more than 10 times as long"))
        #expect(told.heavyRows[0].description.hasSuffix(", and 1 other set has such rows."))
        #expect(told.heavyRows[1].description.hasPrefix("One of 20 rows of y has "))
    }
}
