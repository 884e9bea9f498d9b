/// Halves of a set's rows, drawn without replacement: what a number varies by between them is, for half of the rows, its
/// standard error for all of them (the delete-d jackknife with d = n/2; Shao and Wu 1989, Annals of Statistics 17).
/// Repeated rows, as a bootstrap would draw, spoil neighbours and kernels.
package struct Halves: Sendable {
    /// Rows of each group, such as the positions of one prompt: they stay together.
    private let groups: [[Int]]
    private let count: Int

    /// Fewer groups say nothing of their spread.
    package static let fewest = 8

    /// - Parameter groups: of each row; nil: each row is a group of its own.
    package init(count: Int, groups: [Int]? = nil) {
        precondition(groups.map { $0.count == count } ?? true, "a group for each row")
        self.count = count
        guard let groups else {
            self.groups = (0..<count).map { [$0] }
            return
        }
        var places: [Int: Int] = [:]
        var members: [[Int]] = []
        for (row, group) in groups.enumerated() {
            if let place = places[group] {
                members[place].append(row)
            } else {
                places[group] = members.count
                members.append([row])
            }
        }
        self.groups = members
    }

    package var canBeDrawn: Bool { groups.count >= Self.fewest }

    /// One half and the other, ascending.
    package func draw(_ random: inout SeededRandom) -> (rows: [Int], others: [Int]) {
        let chosen = random.sample(groups.count / 2, of: groups.count)
        let rows = chosen.flatMap { groups[$0] }.sorted()
        let kept = Set(rows)
        return (rows, (0..<count).filter { !kept.contains($0) })
    }

    /// Fewer numbers say too little of their spread.
    package static let fewestNumbers = 5

    /// The standard deviation of a number over halves; nil for fewer than `fewestNumbers`.
    package static func spread(_ values: [Double]) -> Double? {
        guard values.count >= fewestNumbers else { return nil }
        let mean = values.reduce(0, +) / Double(values.count)
        return (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)).squareRoot()
    }
}

extension SeededRandom {
    /// The numbers 0..<count in an order that is equally likely as any other. (Fisher and Yates.)
    package mutating func permutation(_ count: Int) -> [Int] {
        var order = Array(0..<count)
        order.shuffle(using: &self)
        return order
    }
}
