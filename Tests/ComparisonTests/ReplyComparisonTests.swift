import Control
import Sites
import TestSupport
import Testing
import Workbench
import WorkbenchTestSupport

@testable import Comparison

@Suite("Replies of two checkpoints, side by side")
struct ReplyComparisonTests {
    private func compared(isByTokens: Bool, areIDsComparable: Bool = true) -> ReplyComparison {
        // A special token leaves no trace in the text, and the third replies are spelled in two ways.
        ReplyComparison(
            texts: [["sea", "sea", "shore", "cold"], ["sea", "sea", "shore", "cod"]],
            ids: [[[5, 6], [5, 6], [7], [8, 9]], [[5, 6], [5, 6, 2], [3, 4], [8, 1, 9]]], isByTokens: isByTokens,
            areIDsComparable: areIDsComparable)
    }

    @Test("of one tokenizer, replies are the same if their token ids are")
    func tokens() {
        let found = compared(isByTokens: true)
        #expect(found.isSame == [true, false, false, false] && found.sameInTextOnly == 2)
        #expect(found.beginsSame == [true, true, false, true] && found.tokensInCommon == [0, 1, 2])
    }

    @Test("of two tokenizers, replies are the same if their texts are")
    func texts() {
        let found = compared(isByTokens: false, areIDsComparable: false)
        #expect(found.isSame == [true, true, true, false] && found.sameInTextOnly == 0)
        #expect(found.beginsSame == nil && found.tokensInCommon.isEmpty)
        // Tokenizers whose merges differ may still have the same tokens.
        #expect(compared(isByTokens: false).tokensInCommon == [0, 1, 2])
    }

    @Test("two checkpoints of one family are compared by token ids")
    func family() throws {
        let pair = try pearlPair("base", "tuned")
        #expect(try pair.haveOneTokenizer())
        let set = try shippedPrompts("open.txt", 8)
        let context = RunContext.testing()
        let decodings = try [pair.a, pair.b].map {
            try Decoding(
                $0, $0.checkpoint.encode(set, in: context).ids, set: set, choices: DecodingChoices(tokens: 6, seed: 0))
        }
        try context.run(decodings, precision: .f32)
        for decoding in decodings { _ = decoding.made.finish() }
        let found = try ReplyComparison(pair, decodings[0].made, decodings[1].made)
        #expect(found.isByTokens && found.isSame.count == 8 && found.beginsSame?.count == 8)
        #expect(found.tokensInCommon.count == found.isSame.count { !$0 })
        let same = try ReplyComparison(pair, decodings[0].made, decodings[0].made)
        #expect(same.isSame.allSatisfy(\.self) && same.tokensInCommon.isEmpty)
    }
}
