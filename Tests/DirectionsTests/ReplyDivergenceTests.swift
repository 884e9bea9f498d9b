import Comparison
import Control
import LinearAlgebra
import Models
import Sites
import Statistics
import Testing
import Workbench
import WorkbenchTestSupport

@testable import Directions

/// Turns round what stands after the prompts, so that a reply's first token is as it was, and nothing after it.
private struct AfterPrompt: Edit {
    let site = Site(.residPre, layer: 2)

    func applies(to site: Site) -> Bool { site == self.site }

    func apply(at site: Site, to block: ActivationBlock) {
        for row in 0..<block.rows {
            let place = block.firstRow + row
            let prompt = block.sequences.prompt(ofRow: place)
            let past = block.pasts.isEmpty ? 0 : block.pasts[prompt]
            let ownCount = block.promptTokens.isEmpty ? Int.max : block.promptTokens[prompt]
            guard place - block.sequences.starts[prompt] + past >= ownCount else { continue }
            for column in 0..<block.width { block.values[row * block.width + column] *= -1 }
        }
    }
}

@Suite("Divergence over the model's own replies")
struct ReplyDivergenceTests {
    private let tuned: LoadedCheckpoint
    private let context = RunContext.testing()

    init() throws { tuned = try pearl("tuned") }

    private func behaviour(markers: Markers? = nil, tokens: Int = 16, _ context: RunContext) -> BehaviourRun {
        BehaviourRun(
            context: context, source: NamedCheckpoint("tuned", tuned), markers: markers,
            decoding: DecodingChoices(tokens: 24, seed: 0), precision: .f32, replyTokens: tokens)
    }

    private func taboo(_ count: Int) throws -> BehaviourSet {
        try BehaviourSet("taboo", shippedPrompts("taboo-heldout.jsonl", count, isChat: true), tuned, context)
    }

    /// A direction, large enough to change what is said.
    private func steering(_ positions: EditPositions = .all) -> Steering {
        var random = SeededRandom(seed: 3)
        return Steering(
            vector: random.normal(count: 128).map { Float($0) }, sites: [Site(.residPre, layer: 2)],
            positions: positions)
    }

    @Test("replies that are destroyed from their second token on are seen, although the first token stays")
    func destroyed() throws {
        let told = Told()
        let markers = Markers(try shippedLines("refusals.txt", 7).filter { !$0.hasPrefix("#") }, isAtStart: true)
        let entry = EditStack.Entry(label: "x", summary: "x", command: "", edits: [AfterPrompt()], digest: "")
        let set = try taboo(12)
        let result = try EffectRun(
            behaviour(markers: markers, .testing(tell: told.tell)), [set], entries: [entry], controls: .none, seed: 0
        ).run()
        let divergence = result.after[0].divergence
        #expect(divergence.first.prompts.allSatisfy { $0.count == 1 && $0[0].forward == 0 && $0[0].agrees })
        #expect(divergence.first.topAgreement.value == 1)
        #expect(divergence.prompt.prompts.joined().allSatisfy { $0.forward == 0 })
        let kl = try #require(divergence.reply.mean(\.forward))
        let low = try #require(kl.low)
        #expect(kl.mean > 1 && low > 0.5, "\(kl)")
        #expect(try #require(divergence.reply.topAgreement.value) < 0.6)
        #expect(try #require(divergence.token(1).mean(\.forward)).mean > 0.5)
        let (before, after) = (try #require(result.before[0]?.matched), try #require(result.after[0].rates?.matched))
        #expect(before.successes > 10 && after.successes < 4, "\(before), \(after)")
        #expect(told.isOver)
    }

    @Test("the numbers are those of two plain passes over the prompt and the reply that the model gives to it")
    func naive() throws {
        let set = try taboo(4)
        let run = behaviour(context)
        let edits: [any Edit] = [steering()]
        let found = try run.divergence(run.ownReplies(set, []), from: [], to: edits)
        let vocabulary = try tuned.configuration().vocabularySize
        for (prompt, ids) in set.encoded.ids.enumerated() {
            let ends = Set(try tuned.configuration().eosTokens)
            let reply = try context.runner(tuned).generate(ids, limit: 16, stop: ends, control: RunControl())
            // The end token is predicted as well, if it comes within the 16.
            let predicted = reply.count < 16 ? reply.count + 1 : 16
            #expect(found.reply.prompts[prompt].count == predicted && predicted > 1)
            #expect(found.prompt.prompts[prompt].count == ids.count - 1)
            let tokens = ids + reply
            let rows = try [[], edits].map { edits -> [[Double]] in
                var rows: [[Double]] = []
                let request = LogitsRequest(rows: Array(tokens.indices)) { range, logits, _ in
                    for row in 0..<range.count {
                        let values = UnsafeBufferPointer(start: logits + row * vocabulary, count: vocabulary)
                        rows.append(values.map { Double($0) })
                    }
                }
                try context.run(tuned, TokenSequences([tokens]), edits: edits, logits: request)
                return rows
            }
            for place in 0..<predicted {
                let position = ids.count - 1 + place
                let (p, q) = (probabilities(rows[0][position]), probabilities(rows[1][position]))
                let kl = zip(p, q).reduce(0) { $0 + ($1.0 > 0 ? $1.0 * Elementary.log($1.0 / $1.1) : 0) }
                let measured = found.reply.prompts[prompt][place]
                #expect(abs(measured.forward - kl) < 1e-4, "\(measured.forward), \(kl)")
                let tops = [rows[0], rows[1]].map { rows in
                    rows[position].indices.max { rows[position][$0] < rows[position][$1] }
                }
                #expect(measured.agrees == (tops[0] == tops[1]))
                // The unedited model's likeliest token is the one that it says.
                if place < reply.count { #expect(measured.top.a == Int(reply[place])) }
            }
        }
        #expect(try #require(found.reply.mean(\.forward)).mean > 0.1)
    }

    private func probabilities(_ logits: [Double]) -> [Double] {
        let peak = logits.max() ?? 0
        let powers = logits.map { Elementary.exp($0 - peak) }
        let total = powers.reduce(0, +)
        return powers.map { $0 / total }
    }

    @Test("edits of the prompt's positions leave those of the reply alone")
    func positions() throws {
        let set = try BehaviourSet("one", shippedPrompts("taboo-heldout.jsonl", 1, isChat: true), tuned, context)
        let run = behaviour(context)
        let replies = try run.ownReplies(set, [])
        func divergences(_ edits: [any Edit]) throws -> [[Divergence]] {
            try run.divergence(replies, from: [], to: edits).reply.prompts
        }
        let each = set.encoded.ids[0].indices.map { steering(.position($0)) }
        #expect(try divergences([steering(.prompt)]) == divergences(each))
        #expect(try divergences([steering(.prompt)]) != divergences([steering()]))
        #expect(try divergences([steering(.last)]) == divergences([steering(.position(set.encoded.ids[0].count - 1))]))
    }

    @Test("so many tokens as are asked for, the prompts' own or not, at any number of threads")
    func choices() throws {
        let set = try taboo(6)
        let whole = try behaviour(context).divergence(
            behaviour(context).ownReplies(set, []), from: [], to: [steering()])
        let short = behaviour(tokens: 3, context)
        let three = try short.divergence(short.ownReplies(set, []), from: [], to: [steering()], hasPrompts: false)
        #expect(three.tokens == 3 && three.prompt.positions == 0)
        // The last of them has no token after it in the shorter run.
        let firsts = whole.reply.prompts.map { $0.prefix(3).map(\.forward) }
        #expect(three.reply.prompts.map { $0.map(\.forward) } == firsts)
        #expect(three.token(2).positions == 6 && three.token(3).positions == 0 && whole.tokens <= 16)
        let two = behaviour(.testing(threads: 2))
        let again = try two.divergence(two.ownReplies(set, []), from: [], to: [steering()])
        #expect(again.reply.prompts == whole.reply.prompts && again.prompt.prompts == whole.prompt.prompts)
        // A prompt that fills the model's context has the position of its reply's first token alone.
        let tiny = try fixtureModel("tiny-chat")
        let text = String(repeating: "a", count: 400)
        var ids = try tiny.encode(text)
        ids = Array(ids.prefix(try tiny.configuration().maxPositions))
        let run = BehaviourRun(
            context: context, source: NamedCheckpoint("tiny", tiny), markers: nil,
            decoding: DecodingChoices(tokens: 1, seed: 0), precision: .f32)
        if ids.count == (try tiny.configuration().maxPositions) {
            let full = OwnReplies([ids], replies: [[]])
            let found = try run.divergence(full, from: [], to: [])
            #expect(found.tokens == 1 && found.first.positions == 1 && found.prompt.positions == ids.count - 1)
        }
    }

    @Test("empty replies and replies that were cut off are told with the runs that they are of")
    func told() throws {
        let told = Told()
        let entry = EditStack.Entry(label: "x", summary: "x", command: "", edits: [AfterPrompt()], digest: "")
        let markers = Markers(["No, please"], isAtStart: false)
        let run = BehaviourRun(
            context: .testing(tell: told.tell), source: NamedCheckpoint("tuned", tuned), markers: markers,
            decoding: DecodingChoices(tokens: 1, seed: 0), precision: .f32)
        let result = try EffectRun(run, [taboo(4)], entries: [entry], controls: .none, seed: 0).run()
        #expect(result.before[0]?.matched?.successes == 0 && result.before[0]?.endings.count(.cutOff) == 4)
        let premises = told.events.compactMap { if case .premise(let premise) = $0 { premise } else { nil } }
        guard case .cutReplies(of: "taboo without edits", let endings, others: 1)? = premises.first else {
            Issue.record("\(premises)")
            return
        }
        #expect(premises.count == 1 && endings.cut == 4 && endings.total == 4 && endings.cutPlace == "1 token")
    }
}
