/// Halves of a set's rows, drawn without replacement. The standard deviation of a number over such halves estimates its
/// standard error over all rows (the delete-d jackknife with d = n/2; Shao and Wu 1989, Annals of Statistics 17). A
/// bootstrap would draw repeated rows, which distort neighbours and kernels.
package struct Halves: Sendable {
    /// The row numbers of each group, such as the positions of one prompt, which stay together in a half.
    private let groups: [[Int]]
    private let count: Int

    /// The fewest groups of rows of which halves are drawn; fewer say nothing about their spread.
    package static let fewest = 8

    /// - Parameter groups: for each of the `count` rows the number of its group; nil makes each row a group of its own.
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

    /// Whether there are enough groups of rows (`fewest`) to draw halves.
    package var canBeDrawn: Bool { groups.count >= Self.fewest }

    /// Draws half of the groups of rows, and returns the numbers of their rows and of the other rows, ascending.
    package func draw(_ random: inout SeededRandom) -> (rows: [Int], others: [Int]) {
        let chosen = random.sample(groups.count / 2, of: groups.count)
        let rows = chosen.flatMap { groups[$0] }.sorted()
        let kept = Set(rows)
        return (rows, (0..<count).filter { !kept.contains($0) })
    }

    /// The fewest numbers (one from each half) whose standard deviation is computed; fewer say too little about it.
    package static let fewestNumbers = 5

    /// Returns the standard deviation of a number over random halves, of each of which `values` holds one; nil for
    /// fewer than `fewestNumbers`.
    package static func spread(_ values: [Double]) -> Double? {
        guard values.count >= fewestNumbers else { return nil }
        let mean = values.reduce(0, +) / Double(values.count)
        return (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)).squareRoot()
    }
}

extension SeededRandom {
    /// Returns the numbers 0..<count in an order that is as likely as any other. (Fisher and Yates.)
    package mutating func permutation(_ count: Int) -> [Int] {
        var order = Array(0..<count)
        order.shuffle(using: &self)
        return order
    }
}
