/// Tokens and their ids, both ways, by the bytes of the tokens' text.
struct Vocabulary: Sendable {
    /// Ids are below this. It bounds what a small file can make the tables cost.
    static let idLimit = 1 << 22

    /// The number of tokens.
    private(set) var count = 0
    private var text: [UInt8] = []
    /// Where the token of each id is in `text`; empty at -1 where an id has none.
    private var spans: [(start: Int, count: Int32)] = []
    /// Open addressing: the id in each slot, or -1.
    private var slots: [Int32]
    private let seed = ByteHash.seed

    /// One more than the highest id.
    var idCount: Int { spans.count }

    enum Conflict: Error, Equatable {
        case sameToken, sameID
    }

    init(capacity: Int) {
        var size = 16
        while size < capacity * 2 { size *= 2 }
        slots = [Int32](repeating: -1, count: size)
        spans.reserveCapacity(capacity)
    }

    /// Adds a token with an id below `idLimit`.
    mutating func insert(_ token: UnsafeBufferPointer<UInt8>, id: Int32) throws(Conflict) {
        precondition(count * 2 <= slots.count, "more tokens than the table was made for")
        let index = Int(id)
        while spans.count <= index { spans.append((-1, 0)) }
        guard spans[index].start < 0 else { throw .sameID }
        let slot = slot(of: token)
        guard slots[slot] < 0 else { throw .sameToken }
        slots[slot] = id
        spans[index] = (text.count, Int32(token.count))
        text.append(contentsOf: token)
        count += 1
    }

    /// The id of the token with this text.
    func id(of token: UnsafeBufferPointer<UInt8>) -> Int32? {
        let id = slots[slot(of: token)]
        return id < 0 ? nil : id
    }

    func id(of token: some Collection<UInt8>) -> Int32? {
        token.withContiguousStorageIfAvailable { id(of: $0) }
            ?? Array(token).withUnsafeBufferPointer { id(of: $0) }
    }

    /// The text of a token as bytes; nil where no token has this id.
    func token(_ id: Int32) -> ArraySlice<UInt8>? {
        guard id >= 0, id < spans.count, spans[Int(id)].start >= 0 else { return nil }
        let span = spans[Int(id)]
        return text[span.start..<span.start + Int(span.count)]
    }

    /// The slot that holds `token`, or the empty one where it would go.
    private func slot(of token: UnsafeBufferPointer<UInt8>) -> Int {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: ByteHash.hash(token, seed: seed)) & mask
        return text.withUnsafeBufferPointer { text in
            while slots[slot] >= 0 {
                let span = spans[Int(slots[slot])]
                if Int(span.count) == token.count,
                    token.holdsSameBytes(as: UnsafeBufferPointer(rebasing: text[span.start..<span.start + token.count]))
                {
                    break
                }
                slot = (slot + 1) & mask
            }
            return slot
        }
    }
}
