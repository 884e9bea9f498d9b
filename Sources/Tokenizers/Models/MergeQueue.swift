/// The symbols of one word and the merging of them: always the pair of lowest rank, of equal ones the
/// leftmost (Sennrich et al. 2016, https://aclanthology.org/P16-1162).
struct MergeQueue: Sendable {
    /// Up to this many symbols a scan for the best pair is quicker than a heap.
    private static let longestScan = 48

    /// The symbols before, the tokens after `merge`.
    private(set) var result: [TokenSpan] = []
    /// The merge of each symbol with the one after it.
    private var pairs: [UInt64] = []
    private var previous: [Int32] = []
    private var next: [Int32] = []
    private var heap = MinimumHeap()

    mutating func reset() {
        result.removeAll(keepingCapacity: true)
    }

    mutating func append(_ symbol: TokenSpan) {
        result.append(symbol)
    }

    mutating func merge(by table: MergeTable) {
        guard result.count > 1 else { return }
        if result.count <= Self.longestScan {
            mergeByScan(table)
        } else {
            mergeByHeap(table)
        }
    }

    private mutating func mergeByScan(_ table: MergeTable) {
        pairs.removeAll(keepingCapacity: true)
        for index in 1..<result.count {
            pairs.append(table.entry(result[index - 1].id, result[index].id))
        }
        while true {
            var best = MergeTable.none
            var index = 0
            for (position, pair) in pairs.enumerated() where pair < best {
                best = pair
                index = position
            }
            guard best != MergeTable.none else { return }
            result[index].id = MergeTable.merged(best)
            result[index].end = result[index + 1].end
            result.remove(at: index + 1)
            pairs.remove(at: index)
            if index > 0 { pairs[index - 1] = table.entry(result[index - 1].id, result[index].id) }
            if index < pairs.count { pairs[index] = table.entry(result[index].id, result[index + 1].id) }
        }
    }

    private mutating func mergeByHeap(_ table: MergeTable) {
        let count = result.count
        previous.removeAll(keepingCapacity: true)
        next.removeAll(keepingCapacity: true)
        pairs.removeAll(keepingCapacity: true)
        heap.removeAll()
        for index in 0..<count {
            previous.append(Int32(index) - 1)
            next.append(index + 1 < count ? Int32(index) + 1 : -1)
            pairs.append(MergeTable.none)
        }
        for index in 0..<count - 1 { setPair(index, index + 1, table) }
        while let (entry, position) = heap.popMinimum() {
            let left = Int(position)
            // An entry is stale when its symbols have changed since.
            guard pairs[left] == entry else { continue }
            let right = Int(next[left])
            result[left].id = MergeTable.merged(entry)
            result[left].end = result[right].end
            result[right].id = -1
            pairs[right] = MergeTable.none
            pairs[left] = MergeTable.none
            next[left] = next[right]
            if next[left] >= 0 {
                previous[Int(next[left])] = position
                setPair(left, Int(next[left]), table)
            }
            if previous[left] >= 0 { setPair(Int(previous[left]), left, table) }
        }
        result.removeAll { $0.id < 0 }
    }

    private mutating func setPair(_ left: Int, _ right: Int, _ table: MergeTable) {
        let entry = table.entry(result[left].id, result[right].id)
        pairs[left] = entry
        if entry != MergeTable.none { heap.insert(entry, Int32(left)) }
    }
}

/// A binary heap of merges, lowest rank first and then leftmost.
private struct MinimumHeap: Sendable {
    private var items: [(entry: UInt64, position: Int32)] = []

    mutating func removeAll() {
        items.removeAll(keepingCapacity: true)
    }

    mutating func insert(_ entry: UInt64, _ position: Int32) {
        items.append((entry, position))
        var child = items.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard items[child] < items[parent] else { return }
            items.swapAt(child, parent)
            child = parent
        }
    }

    mutating func popMinimum() -> (entry: UInt64, position: Int32)? {
        guard let first = items.first else { return nil }
        let last = items.removeLast()
        guard !items.isEmpty else { return first }
        items[0] = last
        var parent = 0
        while true {
            var child = parent * 2 + 1
            guard child < items.count else { return first }
            if child + 1 < items.count, items[child + 1] < items[child] { child += 1 }
            guard items[child] < items[parent] else { return first }
            items.swapAt(child, parent)
            parent = child
        }
    }
}
