import Comparison
import LinearAlgebra
package import Models
package import Sites
package import Statistics
import TerminalText
package import Workbench

/// The quantity that is varied along a curve of behaviour: how many directions are removed, or how strongly one is
/// added.
package enum DirectionSweep {
    /// At each point of the curve, the first directions of a subspace, as many as the count, are taken out at the
    /// sites.
    case ablation(Subspace, counts: [Int], sites: [Site])
    /// At each point of the curve, the strength times the subspace's first direction is added at the site.
    case steering(Subspace, strengths: [Double], site: Site, positions: EditPositions = .all)

    package var isSteering: Bool { if case .steering = self { true } else { false } }

    /// The x of each point of the curve: the count of removed directions, or the strength of the added one.
    package var points: [Double] {
        switch self {
        case .ablation(_, let counts, _): counts.map(Double.init)
        case .steering(_, let strengths, _, _): strengths
        }
    }

    /// The site (a named place in the model) where the directions were found, or else where they are first edited.
    package var site: Site {
        switch self {
        case .ablation(let subspace, _, let sites): subspace.site ?? sites[0]
        case .steering(_, _, let site, _): site
        }
    }

    /// Returns the directions that are edited at a point of the curve, with which random directions are compared.
    package func directions(_ point: Int) throws -> Subspace {
        switch self {
        case .ablation(let subspace, let counts, _): try subspace.prefix(counts[point])
        case .steering(let subspace, _, _, _): try subspace.prefix(1)
        }
    }

    /// Returns the edits that are made at a point of the curve, by its index.
    ///
    /// - Parameter other: directions that replace the sweep's own; nil keeps these.
    package func edits(_ point: Int, _ other: Subspace? = nil) throws -> [any Edit] {
        switch self {
        case .ablation(let subspace, let counts, let sites):
            return [SubspaceEdit(basis: try other?.basis ?? subspace.prefix(counts[point]).basis, sites: sites)]
        case .steering(let subspace, let strengths, let site, let positions):
            let vector = (other ?? subspace).vectors.row(0).map { Float(strengths[point]) * $0 }
            return [Steering(vector: vector, sites: [site], positions: positions)]
        }
    }
}

/// Measures a model's behaviour while a direction edit is varied, and the same with random directions in its place.
package struct CurveRun {
    package let behaviour: BehaviourRun
    package let sweep: DirectionSweep
    package let set: BehaviourSet
    package let neutral: BehaviourSet?
    package let controls: RandomControls
    package let seed: UInt64

    package init(
        behaviour: BehaviourRun, sweep: DirectionSweep, set: BehaviourSet, neutral: BehaviourSet?,
        controls: RandomControls, seed: UInt64
    ) {
        self.behaviour = behaviour
        self.sweep = sweep
        self.set = set
        self.neutral = neutral
        self.controls = controls
        self.seed = seed
    }

    /// The measurements at one point of the sweep.
    package struct Point {
        /// The number of directions that are taken out, or the strength with which one is added.
        package let x: Double
        package let rates: BehaviourRun.Rates
        /// The effect of the point's edits on the neutral set of prompts; nil if there is no such set.
        package let neutral: EffectRun.Measured?
        /// The rates of behaviour with random directions in the edits' place, one entry for each draw.
        package var random: [BehaviourRun.Rates] = []
    }

    package struct Result {
        /// The rates of behaviour without the edits that the curve varies.
        package let before: BehaviourRun.Rates
        package let neutralBefore: BehaviourRun.Rates?
        package let points: [Point]

        /// Returns the first x (count or strength) at which the 95 % interval of the behaviour's rate reaches that of a
        /// base rate: 0 if it does so without the edits, nil if it never does.
        package func causal(base: Proportion) -> Double? {
            guard let wanted = base.wilsonInterval() else { return nil }
            func reaches(_ rates: BehaviourRun.Rates) -> Bool {
                rates.behaviour?.wilsonInterval().map { $0.lowerBound <= wanted.upperBound } ?? false
            }
            return reaches(before) ? 0 : points.first { reaches($0.rates) }?.x
        }
    }

    /// Measures behaviour at all points of the curve, with the edits and with random directions in their place.
    package func run() throws -> Result {
        let context = behaviour.context
        let step = context.steps(2 + sweep.points.count * (2 + controls.count))
        defer { context.tell(.scopeEnded) }
        let inForce = behaviour.source.checkpoint.edits.active
        func rates(_ set: BehaviourSet, _ edits: [any Edit]) throws -> BehaviourRun.Rates {
            try step { try behaviour.rates(set, inForce + edits) } ?? .unjudged
        }
        let before = try rates(set, [])
        let neutralBefore = try neutral.map { try rates($0, []) }
        let replies = try neutral.map { try behaviour.ownReplies($0, inForce) }
        let random =
            controls.count > 0
            ? try RandomDirections(
                controls.kind, at: [sweep.site], [set] + (neutral.map { [$0] } ?? []), behaviour, edits: inForce)
            : nil
        var points: [Point] = []
        for (index, x) in sweep.points.enumerated() {
            let edits = try sweep.edits(index)
            var point = Point(
                x: x, rates: try rates(set, edits),
                neutral: try neutral.flatMap { neutral in
                    try replies.map { replies in
                        EffectRun.Measured(
                            rates: try rates(neutral, edits),
                            divergence: try behaviour.divergence(
                                replies, from: inForce, to: inForce + edits, hasPrompts: false))
                    }
                })
            for number in 0..<controls.count {
                guard let random else { break }
                var draw = SeededRandom(seed: seed, .curveControls, number)
                let other = try random.draw(beside: try sweep.directions(index), at: sweep.site, &draw)
                point.random.append(try rates(set, try sweep.edits(index, other)))
            }
            points.append(point)
        }
        let result = Result(before: before, neutralBefore: neutralBefore, points: points)
        tellEndings(result)
        return result
    }

    /// Tells where so many replies were cut off or are empty that their rates mean little.
    private func tellEndings(_ result: Result) {
        var runs: [(name: String?, endings: ReplyEndings)] = []
        func add(_ set: BehaviourSet?, _ place: String, _ rates: BehaviourRun.Rates?) {
            if let set, let rates { runs.append((name: "\(set.name) \(place)", endings: rates.endings)) }
        }
        add(set, "without the edits", result.before)
        add(neutral, "without the edits", result.neutralBefore)
        for point in result.points {
            let x = NumberFormat.significant(point.x)
            let place = sweep.isSteering ? "at strength \(x)" : "without \(counted(Int(point.x), "direction"))"
            add(set, place, point.rates)
            add(neutral, place, point.neutral?.rates)
            for rates in point.random { add(set, "\(place), random", rates) }
        }
        behaviour.context.tellEndings(runs)
    }
}
