/// Keys after rotary embedding and values of all tokens of one growing prompt.
final class KeyValueCache {
    let capacity: Int
    private let heads: Int
    private let d: Int
    private let storage: UnsafeMutableBufferPointer<Float>
    /// Tokens whose keys and values are stored for every layer.
    private(set) var count = 0

    init(layers: Int, heads: Int, d: Int, capacity: Int) {
        self.capacity = capacity
        self.heads = heads
        self.d = d
        storage = .allocate(capacity: 2 * layers * heads * capacity * d)
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

    /// Stores the keys and values of `rows` new tokens of one layer. k, v: [head, rows, d]
    func append(layer: Int, k: UnsafePointer<Float>, v: UnsafePointer<Float>, rows: Int) {
        precondition(count + rows <= capacity, "the cache holds \(capacity) tokens")
        for head in 0..<heads {
            (keys(layer: layer, head: head) + count * d).update(from: k + head * rows * d, count: rows * d)
            (values(layer: layer, head: head) + count * d).update(from: v + head * rows * d, count: rows * d)
        }
    }

    /// Called when every layer has stored the new tokens.
    func advance(by rows: Int) { count += rows }
}
