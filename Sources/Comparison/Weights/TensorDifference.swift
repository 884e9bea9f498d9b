package import LinearAlgebra

/// How far apart two tensors of one shape are, or several of them taken as one.
///
/// Exact over all elements, in float64.
package struct TensorDifference: Sendable {
    let sums: DifferenceSums
    /// What rounding to `grain` changes of the finer side, as a Frobenius norm; nil where nothing is rounded.
    package let roundingNorm: Double?
    /// The type that the coarser side's values fit in.
    package let grain: ElementType
    /// Of the coarser side, elements that are the finer side's, rounded; nil where both are as fine.
    package let rounded: (side: Side, count: Int)?

    package enum Side: String, Sendable { case a = "A", b = "B" }

    package var count: Int { sums.count }
    /// NaN and infinite elements of A and of B; where there are any, nothing else is known.
    package var nonFinite: (a: Int, b: Int) { (sums.a.nonFinite, sums.b.nonFinite) }
    package var isFinite: Bool { sums.isFinite }
    package var isIdentical: Bool { isFinite && sums.changed == 0 }

    /// |A|_F, |B|_F and |B - A|_F.
    package var normA: Double { sums.a.squares.squareRoot() }
    package var normB: Double { sums.b.squares.squareRoot() }
    package var norm: Double { sums.squares.squareRoot() }
    /// max |B - A|.
    package var largestChange: Double { sums.largest }
    /// Share of elements whose value is another.
    package var changedShare: Double { count > 0 ? Double(sums.changed) / Double(count) : 0 }

    /// |B - A|_F / |A|_F; nil for an A of zeros, or for NaN.
    package var relativeChange: Double? { ratio(norm, normA) }
    /// Σ|A - B| / (Σ|A| + Σ|B|): 0 for the same, 1 at most.
    package var relativeGap: Double? { ratio(sums.absolute, sums.a.absolute + sums.b.absolute) }

    /// Of the two as vectors: exactly 1 for the same. Taken from the change, 1 - (|B - A|² - (|A| - |B|)²) / (2|A||B|), in
    /// which small changes are not lost.
    package var cosine: Double? {
        guard isFinite, normA > 0, normB > 0 else { return nil }
        let apart = normA - normB
        let cosine = 1 - max(0, sums.squares - apart * apart) / (2 * normA * normB)
        return cosine.isFinite ? cosine : nil
    }

    /// What rounding alone would give for `relativeChange`.
    package var roundingFloor: Double? { roundingNorm.flatMap { ratio($0, normA) } }
    /// The change in units of what rounding would give.
    package var changeOverRounding: Double? { roundingNorm.flatMap { ratio(norm, $0) } }

    private func ratio(_ part: Double, _ whole: Double) -> Double? {
        guard isFinite, whole > 0, whole.isFinite, part.isFinite else { return isFinite && part == 0 ? 0 : nil }
        return part / whole
    }

    /// What the numbers say by themselves.
    package enum State: Sendable, Equatable {
        case notFinite
        case identical
        /// Every element of this side is the other's, rounded to a type.
        case rounded(Side, ElementType)
        /// Not above what rounding to a type gives.
        case withinRounding(ElementType)
        case changed
    }

    package var state: State {
        if !isFinite { return .notFinite }
        if isIdentical { return .identical }
        if let rounded, rounded.count == count { return .rounded(rounded.side, grain) }
        if let ratio = changeOverRounding, ratio <= 1.05 { return .withinRounding(grain) }
        return .changed
    }

    init(
        _ sums: DifferenceSums, grain: ElementType, roundingNorm: Double?, rounded: (side: Side, count: Int)? = nil
    ) {
        self.sums = sums
        self.grain = grain
        self.roundingNorm = roundingNorm
        self.rounded = rounded
    }

    /// Several tensors as one, in their order; those with NaN or infinities are left out.
    ///
    /// - Returns: nil if none is left.
    package init?(joining parts: [TensorDifference]) {
        let parts = parts.filter(\.isFinite)
        guard let first = parts.first else { return nil }
        var sums = DifferenceSums()
        var squares = 0.0
        var equal = 0
        for part in parts {
            sums.add(part.sums)
            squares += (part.roundingNorm ?? 0) * (part.roundingNorm ?? 0)
            equal += part.rounded?.count ?? 0
        }
        let side = first.rounded?.side
        let isOneKind = parts.allSatisfy { $0.rounded?.side == side && $0.grain == first.grain }
        self.init(
            sums, grain: parts.map(\.grain).min { $0.digits < $1.digits } ?? first.grain,
            roundingNorm: parts.contains { $0.roundingNorm != nil } ? squares.squareRoot() : nil,
            rounded: isOneKind ? side.map { ($0, equal) } : nil)
    }
}
