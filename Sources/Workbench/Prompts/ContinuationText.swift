package import Tokenizers

/// The text of a continuation while its tokens arrive. Only whole characters are released, and nothing that may still
/// become a stop string.
package struct ContinuationText {
    private let tokenizer: Tokenizer
    private let stops: [[Unicode.Scalar]]
    private var ids: [Int32] = []
    /// The index of the first token that is decoded again with each new one. The text of tokens before it can't change
    /// any more; the text of the tokens before the index `read` is known.
    private var window = 0
    private var read = 0
    /// The number of characters of the text of the tokens from `read` on that are already known.
    private var known = 0
    /// Text that is held back because it may be the beginning of a stop string.
    private var held: [Unicode.Scalar] = []
    /// Whether a stop string has ended the continuation's text.
    package private(set) var isStopped = false
    /// The part of the continuation's text that has been released to be shown.
    package private(set) var text = ""

    /// The continuation's text up to a stop string, all tokens decoded together. It equals the tokenizer's `decode`
    /// even where later bytes show that what was released was not valid text.
    package var whole: String {
        let decoded = tokenizer.decode(ids, skipSpecialTokens: true)
        guard isStopped else { return decoded }
        let scalars = Array(decoded.unicodeScalars)
        guard let start = stops.compactMap({ Self.place(of: $0, in: scalars) }).min() else { return text }
        var result = String.UnicodeScalarView()
        result.append(contentsOf: scalars[..<start])
        return String(result)
    }

    /// Begins the text of a continuation without tokens.
    ///
    /// - Parameter stops: strings that end the text, none of them empty; special tokens are not part of the text.
    package init(_ tokenizer: Tokenizer, stops: [String] = []) {
        self.tokenizer = tokenizer
        self.stops = stops.map { Array($0.unicodeScalars) }
    }

    /// Takes in the continuation's next token and returns the text that can be shown now and could not before. A stop
    /// string ends the text before it; later tokens are ignored.
    package mutating func append(_ id: Int32) -> String {
        guard !isStopped else { return "" }
        ids.append(id)
        let before = decoded(window..<read).count + known
        var scalars = decoded(window..<ids.count)
        // An incomplete character decodes to U+FFFD at the end, once or once for each of its bytes.
        let isComplete = scalars.last != "\u{FFFD}"
        while scalars.last == "\u{FFFD}" { scalars.removeLast() }
        held += scalars.dropFirst(before)
        if isComplete {
            (window, read, known) = (read, ids.count, 0)
        } else {
            known += max(0, scalars.count - before)
        }
        if let start = stops.compactMap({ Self.place(of: $0, in: held) }).min() {
            isStopped = true
            held.removeSubrange(start...)
            return release(held.count)
        }
        return release(held.count - (stops.map { Self.overlap(held, $0) }.max() ?? 0))
    }

    /// Returns the rest of the continuation's text, which was held back, once no token will follow.
    package mutating func finish() -> String {
        guard !isStopped else { return "" }
        held += decoded(window..<ids.count).dropFirst(decoded(window..<read).count + known)
        (window, read, known) = (ids.count, ids.count, 0)
        return release(held.count)
    }

    private func decoded(_ range: Range<Int>) -> [Unicode.Scalar] {
        Array(tokenizer.decode(Array(ids[range]), skipSpecialTokens: true).unicodeScalars)
    }

    private mutating func release(_ count: Int) -> String {
        var scalars = String.UnicodeScalarView()
        scalars.append(contentsOf: held.prefix(count))
        held.removeFirst(count)
        text.unicodeScalars.append(contentsOf: scalars)
        return String(scalars)
    }

    private static func place(of stop: [Unicode.Scalar], in text: [Unicode.Scalar]) -> Int? {
        guard stop.count <= text.count else { return nil }
        return (0...text.count - stop.count).first { text[$0..<$0 + stop.count].elementsEqual(stop) }
    }

    /// Returns the length of the longest end of the text that is a proper beginning of the stop string.
    private static func overlap(_ text: [Unicode.Scalar], _ stop: [Unicode.Scalar]) -> Int {
        (0...min(text.count, stop.count - 1)).last { text.suffix($0).elementsEqual(stop.prefix($0)) } ?? 0
    }
}
