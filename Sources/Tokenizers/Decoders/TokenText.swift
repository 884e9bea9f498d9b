/// The texts of tokens on their way through the decoders: one behind the other, with the end of each.
struct TokenText {
    private(set) var bytes: [UInt8] = []
    private(set) var ends: [Int] = []

    var count: Int { ends.count }

    init(capacity: Int = 0) {
        bytes.reserveCapacity(capacity * 4)
        ends.reserveCapacity(capacity)
    }

    subscript(index: Int) -> ArraySlice<UInt8> {
        bytes[(index > 0 ? ends[index - 1] : 0)..<ends[index]]
    }

    /// Adds a token.
    mutating func append(_ token: some Sequence<UInt8>) {
        bytes.append(contentsOf: token)
        ends.append(bytes.count)
    }

    /// Adds a token that `write` appends the bytes of.
    mutating func append(_ write: (inout [UInt8]) -> Void) {
        write(&bytes)
        ends.append(bytes.count)
    }

    /// Makes one token of all.
    mutating func fuse() {
        ends = [bytes.count]
    }

    /// The tokens, each changed by `write`, which appends what becomes of it.
    func mapped(_ write: (_ index: Int, _ token: ArraySlice<UInt8>, inout [UInt8]) -> Void) -> TokenText {
        var result = TokenText(capacity: count)
        for index in ends.indices {
            result.append { write(index, self[index], &$0) }
        }
        return result
    }
}
