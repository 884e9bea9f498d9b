import Geometry
import LinearAlgebra
import Models
import Sites
import Workbench

/// The data on which claims are tested, with the measurements that several claims share, each of which is made once.
package final class ClaimEvidence {
    let context: RunContext
    let pair: CheckpointPair
    let prompts: ClaimPrompts
    let options: ClaimsRun.Options
    private var measuredManifold: Result<ManifoldMeasurement, any Error>?
    private var foundDirections: Result<BasinDirections, any Error>?

    var base: NamedCheckpoint { pair.a }
    var tuned: NamedCheckpoint { pair.b }

    /// The largest number of prompts of a set on which the tuned model's behaviour is measured.
    static let behaviourPrompts = 120
    /// The largest number of prompts of a set on which directions that tuning added are found.
    static let directionPrompts = 400
    /// The largest number of prompts on which M, the essay's manifold of activations, is measured, a few more than the
    /// 2,000 points that are wanted.
    static let manifoldPrompts = 2400
    /// The largest number of prompts in the principal subspace of whose activations R is looked for. R is the set of
    /// directions that tuning added, which the essay calls a basin.
    static let containmentPrompts = 1200
    /// The largest number of prompts on which losses and divergences are measured.
    static let lossPrompts = 100

    init(context: RunContext, pair: CheckpointPair, prompts: ClaimPrompts, options: ClaimsRun.Options) {
        self.context = context
        self.pair = pair
        self.prompts = prompts
        self.options = options
        for premise in prompts.premises { context.tell(.premise(premise)) }
    }

    /// Returns the site (a named place in the model) where M, the manifold of activations, is measured.
    func manifoldSite() throws -> Site {
        try options.site ?? Site(.residPost, layer: tuned.checkpoint.configuration().layers / 2)
    }

    /// Measures the dimension of M, the manifold of the tuned model's activations, over all prompts but the forbidden
    /// ones.
    func manifold() throws -> ManifoldMeasurement {
        try Self.once(&measuredManifold) {
            let site = try manifoldSite()
            let set = try prompts.anything(heldOut: false, atMost: Self.manifoldPrompts, seed: options.seed)
            let matrix = try lastRows(set, [site])[0]
            let points = MeasuredSet(name: site.shortName, width: matrix.columns) { matrix }
            let run = ManifoldRun(context: context, limit: 2000, seed: options.seed, isWithoutRogue: false)
            return try run.measured([points]).measured[0].measurement
        }
    }

    /// Finds R, the directions that tuning added, or returns it if it was found before.
    func directions() throws -> BasinDirections {
        try Self.once(&foundDirections) { try BasinDirections(self) }
    }

    /// Returns the activations of each prompt's last token in the tuned model at each site, [site][prompts, width].
    func lastRows(_ set: PromptSet, _ sites: [Site]) throws -> [Matrix] {
        let ids = try tuned.checkpoint.encode(set, in: context).ids
        let rows = try context.rows(
            tuned, ids, positions: ids.map { [$0.count - 1] }, sites: sites, choices: options.choices)
        return try sites.map { site in
            guard let matrix = rows[site] else { throw WorkbenchError.modelHasNoSite(site) }
            return matrix
        }
    }

    /// Makes a measurement once and keeps its result. A failure is kept too: what can't be measured for one claim can't
    /// be for another.
    private static func once<Value>(
        _ kept: inout Result<Value, any Error>?, _ measure: () throws -> Value
    ) throws -> Value {
        if let kept { return try kept.get() }
        do {
            let value = try measure()
            kept = .success(value)
            return value
        } catch let error as CancellationError {
            throw error
        } catch {
            kept = .failure(error)
            throw error
        }
    }
}
