package import LinearAlgebra

/// All distances between the rows of a matrix, and their sums by class: what measures of separation are made of.
package struct LabelledDistances: Sendable {
    /// Euclidean distances, [count, count], in float64.
    package let distances: [Double]
    package let count: Int

    /// - Parameter rows: [n, width], finite.
    package init(_ rows: Matrix) {
        let (n, width) = (rows.rows, rows.columns)
        count = n
        var distances = [Double](repeating: 0, count: n * n)
        rows.values.withUnsafeBufferPointer { values in
            guard let start = values.baseAddress else { return }
            for i in 0..<n {
                for j in 0..<i {
                    let distance = Self.distance(start + i * width, start + j * width, width)
                    distances[i * n + j] = distance
                    distances[j * n + i] = distance
                }
            }
        }
        self.distances = distances
    }

    /// Eight sums at a time, in a fixed order.
    private static func distance(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ width: Int) -> Double {
        var sums = SIMD8<Double>.zero
        var column = 0
        while column + 8 <= width {
            let x = UnsafeRawPointer(a + column).loadUnaligned(as: SIMD8<Float>.self)
            let y = UnsafeRawPointer(b + column).loadUnaligned(as: SIMD8<Float>.self)
            let difference = SIMD8<Double>(x) - SIMD8<Double>(y)
            sums += difference * difference
            column += 8
        }
        var square = sums.sum()
        while column < width {
            let difference = Double(a[column]) - Double(b[column])
            square += difference * difference
            column += 1
        }
        return square.squareRoot()
    }

    /// Sums of distances from each row to the rows of each class.
    package struct Sums: Sendable {
        /// Class of each row, from 0.
        package let labels: [Int]
        /// Rows of each class.
        package let sizes: [Int]
        /// Σ d to the rows of a class. [count, classes]
        package let distances: [Double]
        /// Σ d² to the rows of a class. [count, classes]
        package let squares: [Double]
    }

    /// - Parameter labels: class of each row, 0..<classes.
    package func sums(_ labels: [Int], classes: Int) -> Sums {
        precondition(labels.count == count && labels.allSatisfy { (0..<classes).contains($0) }, "a class for each row")
        var sums = [Double](repeating: 0, count: count * classes)
        var squares = sums
        var sizes = [Int](repeating: 0, count: classes)
        for label in labels { sizes[label] += 1 }
        for i in 0..<count {
            for j in 0..<count {
                let distance = distances[i * count + j]
                sums[i * classes + labels[j]] += distance
                squares[i * classes + labels[j]] += distance * distance
            }
        }
        return Sums(labels: labels, sizes: sizes, distances: sums, squares: squares)
    }

    /// The distances among some of the rows.
    package func subset(_ rows: [Int]) -> LabelledDistances {
        var kept: [Double] = []
        kept.reserveCapacity(rows.count * rows.count)
        for i in rows {
            for j in rows { kept.append(distances[i * count + j]) }
        }
        return LabelledDistances(distances: kept, count: rows.count)
    }

    private init(distances: [Double], count: Int) {
        self.distances = distances
        self.count = count
    }
}
