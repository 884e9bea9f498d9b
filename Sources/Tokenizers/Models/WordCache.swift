/// A token of a word and the bytes of the word that it covers.
struct TokenSpan: Sendable, Equatable {
    var id: Int32
    var start: Int32
    var end: Int32
}

/// Words that were encoded before, with the scratch space of the one being encoded.
struct WordCache: Sendable {
    /// Longer words are rare and are not kept.
    static let longestWord = 64
    private static let capacity = 1 << 15

    private struct Entry {
        let hash: UInt64
        let keyStart: Int32
        let keyCount: Int32
        let spanStart: Int32
        let spanCount: Int32
    }

    private var slots = [Int32](repeating: -1, count: 1 << 16)
    private var entries: [Entry] = []
    private var keys: [UInt8] = []
    private var spans: [TokenSpan] = []
    var merging = MergeQueue()
    private let seed = ByteHash.seed

    /// The tokens of `word`, made by `encode` where they are not known, passed one by one to `emit`.
    @inline(__always)
    mutating func forEachToken(
        of word: UnsafeBufferPointer<UInt8>,
        encode: (UnsafeBufferPointer<UInt8>, inout MergeQueue) -> Void,
        emit: (TokenSpan) -> Void
    ) {
        guard word.count <= Self.longestWord else {
            encode(word, &merging)
            for span in merging.result { emit(span) }
            return
        }
        let hash = ByteHash.hash(word, seed: seed)
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] >= 0 {
            let entry = entries[Int(slots[slot])]
            if entry.hash == hash, Int(entry.keyCount) == word.count, holdsKey(entry, word) {
                for index in Int(entry.spanStart)..<Int(entry.spanStart + entry.spanCount) { emit(spans[index]) }
                return
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        encode(word, &merging)
        for span in merging.result { emit(span) }
        if entries.count == Self.capacity {
            removeAll()
            slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        }
        slots[slot] = Int32(entries.count)
        entries.append(
            Entry(
                hash: hash, keyStart: Int32(keys.count), keyCount: Int32(word.count),
                spanStart: Int32(spans.count), spanCount: Int32(merging.result.count)))
        keys.append(contentsOf: word)
        spans.append(contentsOf: merging.result)
    }

    @inline(__always)
    private func holdsKey(_ entry: Entry, _ word: UnsafeBufferPointer<UInt8>) -> Bool {
        keys.withUnsafeBufferPointer { keys in
            let start = Int(entry.keyStart)
            return word.holdsSameBytes(as: UnsafeBufferPointer(rebasing: keys[start..<start + word.count]))
        }
    }

    private mutating func removeAll() {
        for index in slots.indices { slots[index] = -1 }
        entries.removeAll(keepingCapacity: true)
        keys.removeAll(keepingCapacity: true)
        spans.removeAll(keepingCapacity: true)
    }
}
