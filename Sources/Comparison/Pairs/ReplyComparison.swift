package import Workbench

/// The replies of two checkpoints to the same prompts, held against each other.
///
/// Where both have the same tokenizer, two replies are the same if their token ids are: special tokens leave no trace in a
/// text, and one text may be spelled in several ways. Of different tokenizers only the texts can be compared.
package struct ReplyComparison {
    /// Whether token ids are compared, and not texts.
    package let isByTokens: Bool
    /// The text of each reply, [side][prompt].
    package let texts: [[String]]
    /// Whether both replies to each prompt are the same.
    package let isSame: [Bool]
    /// The number of prompts whose replies differ in tokens and not in text.
    package let sameInTextOnly: Int
    /// Whether both replies to each prompt begin with the same token; nil if token ids mean different tokens.
    package let beginsSame: [Bool]?
    /// The numbers of tokens before the replies to a prompt part, in ascending order; of replies that differ in tokens.
    package let tokensInCommon: [Int]

    /// Compares the replies that two checkpoints have made.
    ///
    /// - Throws: the error for a file that changed since it was opened.
    package init(_ pair: CheckpointPair, _ a: Continuations, _ b: Continuations) throws {
        let haveOneTokenizer = try pair.haveOneTokenizer()
        self.init(
            texts: [a.wholeTexts, b.wholeTexts], ids: [a, b].map { $0.results.map { $0.tokens.map(\.id) } },
            isByTokens: haveOneTokenizer,
            areIDsComparable: haveOneTokenizer || (try? pair.checkSameVocabulary()) != nil)
    }

    /// - Parameters:
    ///   - texts: the text of each reply, [side][prompt].
    ///   - ids: the token ids of each reply, [side][prompt][token].
    ///   - isByTokens: whether both checkpoints have the same tokenizer.
    ///   - areIDsComparable: whether a token id stands for the same token in both.
    init(texts: [[String]], ids: [[[Int32]]], isByTokens: Bool, areIDsComparable: Bool) {
        self.isByTokens = isByTokens
        self.texts = texts
        let sameText = zip(texts[0], texts[1]).map { $0 == $1 }
        let sameIDs = zip(ids[0], ids[1]).map { $0 == $1 }
        isSame = isByTokens ? sameIDs : sameText
        sameInTextOnly = isByTokens ? zip(sameText, sameIDs).count { $0 && !$1 } : 0
        beginsSame = areIDsComparable ? zip(ids[0], ids[1]).map { $0.first == $1.first } : nil
        tokensInCommon =
            areIDsComparable
            ? zip(ids[0], ids[1]).filter { $0 != $1 }.map { zip($0, $1).prefix { $0 == $1 }.count }.sorted() : []
    }
}
