/// Tests how well a sequence of values follows its order, compared with the same values in random order.
///
/// There are two measures: Spearman's rank correlation with the order (Spearman 1904), and the share of the variance
/// that the best monotone sequence, rising or falling, explains (isotonic regression by pooling adjacent violators,
/// Barlow et al. 1972). p is the share of orders that are at least as far from 0, or at least as well explained: of all
/// orders for up to 7 values, else of 9,999 drawn orders and the one that was seen.
package struct OrderTest: Sendable, Equatable {
    /// Spearman's rank correlation of the values with their order in the sequence, -1 to 1.
    package let spearman: Double
    /// The two-sided p value of Spearman's correlation: the share of orders with one at least as far from 0.
    package let spearmanP: Double
    /// The share of the values' variance that the best monotone sequence explains; 1 if the values are monotone.
    package let isotonic: Double
    /// The p value of the share of variance that a monotone sequence explains: the share of orders with one as large.
    package let isotonicP: Double
    /// The number of orders of the values with which the seen order was compared, itself included.
    package let orders: Int

    /// - Returns: nil for fewer than three values, for a value that is not finite, and if all values are the same.
    package init?(_ values: [Double], seed: UInt64) {
        guard values.count >= 3, values.allSatisfy(\.isFinite), Set(values).count > 1 else { return nil }
        let ranks = Self.ranks(values)
        let seen = (spearman: Self.spearman(ranks), isotonic: Self.explained(values))
        (spearman, isotonic) = seen
        var (further, better, count) = (0, 0, 0)
        func look(_ order: [Int]) {
            count += 1
            // Orders that differ from the seen one only by rounding count as equally far.
            if abs(Self.spearman(order.map { ranks[$0] })) >= abs(seen.spearman) - 1e-12 { further += 1 }
            if Self.explained(order.map { values[$0] }) >= seen.isotonic - 1e-12 { better += 1 }
        }
        if values.count <= 7 {
            Self.forEachOrder(values.count, look)
        } else {
            var random = SeededRandom(seed: seed, .orders)
            look(Array(values.indices))
            for _ in 0..<9_999 { look(values.indices.shuffled(using: &random)) }
        }
        spearmanP = Double(further) / Double(count)
        isotonicP = Double(better) / Double(count)
        orders = count
    }

    /// Returns the rank of each value, from 1; equal values share the mean of their places.
    static func ranks(_ values: [Double]) -> [Double] {
        let order = values.indices.sorted { (values[$0], $0) < (values[$1], $1) }
        var ranks = [Double](repeating: 0, count: values.count)
        var first = 0
        while first < order.count {
            var last = first
            while last + 1 < order.count, values[order[last + 1]] == values[order[first]] { last += 1 }
            for place in first...last { ranks[order[place]] = Double(first + last) / 2 + 1 }
            first = last + 1
        }
        return ranks
    }

    private static func spearman(_ ranks: [Double]) -> Double {
        let middle = Double(ranks.count + 1) / 2
        var (product, squares, places) = (0.0, 0.0, 0.0)
        for (index, rank) in ranks.enumerated() {
            let place = Double(index + 1) - middle
            product += place * (rank - middle)
            squares += (rank - middle) * (rank - middle)
            places += place * place
        }
        return product / (squares * places).squareRoot()
    }

    /// Returns the share of the values' variance that the better of two isotonic fits (rising and falling) explains.
    private static func explained(_ values: [Double]) -> Double {
        let mean = values.reduce(0, +) / Double(values.count)
        let total = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        // The squares of the smallest numbers vanish.
        guard total > 0 else { return 0 }
        func rest(_ values: [Double]) -> Double {
            zip(values, isotonic(values)).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        }
        return 1 - min(rest(values), rest(values.map { -$0 })) / total
    }

    /// Returns the non-decreasing sequence that is nearest to the values by least squares (pooling adjacent violators).
    package static func isotonic(_ values: [Double]) -> [Double] {
        var blocks: [(sum: Double, count: Int)] = []
        for value in values {
            blocks.append((value, 1))
            while blocks.count > 1 {
                let (last, before) = (blocks[blocks.count - 1], blocks[blocks.count - 2])
                guard before.sum / Double(before.count) > last.sum / Double(last.count) else { break }
                blocks.removeLast()
                blocks[blocks.count - 1] = (before.sum + last.sum, before.count + last.count)
            }
        }
        return blocks.flatMap { Array(repeating: $0.sum / Double($0.count), count: $0.count) }
    }

    /// Calls `body` with all orders of 0..<count, by Heap's algorithm.
    private static func forEachOrder(_ count: Int, _ body: ([Int]) -> Void) {
        var order = Array(0..<count)
        var state = [Int](repeating: 0, count: count)
        body(order)
        var place = 0
        while place < count {
            if state[place] < place {
                order.swapAt(place % 2 == 0 ? 0 : state[place], place)
                body(order)
                state[place] += 1
                place = 0
            } else {
                state[place] = 0
                place += 1
            }
        }
    }
}
