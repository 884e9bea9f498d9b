/// How far the loss along a path rises above the straight line between the losses at its ends:
/// max over λ of L(λ) - [(1 - t) L(start) + t L(end)], t the share of the way (Frankle et al. 2020, section 2; Entezari et
/// al. 2022, eq. 1).
///
/// The interval comes from simultaneous intervals of the heights at all points between the ends (normal, over clusters,
/// Bonferroni): its ends are the largest of their lower and of their upper ends, so that the choice of the highest point is
/// part of it. Negative heights are no barrier: the ends themselves are 0.
package struct LossBarrier: Sendable, Equatable {
    /// The largest height, at least 0.
    package let value: Double
    /// Where it is; that of an end where no point lies above the line.
    package let place: Double
    /// 95 %; nil for fewer than two clusters.
    package let interval: ClosedRange<Double>?
    /// Above or below the line, point by point between the ends.
    package let heights: [Height]

    /// Differences of losses that the rounding of f32 logits makes, in nats.
    package static let rounding = 1e-7

    package struct Height: Sendable, Equatable {
        package let x: Double
        package let mean: ClusteredMean
    }

    /// - Parameters:
    ///   - points: ascending x; losses [cluster][member], of the same members at every point. The first is the start.
    ///   - end: x of the path's end, one of the points and not the first; points beyond it are passed over.
    /// - Returns: nil if no cluster has a member, and without an end or a point before it.
    package init?(_ points: [(x: Double, losses: [[Double]])], end: Double) {
        guard let first = points.first, let last = points.first(where: { $0.x == end }), end > first.x else {
            return nil
        }
        let between = points.filter { $0.x > first.x && $0.x < end }
        heights = between.compactMap { point in
            let share = (point.x - first.x) / (end - first.x)
            let excess = point.losses.indices.map { cluster in
                point.losses[cluster].indices.map { member in
                    point.losses[cluster][member] - (1 - share) * first.losses[cluster][member]
                        - share * last.losses[cluster][member]
                }
            }
            return ClusteredMean(excess).map { Height(x: point.x, mean: $0) }
        }
        guard heights.allSatisfy(\.mean.mean.isFinite), !between.isEmpty, heights.count == between.count,
            first.losses.contains(where: { !$0.isEmpty })
        else {
            return nil
        }
        let highest = heights.max { $0.mean.mean < $1.mean.mean }
        if let highest, highest.mean.mean > Self.rounding {
            (value, place) = (highest.mean.mean, highest.x)
        } else {
            (value, place) = (0, first.x)
        }
        let stretch = NormalQuantile.simultaneous(heights.count) / Proportion.z95
        let halves = heights.compactMap { height in height.mean.halfWidth.map { (height.mean.mean, $0 * stretch) } }
        guard !halves.isEmpty, halves.count == heights.count else {
            interval = nil
            return
        }
        let low = halves.reduce(0) { max($0, $1.0 - $1.1) }
        interval = low...halves.reduce(low) { max($0, $1.0 + $1.1) }
    }
}
