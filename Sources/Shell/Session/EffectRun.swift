import Comparison
import Directions
import LinearAlgebra
import Models

/// Sets of prompts without edits, with edits, and with random directions in the edits' place.
struct EffectRun {
    private let behaviour: BehaviourRun
    private let sets: [BehaviourSet]
    private let entries: [EditStack.Entry]
    private let controls: Int
    private let seed: UInt64

    /// What one list of edits does to one set.
    struct Measured {
        let rates: BehaviourRun.Rates?
        /// Before against this; nil for before itself.
        let divergence: LogitsComparison
    }

    /// By set.
    struct Result {
        var before: [BehaviourRun.Rates?] = []
        var after: [Measured] = []
        /// [control][set]
        var random: [[Measured]] = []
    }

    init(
        _ run: BehaviourRun, _ sets: [BehaviourSet], entries: [EditStack.Entry], controls: Int, seed: UInt64
    ) {
        behaviour = run
        self.sets = sets
        self.entries = entries
        self.controls = controls
        self.seed = seed
    }

    func run() throws -> Result {
        var result = Result()
        let progress = behaviour.session.progress
        let total = sets.count * (controls + 2)
        var done = 0
        defer { progress.clear() }
        func step<Value>(_ body: () throws -> Value) throws -> Value {
            progress.setScope(done: done * 1000, total: total * 1000)
            done += 1
            return try body()
        }
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
        guard controls > 0 else { return result }
        let pools = try RandomDirections(
            entries.compactMap(\.control), sets, behaviour,
            edits: entries.filter { $0.control == nil }.flatMap(\.edits))
        for control in 0..<controls {
            var random = SeededRandom(seed: seed, stream: 0x6566, control)
            let edits = try entries.flatMap { entry -> [any Edit] in
                guard let control = entry.control else { return entry.edits }
                return control.edits(try pools.draw(control, &random))
            }
            result.random.append(try measured(edits))
        }
        return result
    }
}

/// Random directions for each site at which edits' own directions were found.
struct RandomDirections {
    private var sources: [Site: CovarianceMatched] = [:]

    /// - Throws: `CommandError` where the activations have no variance.
    init(
        _ controls: [EditStack.Control], _ sets: [BehaviourSet], _ run: BehaviourRun, edits: [any Edit]
    ) throws {
        for site in Set(controls.map(\.site)).sorted() {
            let rows = try run.rows(at: site, of: sets, edits: edits)
            do {
                sources[site] = try CovarianceMatched(rows)
            } catch is DirectionsError {
                throw CommandError(
                    "all activations at \(site.shortName) are the same over these prompts",
                    remedy: "give more prompts, or leave out --against")
            }
        }
    }

    func draw(_ control: EditStack.Control, _ random: inout SeededRandom) throws -> Subspace {
        guard let source = sources[control.site] else { preconditionFailure("no rows of \(control.site.shortName)") }
        do {
            return try source.subspace(control.lengths.count, lengths: control.lengths, random: &random)
        } catch is DirectionsError {
            throw CommandError(
                "the activations at \(control.site.shortName) span fewer than"
                    + " \(counted(control.lengths.count, "direction")) over these prompts",
                remedy: "give more prompts, or leave out --against")
        }
    }
}
