import Comparison
import LinearAlgebra
import Models
import Statistics
package import Workbench

/// Measures sets of prompts without edits, with edits, and with random directions in the edits' place.
package struct EffectRun {
    private let behaviour: BehaviourRun
    private let sets: [BehaviourSet]
    private let entries: [EditStack.Entry]
    private let controls: RandomControls
    private let seed: UInt64

    /// The effect of one list of edits on the model's replies to one set of prompts and on its logits.
    package struct Measured {
        package let rates: BehaviourRun.Rates?
        /// How far the model's predictions with the edits are from those without, on its own replies without them.
        package let divergence: EditDivergence
    }

    /// The measured effects of edits on sets of prompts, with one entry for each set.
    package struct Result {
        /// The rates of behaviour without edits, [set]; nil for a set whose replies can't be judged.
        package var before: [BehaviourRun.Rates?] = []
        /// The measurements of each set of prompts with the edits, [set].
        package var after: [Measured] = []
        /// The measurements of each set with random directions in the edits' place, [draw][set].
        package var random: [[Measured]] = []
    }

    package init(
        _ run: BehaviourRun, _ sets: [BehaviourSet], entries: [EditStack.Entry], controls: RandomControls, seed: UInt64
    ) {
        behaviour = run
        self.sets = sets
        self.entries = entries
        self.controls = controls
        self.seed = seed
    }

    /// Measures all sets of prompts without edits, with them, and with random directions in their place.
    package func run() throws -> Result {
        var result = Result()
        let context = behaviour.context
        let step = context.steps(sets.count * (controls.count + 2))
        defer { context.tell(.scopeEnded) }
        var replies: [OwnReplies] = []
        for set in sets {
            try step {
                result.before.append(try behaviour.rates(set, []))
                replies.append(try behaviour.ownReplies(set, []))
            }
        }
        func measured(_ edits: [any Edit]) throws -> [Measured] {
            try zip(sets, replies).map { set, replies in
                try step {
                    Measured(
                        rates: try behaviour.rates(set, edits),
                        divergence: try behaviour.divergence(replies, from: [], to: edits))
                }
            }
        }
        defer { tellEndings(result) }
        result.after = try measured(entries.flatMap(\.edits))
        guard controls.count > 0 else { return result }
        let pools = try RandomDirections(
            controls.kind, at: entries.compactMap(\.control?.site), sets, behaviour,
            edits: entries.filter { $0.control == nil }.flatMap(\.edits))
        for control in 0..<controls.count {
            var random = SeededRandom(seed: seed, .effectControls, control)
            let edits = try entries.flatMap { entry -> [any Edit] in
                guard let control = entry.control else { return entry.edits }
                return control.edits(try pools.draw(beside: control.directions, at: control.site, &random))
            }
            result.random.append(try measured(edits))
        }
        return result
    }

    /// Returns the share of the runs, the edits' own among them, whose distance from the value before is at least that
    /// of the edits (Davison and Hinkley 1997, eq. 4.11).
    ///
    /// - Parameters:
    ///   - before: the value of a measure without edits.
    ///   - after: its value with the edits.
    ///   - random: its values with random directions in the edits' place.
    /// - Returns: nil if there are no random directions or a value is missing.
    package static func p(_ before: Double?, _ after: Double?, random: [Double]) -> Double? {
        guard let before, let after, !random.isEmpty else { return nil }
        let distance = abs(after - before)
        return Double(1 + random.count { abs($0 - before) >= distance }) / Double(1 + random.count)
    }

    /// Tells where so many replies were cut off or are empty that their rates mean little.
    private func tellEndings(_ result: Result) {
        var runs: [(name: String?, endings: ReplyEndings)] = []
        for (place, set) in sets.enumerated() where result.after.indices.contains(place) {
            let random = result.random.map { ("\(set.name) with random directions", $0[place].rates) }
            let own = [
                ("\(set.name) without edits", result.before[place]),
                ("\(set.name) with the edits", result.after[place].rates),
            ]
            for (name, rates) in own + random {
                if let rates { runs.append((name: name, endings: rates.endings)) }
            }
        }
        behaviour.context.tellEndings(runs)
    }
}
