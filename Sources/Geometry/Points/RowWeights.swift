package import LinearAlgebra
import Statistics

/// How much single rows weigh in a set of rows: how many are far longer than the others, and how much of the set's
/// variance one row holds. Means, principal components and similarities of a set in which few rows weigh that much are
/// numbers about these rows.
package struct RowWeights: Hashable, Sendable {
    /// The number of rows of the set.
    package let count: Int
    /// The number of rows whose norm is more than `outlierRatio` times the median norm.
    package let outliers: Int
    /// The largest norm of a row over the median norm; 0 if the median is 0, of which nothing is a multiple.
    package let largestRatio: Double
    /// The largest share that one row has in the sum of all rows' squared distances from their mean; 0 if all rows are
    /// the same.
    package let largestShare: Double

    /// A row is an outlier if its norm is more than this many times the median norm of the rows beside it.
    ///
    /// In SmolLM2-135M the first token of a text has norm 22,664 at the middle layer, 131 times the median of 173.
    /// Massive activations make such rows, each about 1,000 times the median coordinate (Sun et al. 2024, "Massive
    /// Activations in Large Language Models"). Of four texts in pearl-base, pearl-chat and pearl-tuned, BOS reaches 14
    /// medians and no other row more than 4.3. Norms of Gaussian rows come nowhere near 10: in one dimension, where they
    /// vary most, that is 6.7 standard deviations.
    package static let outlierRatio = 10.0
    /// A set is carried by one of its rows if that row's share of all squared distances from the mean is above this.
    ///
    /// A row with a fifth of them bounds the participation ratio of its set by 25. In SmolLM2-135M that of all rows of
    /// 48 short texts is 1.01, and 11.6 without their first rows.
    package static let shareLimit = 0.2
    /// The fewest rows that are judged: each of a handful holds a large share anyway.
    package static let fewest = 8

    /// Returns the median norm of the rows after the first one, if the first is an outlier beside them; else nil.
    ///
    /// - Parameter norms: the norms of the rows of one text, in its order.
    package static func medianBeside(outlierFirst norms: [Double]) -> Double? {
        guard let first = norms.first, first.isFinite,
            let median = Quantiles(norms.dropFirst().filter(\.isFinite))?[0.5], median > 0,
            first > outlierRatio * median
        else { return nil }
        return median
    }

    /// Whether one row carries the set: holds more than `shareLimit` of the squared distances from the mean.
    package var isCarriedByOne: Bool { largestShare > Self.shareLimit }
}

extension RowWeights {
    /// Weighs the rows of a matrix, [N, D]; two passes over its numbers, in float64.
    ///
    /// - Returns: nil for fewer than `fewest` rows, for rows without coordinates, and for rows with NaN or infinity.
    package init?(_ rows: Matrix) {
        guard
            let found = rows.values.withUnsafeBufferPointer({ Self.weighed($0, count: rows.rows, width: rows.columns) })
        else { return nil }
        self = found
    }

    /// Weighs rows that follow one another in a list, [N, D], in float64.
    ///
    /// - Parameter width: D, the number of coordinates of a row.
    /// - Returns: nil as for a matrix.
    package init?(_ values: [Double], width: Int) {
        let count = width > 0 ? values.count / width : 0
        guard let found = values.withUnsafeBufferPointer({ Self.weighed($0, count: count, width: width) }) else {
            return nil
        }
        self = found
    }

    private static func weighed<Number: BinaryFloatingPoint>(
        _ values: UnsafeBufferPointer<Number>, count: Int, width: Int
    ) -> RowWeights? {
        guard count >= fewest, width > 0 else { return nil }
        var norms = [Double](repeating: 0, count: count)
        var mean = [Double](repeating: 0, count: width)
        mean.withUnsafeMutableBufferPointer { mean in
            for row in 0..<count {
                var sum = 0.0
                for column in 0..<width {
                    let value = Double(values[row * width + column])
                    mean[column] += value
                    sum += value * value
                }
                norms[row] = sum.squareRoot()
            }
            for column in 0..<width { mean[column] /= Double(count) }
        }
        guard norms.allSatisfy(\.isFinite), let median = Quantiles(norms)?[0.5] else { return nil }
        var (total, largest) = (0.0, 0.0)
        mean.withUnsafeBufferPointer { mean in
            for row in 0..<count {
                var sum = 0.0
                for column in 0..<width {
                    let difference = Double(values[row * width + column]) - mean[column]
                    sum += difference * difference
                }
                total += sum
                largest = max(largest, sum)
            }
        }
        return RowWeights(
            count: count, outliers: median > 0 ? norms.count { $0 > outlierRatio * median } : 0,
            largestRatio: median > 0 ? (norms.max() ?? 0) / median : 0, largestShare: total > 0 ? largest / total : 0)
    }
}
