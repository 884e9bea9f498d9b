package import Checkpoints
package import Control
package import LinearAlgebra
internal import Models

/// The elementwise differences of two checkpoints' tensors, each of which is read from where it lies in its file, and
/// read again only if one checkpoint's numbers are coarser.
package struct WeightsComparison: Sendable {
    package struct Row: Sendable {
        package let pair: TensorPairs.Pair
        package let difference: TensorDifference
        /// The coarsest types (such as bf16) in which the values of the tensor in A and in B fit.
        package let grains: (a: ElementType, b: ElementType)
    }

    /// One difference for each pair of tensors, in the order of the given pairs.
    package let rows: [Row]
    /// The difference between the checkpoints with all their paired tensors taken as one; nil if no pair is finite.
    package let total: TensorDifference?
    /// For A and for B, the coarsest type (such as bf16) that holds the values of every tensor exactly; nil for a
    /// checkpoint whose tensors differ in that type.
    package let grains: (a: ElementType?, b: ElementType?)

    /// The least number of elements of a tensor that is taken as evidence of the type (bf16, f16 or f32) in which its
    /// numbers were once stored: a few numbers may fit in a coarser type by chance.
    private static let tellingCount = 4096

    /// Compares the paired tensors of checkpoints `a` and `b`.
    ///
    /// - Throws: `CancellationError`; the errors of reading a tensor.
    package init(
        _ pairs: [TensorPairs.Pair], _ a: Checkpoint, _ b: Checkpoint, pool: ThreadPool, control: RunControl
    ) throws {
        let reader = PairReader(pairs: pairs, a: a, b: b, pool: pool, control: control)
        let sums: [DifferenceSums] = try reader.reduce(DifferenceSums.init, { $0.add($1) }) { _, a, b, range in
            DifferenceSums.measure(a, b, range)
        }
        let typesA = Self.fitting(pairs.map(\.a), sums, \.a)
        let typesB = Self.fitting(pairs.map(\.b), sums, \.b)
        // Tensors are read again only if one side's numbers are coarser than the other's.
        let uneven = pairs.indices.filter {
            typesA[$0] != typesB[$0] && typesA[$0].isFloatingPoint && typesB[$0].isFloatingPoint
                && sums[$0].isFinite
        }
        let again = PairReader(pairs: uneven.map { pairs[$0] }, a: a, b: b, pool: pool, control: control)
        let matches: [Rounding.Match] = try again.reduce(Rounding.Match.init, { $0.add($1) }) { index, a, b, range in
            let tensor = uneven[index]
            return typesA[tensor].digits < typesB[tensor].digits
                ? Rounding.match(b, a, to: typesA[tensor], range) : Rounding.match(a, b, to: typesB[tensor], range)
        }
        let found = Dictionary(uniqueKeysWithValues: zip(uneven, matches))
        rows = pairs.indices.map { index in
            let (typeA, typeB) = (typesA[index], typesB[index])
            let grain = typeA.digits < typeB.digits ? typeA : typeB
            if let match = found[index] {
                return Row(
                    pair: pairs[index],
                    difference: TensorDifference(
                        sums[index], grain: grain, roundingNorm: match.squares.squareRoot(),
                        rounded: (typeA.digits < typeB.digits ? .a : .b, match.equal)), grains: (typeA, typeB))
            }
            let norm =
                grain.isFloatingPoint ? Rounding.expectedChange(binades: sums[index].a.binades, grain) : nil
            return Row(
                pair: pairs[index], difference: TensorDifference(sums[index], grain: grain, roundingNorm: norm),
                grains: (typeA, typeB))
        }
        total = TensorDifference(joining: rows.map(\.difference))
        func only(_ types: [ElementType]) -> ElementType? { Set(types).count == 1 ? types.first : nil }
        grains = (only(typesA), only(typesB))
    }

    /// Returns the coarsest type in which each tensor's values fit, judged over all of the checkpoint's tensors of the
    /// same stored type, because a vector of ones fits in any type.
    private static func fitting(
        _ infos: [TensorInfo], _ sums: [DifferenceSums], _ side: KeyPath<DifferenceSums, SideSums>
    ) -> [ElementType] {
        var joined: [ElementType: (bits: UInt64, largest: Double, count: Int)] = [:]
        for (info, sum) in zip(infos, sums) where sum.isFinite {
            let old = joined[info.type] ?? (0, 0, 0)
            joined[info.type] = (
                old.bits | sum[keyPath: side].bits, max(old.largest, sum[keyPath: side].largest), old.count + sum.count
            )
        }
        return infos.map { info in
            guard let all = joined[info.type], all.count >= tellingCount else { return info.type }
            return Rounding.grain(bits: all.bits, largest: all.largest, stored: info.type)
        }
    }
}
