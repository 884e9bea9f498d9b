package import LinearAlgebra

/// Inner products of a patch's points about the patch's mean, H X X' H: all that local PCA, the participation ratio and
/// ESS need of a patch, whatever its width. One is kept and filled again for patch after patch.
package struct PatchKernel: Sendable {
    /// Points in the patch.
    package private(set) var size = 0
    /// [size, size], symmetric, float64; the first `size * size` elements are in use.
    package private(set) var values: [Double] = []

    package init() {}

    /// Forms the kernel from the points' coordinates, in float64.
    ///
    /// - Parameters:
    ///   - points: [N, D].
    ///   - members: rows of `points`.
    package init(_ points: Matrix, members: [Int]) {
        fill(points, members: members.map(Int32.init)[...])
    }

    /// Forms the kernel from the points' coordinates, in float64: about size² D / 2 multiplications.
    package mutating func fill(_ points: Matrix, members: ArraySlice<Int32>) {
        resize(members.count)
        let width = points.columns
        var rows = [Double](repeating: 0, count: size * width)
        for (place, member) in members.enumerated() {
            let start = Int(member) * width
            for column in 0..<width { rows[place * width + column] = Double(points.values[start + column]) }
        }
        for column in 0..<width {
            var sum = 0.0
            for place in 0..<size { sum += rows[place * width + column] }
            let mean = sum / Double(size)
            for place in 0..<size { rows[place * width + column] -= mean }
        }
        values = Gram.rows(rows, rows: size, columns: width)
    }

    /// Gathers the kernel from inner products of all points, and centres it.
    ///
    /// - Parameters:
    ///   - gram: [N, N] inner products of the whole set, about a centre common to all.
    ///   - members: rows of the set.
    package mutating func fill(gram: Matrix, members: ArraySlice<Int32>) {
        resize(members.count)
        let n = size
        gram.values.withUnsafeBufferPointer { gram_ in
            members.withUnsafeBufferPointer { members in
                values.withUnsafeMutableBufferPointer { values in
                    let columns = gram.columns
                    for i in 0..<n {
                        let row = Int(members[i]) * columns
                        for j in 0..<n { values[i * n + j] = Double(gram_[row + Int(members[j])]) }
                    }
                }
            }
        }
        centre()
    }

    private mutating func resize(_ count: Int) {
        size = count
        if values.count != count * count { values = [Double](repeating: 0, count: count * count) }
    }

    /// K - row means - column means + mean.
    private mutating func centre() {
        let n = size
        guard n > 0 else { return }
        values.withUnsafeMutableBufferPointer { values in
            var means = [Double](repeating: 0, count: n)
            var total = 0.0
            for i in 0..<n {
                var sum = 0.0
                for j in 0..<n { sum += values[i * n + j] }
                means[i] = sum / Double(n)
                total += means[i]
            }
            total /= Double(n)
            for i in 0..<n {
                let shift = total - means[i]
                for j in 0..<n { values[i * n + j] += shift - means[j] }
            }
        }
    }
}
