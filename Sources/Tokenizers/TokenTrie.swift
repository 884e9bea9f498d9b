/// Byte strings, of which the longest that starts at some place of a text is found.
struct TokenTrie: Sendable {
    /// The node after a node and a byte.
    private var edges: [UInt64: Int32] = [:]
    /// The value of the string that ends at each node, -1 for none.
    private var values: [Int] = [-1]
    private var firstBytes = [Bool](repeating: false, count: 256)

    private(set) var isEmpty = true

    /// False where the string is there already.
    mutating func insert(_ string: [UInt8], _ value: Int) -> Bool {
        guard let first = string.first else { return false }
        firstBytes[Int(first)] = true
        isEmpty = false
        var node: Int32 = 0
        for byte in string {
            let key = Self.key(node, byte)
            if let next = edges[key] {
                node = next
            } else {
                node = Int32(truncatingIfNeeded: values.count)
                values.append(-1)
                edges[key] = node
            }
        }
        guard values[Int(node)] < 0 else { return false }
        values[Int(node)] = value
        return true
    }

    func longestMatch(
        in bytes: UnsafeBufferPointer<UInt8>, from start: Int, to end: Int
    ) -> (end: Int, value: Int)? {
        guard firstBytes[Int(bytes[start])] else { return nil }
        var best: (end: Int, value: Int)?
        var node: Int32 = 0
        var position = start
        while position < end, let next = edges[Self.key(node, bytes[position])] {
            node = next
            position += 1
            if values[Int(node)] >= 0 { best = (position, values[Int(node)]) }
        }
        return best
    }

    private static func key(_ node: Int32, _ byte: UInt8) -> UInt64 {
        UInt64(UInt32(bitPattern: node)) << 8 | UInt64(byte)
    }
}
