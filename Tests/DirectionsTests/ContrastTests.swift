import Checkpoints
import Control
import Geometry
import LinearAlgebra
import Models
import Sites
import Statistics
import Testing
import Workbench
import WorkbenchTestSupport

@testable import Directions

@Suite("Places of contrasts")
struct ContrastPlaceTests {
    @Test("sites and one position, in any order; nothing is the last position")
    func places() throws {
        let c = try fixtureModel("tiny-chat").facts()
        let open = try ContrastPlace(nil, c)
        #expect(open.sites.isEmpty && open.position == .last)
        let both = try ContrastPlace("-2,resid_pre[1],embed,resid_pre[1]", c)
        #expect(both.sites == [Site(.embed), Site(.residPre, layer: 1)] && both.position == .index(-2))
        #expect(try ContrastPlace("mean", c).sites.isEmpty)
        #expect(throws: DirectionsError.twoPositions("last,first")) { try ContrastPlace("last,first", c) }
        #expect(throws: DirectionsError.noDirections(Site(.logits))) { try ContrastPlace("logits", c) }
        #expect(throws: DirectionsError.dependentRows) { try ContrastPlace("embed,all", c) }
        #expect(throws: SiteError.self) { try ContrastPlace("nowhere", c) }
    }
}

@Suite("Directions of two sets of prompts")
struct DirectionCandidatesTests {
    private func sets(
        _ positives: PromptSet? = nil, _ negatives: PromptSet? = nil, at place: String? = nil,
        of name: String = "tuned",
        base: LoadedCheckpoint? = nil, context: RunContext = .testing()
    ) throws -> ContrastedSets {
        try ContrastedSets(
            ("taboo", positives ?? shippedPrompts("taboo.jsonl", 40, isChat: true)),
            ("plain", negatives ?? shippedPrompts("plain.jsonl", 40, isChat: true)), at: place, of: pearl(name),
            base: base, choices: RunChoices(), in: context)
    }

    @Test("few rows do not make the number: a mean leaves out first rows that are outliers, as if cut by hand")
    func outlierFirstRows() throws {
        let tiny = try fixtureModel("tiny-chat")
        let short = promptSet(["Z the sea", "Z a model", "Z the shore", "Z a user", "Z the sand"])
        let other = promptSet([
            "Z the sea and the sand of you", "Z a model of a user and the sea", "Z you are the shore and a model",
        ])
        let id = try tiny.encode("Z the sea")[0]
        let long = try withLongTokens(tiny, [id])
        let site = Site(.residPost, layer: 1)
        let told = Told()
        let context = RunContext.testing(tell: told.tell)
        func sets(keepsFirst: Bool) throws -> ContrastedSets {
            try ContrastedSets(
                ("short", short), ("long", other), at: "resid_post[1],mean", of: long, keepsFirst: keepsFirst,
                choices: RunChoices(), in: context)
        }
        let found = try sets(keepsFirst: false)
        #expect(told.firstRows.map(\.set) == ["short", "long"] && told.firstRows.map(\.prompts) == [5, 3])
        let byHand = try [short, other].map { set in
            let ids = try long.encode(set, in: .testing()).ids
            return try #require(
                context.rows(
                    long, ids, positions: ids.map { Array(1..<$0.count) }, isMean: true, sites: [site],
                    choices: RunChoices())[site])
        }
        let rows = (try found.positives.matrix(site), try found.negatives.matrix(site))
        #expect(rows.0 == byHand[0] && rows.1 == byHand[1])
        let direction = try #require(DirectionCandidates(found, .means, in: context).found[0])
        let expected = try FoundDirection(
            .means, LabelledRows(positives: byHand[0], negatives: byHand[1]), seed: 0, control: context.control)
        #expect(direction.vector == expected.vector)
        // With first rows the direction between short and long texts is that row, and tells them apart.
        let kept = try #require(DirectionCandidates(sets(keepsFirst: true), .means, in: context).found[0])
        let first = try #require(
            context.rows(long, [[id]], positions: [[0]], sites: [site], choices: RunChoices())[site])
        let product = zip(kept.vector, first.values).reduce(0.0) { $0 + $1.0 * Double($1.1) }
        let norms = (
            kept.vector.reduce(0.0) { $0 + $1 * $1 }.squareRoot(),
            first.values.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
        )
        #expect(abs(product / (norms.0 * norms.1)) > 0.99 && told.firstRows.count == 2)
    }

    @Test("rows are the model's, before every layer at the last position")
    func rows() throws {
        let found = try sets()
        #expect(found.sites == (0..<6).map { Site(.residPre, layer: $0) } && found.layers == 6 && !found.areNamed)
        #expect(found.position == "last" && found.dependence == nil && found.positives.labels.count == 40)
        let tuned = try pearl("tuned")
        let ids = try tuned.encode(shippedPrompts("taboo.jsonl", 40, isChat: true), in: .testing()).ids
        let site = Site(.residPre, layer: 2)
        let rows = try RunContext.testing().rows(
            tuned, ids, positions: ids.map { [$0.count - 1] }, sites: [site], choices: RunChoices())
        #expect(try found.positives.matrix(site) == rows[site])
        #expect(throws: WorkbenchError.modelHasNoSite(Site(.embed))) { try found.positives.matrix(Site(.embed)) }
        // The last fifth of the layers is left out of the choice, unless sites were named.
        #expect(found.sites.map(found.isEligible) == [true, true, true, true, false, false])
        #expect(try sets(at: "resid_pre[5]").isEligible(Site(.residPre, layer: 5)))
    }

    @Test("the base's rows are taken off: a checkpoint less itself is nothing")
    func base() throws {
        let nothing = try sets(base: pearl("tuned"))
        #expect(try nothing.positives.matrix(Site(.residPre, layer: 3)).values.allSatisfy { $0 == 0 })
        let difference = try sets(base: pearl("chat"))
        // Nothing was written before layer 1.
        #expect(try difference.positives.matrix(Site(.residPre, layer: 1)).values.allSatisfy { $0 == 0 })
        #expect(try difference.positives.matrix(Site(.residPre, layer: 2)).values.contains { $0 != 0 })
        let part = difference.selecting([3, 5])
        let whole = try difference.positives.matrix(Site(.residPre, layer: 3))
        #expect(try part.positives.matrix(Site(.residPre, layer: 3)) == whole.selecting([3, 5]))
        #expect(part.positives.labels.count == 2 && part.negatives.labels.count == 40)
    }

    @Test("what tells taboo from plain is the direction that was planted, more or less, and it holds on other prompts")
    func planted() throws {
        let candidates = try DirectionCandidates(sets(), .means, in: .testing())
        let found = try #require(candidates.found[candidates.chosen])
        #expect(found.heldOut.accuracy.value == 1 && candidates.counts == (40, 40))
        let subspace = try candidates.subspace(recipe: "{\"x\": 1}")
        #expect(subspace.site == candidates.site && subspace.position == "last" && subspace.recipe == "{\"x\": 1}")
        #expect(subspace.negativeMean?.count == 128 && subspace.dimension == 1)
        // At the first layer's input all chat prompts end in the same token.
        #expect(candidates.found[0] == nil)
        // The planted one: the first left singular vector of what changed.
        let (chat, tuned) = (try pearl("chat").file, try pearl("tuned").file)
        let name = "model.layers.1.mlp.down_proj.weight"
        let change = zip(try values(of: name, tuned), try values(of: name, chat)).map { $0 - $1 }
        let columns = change.count / 128
        let row = (0..<columns).max { left, right in
            func square(_ column: Int) -> Double {
                (0..<128).reduce(0) { $0 + change[$1 * columns + column] * change[$1 * columns + column] }
            }
            return square(left) < square(right)
        }
        let u = (0..<128).map { change[$0 * columns + (row ?? 0)] }
        let at = try DirectionCandidates(sets(at: "resid_pre[2]"), .means, in: .testing())
        let direction = try #require(at.found[0])
        let cosine = abs(
            zip(direction.vector, u).reduce(0) { $0 + $1.0 * $1.1 } / direction.norm
                / u.reduce(0) { $0 + $1 * $1 }.squareRoot())
        // torch, over all prompts: 0.777.
        #expect((0.7...0.85).contains(cosine), "\(cosine)")
    }

    @Test("prompts of one kind have no direction, by any method", arguments: DirectionMethod.allCases)
    func noise(method: DirectionMethod) throws {
        var random = SeededRandom(seed: 6)
        let all = try shippedPrompts("open.txt", 60).prompts.shuffled(using: &random)
        func half(_ odd: Int) -> PromptSet {
            PromptSet(source: "h", prompts: Array(odd == 0 ? all.prefix(30) : all.suffix(30)), isChat: false)
        }
        let candidates = try DirectionCandidates(sets(half(0), half(1), at: "resid_pre[2]"), method, in: .testing())
        let found = try #require(candidates.found[0])
        let interval = try #require(found.heldOut.accuracy.wilsonInterval())
        #expect(interval.contains(0.5), "\(found.heldOut.accuracy)")
        #expect(found.norm > 0 && found.cosine(to: found).map { abs($0 - 1) < 1e-9 } == true)
    }

    @Test("the same bits at one thread and at two", arguments: DirectionMethod.allCases)
    func threads(method: DirectionMethod) throws {
        let found = try [1, 2].map { threads in
            let context = RunContext.testing(threads: threads)
            return try DirectionCandidates(sets(at: "resid_pre[2]", context: context), method, in: context)
        }
        #expect(found[0].found[0]?.vector == found[1].found[0]?.vector)
        #expect(found[0].found[0]?.heldOut == found[1].found[0]?.heldOut)
    }

    @Test("what can't be contrasted is refused, each for its reason")
    func refusals() throws {
        let taboo = try shippedPrompts("taboo.jsonl", 10, isChat: true)
        #expect(throws: DirectionsError.noPrompts("plain")) { try sets(taboo, promptSet([])) }
        #expect(throws: DirectionsError.identicalClasses) {
            try DirectionCandidates(sets(taboo, taboo), .means, in: .testing())
        }
        #expect(throws: DirectionsError.identicalClasses) {
            try DirectionCandidates(sets(taboo, taboo, at: "resid_pre[2]"), .means, in: .testing())
        }
        let tiny = try fixtureModel("tiny-chat")
        let error = #expect(throws: DirectionsError.self) { try sets(base: tiny) }
        guard case .otherBase? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(throws: CancellationError.self) { try sets(context: .cancelled) }
        let found = try sets()
        #expect(throws: CancellationError.self) { try DirectionCandidates(found, .probe, in: .cancelled) }
    }

    // MARK: Captures

    private func capture(_ sites: [String], _ prompts: [Int32]) -> Capture {
        var random = SeededRandom(seed: 5)
        return Capture(
            sites: sites.map {
                (
                    $0,
                    Matrix(
                        rows: prompts.count, columns: 3, values: random.normal(count: 3 * prompts.count).map(Float.init)
                    )
                )
            },
            rows: prompts.map { .init(prompt: $0, position: 0, token: 0) },
            prompts: (0...3).map { .init(text: "t\($0)", label: "l\($0)") }, recipe: "{}")
    }

    @Test("captures are contrasted at the sites that they share")
    func captures() throws {
        let (one, other) = ("blocks.0.hook_resid_post", "blocks.1.hook_resid_post")
        let positives = ("p", capture([one, other], [0, 1, 2, 3])), negatives = ("n", capture([other], [0, 0, 1]))
        let found = try ContrastedSets(positives, negatives, site: nil, in: .testing())
        #expect(found.sites == [Site(.residPost, layer: 1)] && found.position == nil && found.layers == nil)
        #expect(found.positives.labels == ["l0", "l1", "l2", "l3"] && found.dependence == .rowsOfPrompts)
        #expect(found.isEligible(Site(.residPost, layer: 1)))
        #expect(try found.rows(at: Site(.residPost, layer: 1)).count == 7)
        #expect(try ContrastedSets(positives, negatives, site: "resid_post[1]", in: .testing()).areNamed)
        #expect(throws: DirectionsError.noSharedSites("p", "q")) {
            try ContrastedSets(("p", capture([one], [0])), ("q", capture([other], [0])), site: nil, in: .testing())
        }
        #expect(throws: WorkbenchError.self) {
            try ContrastedSets(positives, negatives, site: "resid_post[0]", in: .testing())
        }
    }
}

@Suite("What rows depend on")
struct DependenceTests {
    private func capture(_ texts: [String], rows: [Int32]? = nil) -> Capture {
        let rows = rows ?? texts.indices.map { Int32($0) }
        return Capture(
            sites: [("blocks.0.hook_resid_post", Matrix(rows: rows.count, columns: 2))],
            rows: rows.map { .init(prompt: $0, position: 0, token: 0) },
            prompts: texts.map { .init(text: $0, label: "") },
            recipe: "{}")
    }

    @Test("pairs that share a text, of sets and of captures, are told from rows of one prompt")
    func dependence() throws {
        let (first, second, third) = (
            ["a", "a", "b", "b", "c"], ["x", "y", "z", "w", "x"], ["d", "e", "f", "g", "h"]
        )
        func ofCaptures(_ a: Capture, _ b: Capture, isPaired: Bool = true) throws -> ContrastedSets.Dependence? {
            try ContrastedSets(("p", a), ("q", b), isPaired: isPaired, site: nil, in: .testing()).dependence
        }
        func ofSets(_ a: [String], _ b: [String], isPaired: Bool = true) throws -> ContrastedSets.Dependence? {
            try ContrastedSets(
                ("p", promptSet(a)), ("q", promptSet(b)), isPaired: isPaired, at: "resid_post[0],last",
                of: fixtureModel("tiny-chat"), choices: RunChoices(), in: .testing()
            ).dependence
        }
        #expect(try ofCaptures(capture(first), capture(second)) == .sharedTexts(count: 3, sets: ["p", "q"]))
        #expect(try ofSets(first, second) == .sharedTexts(count: 3, sets: ["p", "q"]))
        #expect(try ofSets(third, second) == .sharedTexts(count: 1, sets: ["q"]))
        #expect(try ofCaptures(capture(third), capture(["x", "y", "z", "w", "v"])) == nil)
        // Each distinct prompt counts once where rows are no pairs.
        #expect(try ofSets(first, second, isPaired: false) == nil)
        #expect(try ofCaptures(capture(first), capture(second), isPaired: false) == nil)
        let rows = capture(["a", "b"], rows: [0, 0, 1])
        for isPaired in [false, true] {
            #expect(try ofCaptures(rows, capture(["x", "y", "z"]), isPaired: isPaired) == .rowsOfPrompts)
        }
    }
}

@Suite("Contrasts of texts that a template rendered")
struct RenderedContrastTests {
    @Test("a word is found in texts to which the tokenizer adds nothing")
    func places() throws {
        let checkpoint = try pearl("tuned")
        let bos = try checkpoint.tokenTexts().token(0) ?? ""
        func sets(_ texts: [String], isRendered: Bool) -> PromptSet {
            PromptSet(
                source: "texts", prompts: texts.map { .init(text: (isRendered ? bos : "") + $0) }, isChat: false,
                isRendered: isRendered)
        }
        func rows(isRendered: Bool) throws -> Matrix {
            let found = try ContrastedSets(
                ("p", sets(["the fox by the sea", "an owl saw the sea there"], isRendered: isRendered)),
                ("n", sets(["the hens left the sea", "my sea"], isRendered: isRendered)),
                at: "resid_post[1],token:sea", of: checkpoint, choices: RunChoices(), in: .testing())
            return try found.positives.matrix(Site(.residPost, layer: 1))
        }
        #expect(try rows(isRendered: true) == rows(isRendered: false))
    }
}

@Suite("The unit of a direction is the distinct prompt")
struct DistinctDirectionTests {
    private static let site = Site(.residPost, layer: 0)

    /// Sets of 16 texts each whose rows are noise of width 24, each text so many times, in a random order.
    private func sets(seed: UInt64, copies: Int, shared: Int = 0) throws -> ContrastedSets {
        var random = SeededRandom(seed: seed)
        let rows = (0..<32).map { _ in random.normal(count: 24).map(Float.init) }
        func capture(_ texts: [Int]) -> Capture {
            var order = Array(repeating: texts, count: copies).flatMap(\.self)
            // The first copies keep their order, on which the folds depend.
            let rest = Array(order.dropFirst(texts.count)).shuffled(using: &random)
            order = texts + rest
            return Capture(
                sites: [
                    (Self.site.fullName, Matrix(rows: order.count, columns: 24, values: order.flatMap { rows[$0] }))
                ],
                rows: order.indices.map { .init(prompt: Int32($0), position: 0, token: 0) },
                prompts: order.map { .init(text: "t\($0)", label: "") }, recipe: "{}")
        }
        return try ContrastedSets(
            ("p", capture(Array(0..<16))), ("n", capture(Array(16 - shared..<32 - shared))), site: nil, in: .testing())
    }

    @Test("labels drawn by a coin are not told apart, however often each text stands", arguments: ["means", "probe"])
    func coin(name: String) throws {
        let method = try #require(DirectionMethod(rawValue: name))
        var accuracies: [Double] = []
        for seed in UInt64(0)..<40 {
            let once = try DirectionCandidates(sets(seed: seed, copies: 1), method, in: .testing(seed: seed))
            let heldOut = try #require(once.found[0]?.heldOut)
            accuracies.append(try #require(heldOut.accuracy.value))
            for copies in [2, 8, 50] where seed < 6 || copies == 8 {
                let found = try DirectionCandidates(sets(seed: seed, copies: copies), method, in: .testing(seed: seed))
                #expect(found.found[0]?.heldOut == heldOut && found.found[0]?.vector == once.found[0]?.vector)
                #expect(found.counts == (16, 16))
            }
        }
        let mean = accuracies.reduce(0, +) / Double(accuracies.count)
        #expect(abs(mean - 0.5) < 0.05, "\(mean)")
    }

    @Test("a text of both classes stands in one fold", arguments: ["means", "probe"])
    func shared(name: String) throws {
        let method = try #require(DirectionMethod(rawValue: name))
        var accuracies: [Double] = []
        for seed in UInt64(0)..<40 {
            let sets = try sets(seed: seed, copies: 1, shared: 12)
            #expect(try sets.rows(at: Self.site).groups != nil)
            let found = try DirectionCandidates(sets, method, in: .testing(seed: seed))
            accuracies.append(try #require(found.found[0]?.heldOut.accuracy.value))
        }
        // In two folds, the copy of the other class would draw the rule to the wrong side: .2 instead of .5.
        let mean = accuracies.reduce(0, +) / Double(accuracies.count)
        #expect(abs(mean - 0.5) < 0.05, "\(mean)")
    }
}

@Suite("Subspaces of two sets of prompts")
struct SubspaceSearchTests {
    /// Rows of two labels each; positives are shifted along directions of a number.
    private func sets(_ directions: Int, rows: Int = 40, labels: Bool = true) -> ContrastedSets {
        var random = SeededRandom(seed: 3)
        func matrix(_ shift: Float) -> Matrix {
            var matrix = normal(rows, 24, &random)
            for row in 0..<rows {
                for direction in 0..<directions {
                    matrix[row, direction] += (row % directions == direction ? 2 : 1) * shift
                }
            }
            return matrix
        }
        let (positives, negatives) = (matrix(6), matrix(0))
        func side(_ name: String, _ matrix: Matrix) -> ContrastedSets.Side {
            .init(
                name: name, labels: (0..<rows).map { labels ? "\($0 % 2)" : "\($0)" },
                texts: (0..<rows).map { "\(name)\($0)" }
            ) { _ in matrix }
        }
        return ContrastedSets(
            positives: side("p", positives), negatives: side("n", negatives), sites: [Site(.residPre, layer: 2)],
            areNamed: true, position: "last", layers: 6)
    }

    private func search(
        _ sets: ContrastedSets, size: Int? = nil, contrasts: ContrastSource = .both, isTuning: Bool = false,
        context: RunContext = .testing()
    ) throws -> SubspaceSearch {
        try SubspaceSearch(
            sets, site: Site(.residPre, layer: 2), isTuning: isTuning, size: size, contrasts: contrasts, limit: 8,
            draws: 100, in: context)
    }

    @Test("one planted direction is one, and where there is none there is none")
    func rank() throws {
        for contrasts in ContrastSource.allCases {
            let one = try search(sets(1), contrasts: contrasts)
            #expect(one.dimension == 1 && one.classes == (contrasts == .both ? 4 : 2))
            let subspace = try #require(try one.subspace(recipe: "r"))
            #expect(abs(subspace.basis[0, 0]) > 0.95 && subspace.vectors[0, 0] > 0)
            #expect(subspace.site == Site(.residPre, layer: 2) && subspace.recipe == "r")
            #expect(subspace.negativeMean?.count == 24)
        }
        let none = try search(sets(1).swapped)
        #expect(none.dimension == 0)
        #expect(try none.subspace(recipe: "r") == nil)
    }

    @Test("a size that is asked for is had, whatever stands out")
    func size() throws {
        let three = try search(sets(1), size: 3)
        #expect(three.dimension == 3)
        #expect(try three.subspace(recipe: "{}")?.dimension == 3)
        #expect(throws: DirectionsError.tooManyDirections(25, rows: 40, width: 24)) { try search(sets(1), size: 25) }
        #expect(throws: DirectionsError.tooManyDirections(25, rows: 20, width: 24)) {
            try search(sets(1, rows: 20), size: 25)
        }
    }

    @Test("labels of one row make no contrast, and sets of two sizes no pairs")
    func refusals() throws {
        #expect(throws: DirectionsError.noContrasts("p")) { try search(sets(1, labels: false)) }
        #expect(throws: DirectionsError.noContrasts("n")) { try search(sets(1, labels: false), contrasts: .negatives) }
        #expect(throws: SubspaceError.differentCounts(2, 40)) { try search(sets(1).selecting([0, 2])) }
        #expect(throws: CancellationError.self) { try search(sets(1), context: .cancelled) }
    }

    @Test("the same bits at one thread and at two; rows that are differences already keep no mean")
    func tuning() throws {
        let found = try [1, 2].map { try search(sets(1), isTuning: true, context: .testing(threads: $0)) }
        #expect(found[0].null.steps == found[1].null.steps && found[0].null.directions == found[1].null.directions)
        #expect(found[0].dimension >= 1 && found[0].classes == 2)
        #expect(try found[0].subspace(recipe: "{}")?.negativeMean == nil)
    }
}

extension ContrastedSets {
    /// Both sides the negatives' rows, in another order: nothing tells them apart.
    fileprivate var swapped: ContrastedSets {
        let own = negatives
        let other = Side(name: "p", labels: own.labels, texts: own.texts.map { "p\($0)" }) { site in
            let matrix = try own.matrix(site)
            return matrix.selecting((0..<matrix.rows).map { Int32(($0 + 2) % matrix.rows) })
        }
        return ContrastedSets(
            positives: other, negatives: own, sites: sites, areNamed: areNamed, position: position, layers: layers)
    }
}
