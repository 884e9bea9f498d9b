/// The nearest candidates of each of some points, while distances to others come in any order.
///
/// A candidate is one word: the bits of its squared distance (an f32 that is not negative, so that its bits sort as it
/// does), then its row. The order is total, so what is kept does not depend on the order of arrival.
struct NearestCandidates: ~Copyable {
    /// Candidates that are kept of each point.
    let kept: Int
    private let capacity: Int
    private let words: UnsafeMutablePointer<UInt64>
    private let counts: UnsafeMutablePointer<Int32>
    /// [points]: a squared distance above it is of no interest.
    let limits: UnsafeMutablePointer<Float>

    /// - Parameters:
    ///   - points: whose candidates are kept.
    ///   - kept: how many of each, the nearest; at least 1.
    init(points: Int, kept: Int) {
        self.kept = kept
        capacity = 2 * kept + 16
        words = .allocate(capacity: points * capacity)
        counts = .allocate(capacity: points)
        counts.initialize(repeating: 0, count: points)
        limits = .allocate(capacity: points)
        limits.initialize(repeating: .infinity, count: points)
    }

    deinit {
        words.deallocate()
        counts.deallocate()
        limits.deallocate()
    }

    static func word(_ squared: Float, row: Int) -> UInt64 {
        UInt64(squared.bitPattern) << 32 | UInt64(UInt32(truncatingIfNeeded: row))
    }

    /// Takes a candidate whose squared distance is not above the point's limit.
    func insert(_ point: Int, squared: Float, row: Int) {
        let list = words + point * capacity
        list[Int(counts[point])] = Self.word(squared, row: row)
        counts[point] += 1
        if Int(counts[point]) == capacity { prune(point) }
    }

    private func prune(_ point: Int) {
        let list = words + point * capacity
        Self.partition(list, count: capacity, smallest: kept)
        counts[point] = Int32(kept)
        var largest: UInt64 = 0
        for place in 0..<kept { largest = max(largest, list[place]) }
        limits[point] = Float(bitPattern: UInt32(largest >> 32))
    }

    /// A point's nearest candidates, nearest first; its limit becomes the last one's squared distance.
    func nearest(_ point: Int) -> [UInt64] {
        let list = UnsafeMutableBufferPointer(start: words + point * capacity, count: Int(counts[point]))
        let nearest = Array(list.sorted().prefix(kept))
        if let last = nearest.last { limits[point] = Float(bitPattern: UInt32(last >> 32)) }
        return nearest
    }

    /// Moves the `smallest` least words to the front (Hoare 1961).
    private static func partition(_ list: UnsafeMutablePointer<UInt64>, count: Int, smallest: Int) {
        var (low, high) = (0, count - 1)
        while low < high {
            // The middle of three, so that sorted lists are no worst case.
            let (a, b, c) = (list[low], list[(low + high) / 2], list[high])
            let pivot = max(min(a, b), min(max(a, b), c))
            var (left, right) = (low, high)
            while left <= right {
                while list[left] < pivot { left += 1 }
                while list[right] > pivot { right -= 1 }
                if left <= right {
                    (list[left], list[right]) = (list[right], list[left])
                    left += 1
                    right -= 1
                }
            }
            if smallest <= right + 1 {
                if smallest == right + 1 { return }
                high = right
            } else if smallest >= left {
                if smallest == left { return }
                low = left
            } else {
                return
            }
        }
    }
}
