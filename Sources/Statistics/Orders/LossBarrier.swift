/// The height by which the loss L along a path rises above the straight line between the losses at its ends: max over x
/// of L(x) - [(1 - t) L(start) + t L(end)], where t is the share of the way at x (Frankle et al. 2020, section 2;
/// Entezari et al. 2022, eq. 1).
///
/// The interval comes from simultaneous intervals of the heights at all points between the ends (normal, over clusters,
/// Bonferroni). Its ends are the largest of their lower and the largest of their upper ends, so that the choice of the
/// highest point is accounted for. Negative heights are no barrier, because the heights at the ends themselves are 0.
package struct LossBarrier: Sendable, Equatable {
    /// The largest height of the loss above the line between the path's ends, in the losses' unit, at least 0.
    package let value: Double
    /// The path's x where the loss is highest above the line between its ends; the start's if no point lies above the
    /// line.
    package let place: Double
    /// The 95 % interval of the barrier's height, not below 0; nil for fewer than two clusters (prompts).
    package let interval: ClosedRange<Double>?
    /// The height of the loss above (or, if negative, below) the line at each point between the path's ends.
    package let heights: [Height]

    /// The largest difference between two losses, in nats, that the rounding of f32 logits makes.
    package static let rounding = 1e-7

    /// The height of the loss above the line between the path's ends, at one point x of the path.
    package struct Height: Sendable, Equatable {
        package let x: Double
        package let mean: ClusteredMean
    }

    /// - Parameters:
    ///   - points: the path's points in ascending order of x, with losses [cluster][member] of the same members at
    ///     every point, such as [prompt][token]. The first point is the start.
    ///   - end: the x of the path's end, which is one of the points and not the first; points beyond it are ignored.
    /// - Returns: nil if no cluster has a member, if a height is not finite, and if there is no such end or no point
    ///   before it and after the start.
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
