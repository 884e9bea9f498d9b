/// The merges of a byte-pair model: a pair of token ids to its rank and to the token that it makes.
struct MergeTable: Sendable {
    /// No merge: higher than every entry.
    static let none = UInt64.max

    /// Open addressing; a free slot has the key `.max`, which is no pair's.
    private var slots: [(key: UInt64, entry: UInt64)]
    private let multiplier = ByteHash.seed | 1

    init(capacity: Int) {
        var size = 16
        while size < capacity * 2 { size *= 2 }
        slots = [(key: UInt64, entry: UInt64)](repeating: (.max, Self.none), count: size)
    }

    /// Sets the merge of a pair; where a file has a pair twice, the later one counts.
    mutating func insert(_ left: Int32, _ right: Int32, rank: UInt32, into merged: Int32) {
        let key = Self.key(left, right)
        var slot = home(of: key)
        while slots[slot].key != key, slots[slot].key != .max { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = (key, UInt64(rank) << 32 | UInt64(UInt32(bitPattern: merged)))
    }

    /// The rank of a pair in the high 32 bits, so that entries compare by it, and the merged token in the low.
    @inline(__always)
    func entry(_ left: Int32, _ right: Int32) -> UInt64 {
        let key = Self.key(left, right)
        let mask = slots.count - 1
        var slot = home(of: key)
        while true {
            let found = slots[slot]
            if found.key == key || found.key == .max { return found.entry }
            slot = (slot + 1) & mask
        }
    }

    @inline(__always)
    static func merged(_ entry: UInt64) -> Int32 {
        Int32(truncatingIfNeeded: entry)
    }

    @inline(__always)
    private func home(of key: UInt64) -> Int {
        Int(truncatingIfNeeded: ByteHash.mix(key ^ 0x2545_F491_4F6C_DD1D, multiplier)) & (slots.count - 1)
    }

    @inline(__always)
    private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }
}
