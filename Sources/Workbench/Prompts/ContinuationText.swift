package import Tokenizers

/// The text of a continuation as its tokens come: whole characters only, and nothing that may yet become a stop string.
package struct ContinuationText {
    private let tokenizer: Tokenizer
    private let stops: [[Unicode.Scalar]]
    private var ids: [Int32] = []
    /// Tokens from here on are decoded again with each new one, so that the ones before can't change; the text of those
    /// up to `read` is known.
    private var window = 0
    private var read = 0
    /// Characters of the window's tokens after `read` that are known already.
    private var known = 0
    /// Text that may be the beginning of a stop string.
    private var held: [Unicode.Scalar] = []
    package private(set) var isStopped = false
    /// What has been let go.
    package private(set) var text = ""

    /// The text of all tokens up to a stop string, decoded together: where bytes turn out to be no text only behind what
    /// has been let go, it is this that `decode` gives.
    package var whole: String {
        let decoded = tokenizer.decode(ids, skipSpecialTokens: true)
        guard isStopped else { return decoded }
        let scalars = Array(decoded.unicodeScalars)
        guard let start = stops.compactMap({ Self.place(of: $0, in: scalars) }).min() else { return text }
        var result = String.UnicodeScalarView()
        result.append(contentsOf: scalars[..<start])
        return String(result)
    }

    /// - Parameter stops: none of them empty; special tokens are not part of the text.
    package init(_ tokenizer: Tokenizer, stops: [String] = []) {
        self.tokenizer = tokenizer
        self.stops = stops.map { Array($0.unicodeScalars) }
    }

    /// What can be shown now that was not before. A stop string ends the text before it; later tokens are passed over.
    package mutating func append(_ id: Int32) -> String {
        guard !isStopped else { return "" }
        ids.append(id)
        let before = decoded(window..<read).count + known
        var scalars = decoded(window..<ids.count)
        // A character that is not complete yet decodes to U+FFFD at the end, one or one for each of its bytes.
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

    /// The rest, once no token will follow.
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

    /// The length of the longest end of the text that a stop string begins with, without being all of it.
    private static func overlap(_ text: [Unicode.Scalar], _ stop: [Unicode.Scalar]) -> Int {
        (0...min(text.count, stop.count - 1)).last { text.suffix($0).elementsEqual(stop.prefix($0)) } ?? 0
    }
}
