import LinearAlgebra

/// Keys after rotary embedding and values of all tokens of one growing prompt.
final class KeyValueCache {
    private let layers: Int
    private let heads: Int
    private let d: Int
    private let limit: Int
    private var capacity = 0
    private var storage = UnsafeMutableBufferPointer<Float>(start: nil, count: 0)
    /// Tokens whose keys and values are stored for every layer.
    private(set) var count = 0

    /// - Parameter limit: the most tokens it will ever hold; memory is taken as they come.
    init(layers: Int, heads: Int, d: Int, limit: Int) {
        self.layers = layers
        self.heads = heads
        self.d = d
        self.limit = limit
    }

    /// Half of the machine's memory.
    static var memoryLimit: Int { PhysicalMemory.byteCount / 2 }

    /// Bytes that it takes when it holds `limit` tokens; `Int.max` when that is no number.
    var largestBytes: Int {
        let (bytes, overflow) = (8 * layers * heads * d).multipliedReportingOverflow(by: limit)
        return overflow ? .max : bytes
    }

    /// Another cache with the same tokens so far, which goes on by itself.
    func fork() throws -> KeyValueCache {
        let copy = KeyValueCache(layers: layers, heads: heads, d: d, limit: limit)
        try copy.reserve(count)
        for block in 0..<2 * layers * heads where count > 0 {
            (copy.storage.baseAddress! + block * copy.capacity * d).update(
                from: storage.baseAddress! + block * capacity * d, count: count * d)
        }
        copy.count = count
        return copy
    }

    /// Makes room for `rows` more tokens.
    ///
    /// - Throws: `ModelError.tooLarge` when that would take more than half of the machine's memory.
    func reserve(_ rows: Int) throws {
        precondition(count + rows <= limit, "the cache is for \(limit) tokens")
        guard count + rows > capacity else { return }
        let memory = Self.memoryLimit
        var wanted = min(limit, max(count + rows, 2 * capacity, 256))
        // Twice as many may be too many where a few more are not.
        if (8 * layers * heads * d).multipliedReportingOverflow(by: wanted).partialValue > memory {
            wanted = min(limit, count + rows + 256)
        }
        let (bytes, overflow) = (8 * layers * heads * d).multipliedReportingOverflow(by: wanted)
        guard !overflow, bytes <= memory else {
            throw ModelError.tooLarge(
                what: "the keys and values of \(wanted) tokens", bytes: overflow ? .max : bytes, limit: memory)
        }
        let grown = UnsafeMutableBufferPointer<Float>.allocate(capacity: bytes / 4)
        for block in 0..<2 * layers * heads where count > 0 {
            (grown.baseAddress! + block * wanted * d).update(
                from: storage.baseAddress! + block * capacity * d, count: count * d)
        }
        storage.deallocate()
        storage = grown
        capacity = wanted
    }

    deinit { storage.deallocate() }

    /// [capacity, d]
    func keys(layer: Int, head: Int) -> UnsafeMutablePointer<Float> {
        storage.baseAddress! + ((2 * layer) * heads + head) * capacity * d
    }

    /// [capacity, d]
    func values(layer: Int, head: Int) -> UnsafeMutablePointer<Float> {
        storage.baseAddress! + ((2 * layer + 1) * heads + head) * capacity * d
    }

    /// Stores the keys and values of the new tokens `range` of one layer. k, v: [head, rows, d]
    func append(layer: Int, k: UnsafePointer<Float>, v: UnsafePointer<Float>, range: Range<Int>, rows: Int) {
        precondition(count + range.count <= capacity, "reserve comes first")
        for head in 0..<heads {
            let start = (head * rows + range.lowerBound) * d
            (keys(layer: layer, head: head) + count * d).update(from: k + start, count: range.count * d)
            (values(layer: layer, head: head) + count * d).update(from: v + start, count: range.count * d)
        }
    }

    /// Called when every layer has stored the new tokens.
    func advance(by rows: Int) { count += rows }

    /// Forgets all tokens; the memory stays.
    func clear() { count = 0 }
}

/// The caches of prompts that are continued together: sequence s of a pass has the cache s.
struct CacheBatch {
    let caches: [KeyValueCache]
    private let sequences: TokenSequences

    /// - Throws: `ModelError.tooLarge`, as `KeyValueCache.reserve`.
    init(_ caches: [KeyValueCache], _ sequences: TokenSequences) throws {
        precondition(caches.count == sequences.count, "\(caches.count) caches for \(sequences.count) sequences")
        self.caches = caches
        self.sequences = sequences
        for (index, cache) in caches.enumerated() { try cache.reserve(sequences.rows(of: index).count) }
    }

    /// Stores one layer's keys and values of all new tokens. k, v: [head, rows, d]
    func append(layer: Int, k: UnsafePointer<Float>, v: UnsafePointer<Float>) {
        for (index, cache) in caches.enumerated() {
            cache.append(layer: layer, k: k, v: v, range: sequences.rows(of: index), rows: sequences.tokens.count)
        }
    }

    /// Called when every layer has stored the new tokens.
    func advance() {
        for (index, cache) in caches.enumerated() { cache.advance(by: sequences.rows(of: index).count) }
    }
}
