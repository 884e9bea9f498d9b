package import LinearAlgebra

/// The difference between two tensors of one shape, or between several pairs of them taken as one.
///
/// It is exact over all elements, in float64.
package struct TensorDifference: Sendable {
    let sums: DifferenceSums
    /// The change that rounding to `grain` makes in the finer side, as a Frobenius norm; nil if nothing is rounded.
    package let roundingNorm: Double?
    /// The type in which the coarser side's values fit.
    package let grain: ElementType
    /// The coarser side, with the number of its elements that equal the finer side's, rounded; nil if both are equally
    /// fine.
    package let rounded: (side: Side, count: Int)?

    package enum Side: String, Sendable { case a = "A", b = "B" }

    package var count: Int { sums.count }
    /// The numbers of NaN and infinite elements of A and of B; if there are any, nothing else is known.
    package var nonFinite: (a: Int, b: Int) { (sums.a.nonFinite, sums.b.nonFinite) }
    package var isFinite: Bool { sums.isFinite }
    package var isIdentical: Bool { isFinite && sums.changed == 0 }

    /// The Frobenius norm |A|_F.
    package var normA: Double { sums.a.squares.squareRoot() }
    /// The Frobenius norm |B|_F.
    package var normB: Double { sums.b.squares.squareRoot() }
    /// The Frobenius norm of the change, |B - A|_F.
    package var norm: Double { sums.squares.squareRoot() }
    /// The largest change, max |B - A|.
    package var largestChange: Double { sums.largest }
    /// The share of elements whose value differs.
    package var changedShare: Double { count > 0 ? Double(sums.changed) / Double(count) : 0 }

    /// The relative change |B - A|_F / |A|_F; nil for an A of zeros, or for NaN.
    package var relativeChange: Double? { ratio(norm, normA) }
    /// The relative gap Σ|A - B| / (Σ|A| + Σ|B|): 0 for equal tensors, at most 1.
    package var relativeGap: Double? { ratio(sums.absolute, sums.a.absolute + sums.b.absolute) }

    /// The cosine between the two tensors as vectors, exactly 1 for equal ones. It is taken from the change, 1 - (|B -
    /// A|² - (|A| - |B|)²) / (2|A||B|), so that small changes are not lost.
    package var cosine: Double? {
        guard isFinite, normA > 0, normB > 0 else { return nil }
        let apart = normA - normB
        let cosine = 1 - max(0, sums.squares - apart * apart) / (2 * normA * normB)
        return cosine.isFinite ? cosine : nil
    }

    /// The value of `relativeChange` that rounding alone would give.
    package var roundingFloor: Double? { roundingNorm.flatMap { ratio($0, normA) } }
    /// The change as a multiple of the change that rounding would give.
    package var changeOverRounding: Double? { roundingNorm.flatMap { ratio(norm, $0) } }

    private func ratio(_ part: Double, _ whole: Double) -> Double? {
        guard isFinite, whole > 0, whole.isFinite, part.isFinite else { return isFinite && part == 0 ? 0 : nil }
        return part / whole
    }

    /// The kind of difference that the numbers themselves show.
    package enum State: Sendable, Equatable {
        case notFinite
        case identical
        /// Every element of this side equals the other side's, rounded to a type.
        case rounded(Side, ElementType)
        /// The change is not above the one that rounding to a type gives, within 5 %.
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

    /// Joins several tensors into one, in their order; those with NaN or infinities are left out.
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
