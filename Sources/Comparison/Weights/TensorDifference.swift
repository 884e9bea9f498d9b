package import LinearAlgebra

/// The difference between two tensors of one shape, or between several pairs of them taken as one.
///
/// The sums behind it run over all elements, not a sample, in float64.
package struct TensorDifference: Sendable {
    let sums: DifferenceSums
    /// The Frobenius norm of the change that rounding to the type `grain` makes in the finer tensor; nil if nothing is
    /// rounded.
    package let roundingNorm: Double?
    /// The coarsest type (such as bf16) in which the values of the coarser of the two tensors fit.
    package let grain: ElementType
    /// The tensor with the coarser values, A or B, and the number of its elements that equal the other tensor's,
    /// rounded; nil if both are equally fine.
    package let rounded: (side: Side, count: Int)?

    package enum Side: String, Sendable { case a = "A", b = "B" }

    package var count: Int { sums.count }
    /// The numbers of NaN and infinite elements of the tensors A and B; if there are any, nothing else is known.
    package var nonFinite: (a: Int, b: Int) { (sums.a.nonFinite, sums.b.nonFinite) }
    package var isFinite: Bool { sums.isFinite }
    package var isIdentical: Bool { isFinite && sums.changed == 0 }

    /// The Frobenius norm |A|_F of the first of the two tensors, A.
    package var normA: Double { sums.a.squares.squareRoot() }
    /// The Frobenius norm |B|_F of the second of the two tensors, B.
    package var normB: Double { sums.b.squares.squareRoot() }
    /// The Frobenius norm of the change from tensor A to tensor B, |B - A|_F.
    package var norm: Double { sums.squares.squareRoot() }
    /// The largest change of an element from tensor A to tensor B, max |B - A|.
    package var largestChange: Double { sums.largest }
    /// The share of elements whose value differs between the two tensors, from 0 to 1.
    package var changedShare: Double { count > 0 ? Double(sums.changed) / Double(count) : 0 }

    /// The relative change |B - A|_F / |A|_F from tensor A to tensor B; nil if A is zeros but B is not, or for NaN.
    package var relativeChange: Double? { ratio(norm, normA) }
    /// The relative gap Σ|A - B| / (Σ|A| + Σ|B|) over the elements of the tensors A and B: 0 for equal ones, at most 1.
    package var relativeGap: Double? { ratio(sums.absolute, sums.a.absolute + sums.b.absolute) }

    /// The cosine between the two tensors as vectors, exactly 1 for equal ones. It is taken from the change, 1 - (|B -
    /// A|² - (|A| - |B|)²) / (2|A||B|), so that small changes are not lost.
    package var cosine: Double? {
        guard isFinite, normA > 0, normB > 0 else { return nil }
        let apart = normA - normB
        let cosine = 1 - max(0, sums.squares - apart * apart) / (2 * normA * normB)
        return cosine.isFinite ? cosine : nil
    }

    /// The relative change |B - A|_F / |A|_F that rounding to the coarser tensor's type alone would give.
    package var roundingFloor: Double? { roundingNorm.flatMap { ratio($0, normA) } }
    /// The norm of the change from tensor A to tensor B, as a multiple of the one that rounding alone would give.
    package var changeOverRounding: Double? { roundingNorm.flatMap { ratio(norm, $0) } }

    private func ratio(_ part: Double, _ whole: Double) -> Double? {
        guard isFinite, whole > 0, whole.isFinite, part.isFinite else { return isFinite && part == 0 ? 0 : nil }
        return part / whole
    }

    /// The kind of difference between two tensors that their numbers themselves show.
    package enum State: Sendable, Equatable {
        case notFinite
        case identical
        /// Every element of the given tensor (A or B) equals the other tensor's element, rounded to the given type.
        case rounded(Side, ElementType)
        /// The norm of the change is at most 1.05 times the one that rounding to the given type makes.
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

    /// Joins the differences of several pairs of tensors as if each side were one tensor; pairs with NaN or infinities
    /// are left out.
    ///
    /// - Returns: nil if no pair is left.
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
