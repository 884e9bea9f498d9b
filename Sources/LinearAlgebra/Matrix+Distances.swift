extension Matrix {
    /// Squared Euclidean distance of two rows: differences and squares in f32, summed in float64 by 256.
    package func squaredDistance(_ first: Int, _ second: Int) -> Double {
        values.withUnsafeBufferPointer { values in
            guard let start = values.baseAddress, columns > 0 else { return 0 }
            return Self.squaredDistance(start + first * columns, start + second * columns, columns)
        }
    }

    /// The rows nearest to one row, nearest first, itself left out; of equals, the earlier row.
    ///
    /// - Parameter count: at most so many.
    package func nearest(_ count: Int, to row: Int) -> [(row: Int, squaredDistance: Double)] {
        var kept: [(row: Int, squaredDistance: Double)] = []
        guard count > 0, columns > 0 else { return [] }
        values.withUnsafeBufferPointer { values in
            guard let start = values.baseAddress else { return }
            for other in 0..<rows where other != row {
                let distance = Self.squaredDistance(start + row * columns, start + other * columns, columns)
                if kept.count == count {
                    guard distance < kept[count - 1].squaredDistance else { continue }
                    kept.removeLast()
                }
                // The place after all that are not farther.
                var (low, high) = (0, kept.count)
                while low < high {
                    let middle = (low + high) / 2
                    if kept[middle].squaredDistance <= distance { low = middle + 1 } else { high = middle }
                }
                kept.insert((other, distance), at: low)
            }
        }
        return kept
    }

    private static func squaredDistance(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ count: Int) -> Double {
        var total = 0.0
        var index = 0
        while index + 16 <= count {
            let end = min(index + 256, count)
            var sum = VectorMath.Wide(repeating: 0)
            while index + 16 <= end {
                let difference = VectorMath.load(a, index) - VectorMath.load(b, index)
                sum += difference * difference
                index += 16
            }
            total += Double(sum.sum())
        }
        while index < count {
            let difference = Double(a[index]) - Double(b[index])
            total += difference * difference
            index += 1
        }
        return total
    }
}
