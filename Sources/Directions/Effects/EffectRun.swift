package import Comparison
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
        /// The comparison of the logits of the model without edits with those under the edits.
        package let divergence: LogitsComparison
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
        result.before = try sets.map { set in try step { try behaviour.rates(set, []) } }
        func measured(_ edits: [any Edit]) throws -> [Measured] {
            try sets.map { set in
                try step {
                    Measured(
                        rates: try behaviour.rates(set, edits),
                        divergence: try behaviour.divergence(set, from: [], to: edits))
                }
            }
        }
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
}
