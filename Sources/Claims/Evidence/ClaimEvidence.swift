import Geometry
import LinearAlgebra
import Models
import Sites
import Workbench

/// What claims are held against, and what several of them measure together: that is measured once.
package final class ClaimEvidence {
    let context: RunContext
    let pair: CheckpointPair
    let prompts: ClaimPrompts
    let options: ClaimsRun.Options
    private var measuredManifold: Result<ManifoldMeasurement, any Error>?
    private var foundDirections: Result<BasinDirections, any Error>?

    var base: NamedCheckpoint { pair.a }
    var tuned: NamedCheckpoint { pair.b }

    /// Prompts at most that behaviour is measured on.
    static let behaviourPrompts = 120
    /// Prompts at most that directions are found on.
    static let directionPrompts = 400
    /// Prompts that M is measured on, a few more than the 2,000 points that are wanted.
    static let manifoldPrompts = 2400
    /// Prompts that R is looked for in.
    static let containmentPrompts = 1200
    /// Prompts that losses and divergences are measured on.
    static let lossPrompts = 100

    init(context: RunContext, pair: CheckpointPair, prompts: ClaimPrompts, options: ClaimsRun.Options) {
        self.context = context
        self.pair = pair
        self.prompts = prompts
        self.options = options
    }

    /// Where M is measured.
    func manifoldSite() throws -> Site {
        try options.site ?? Site(.residPost, layer: tuned.checkpoint.configuration().layers / 2)
    }

    /// The dimension of M, of all prompts but the forbidden.
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

    /// R.
    func directions() throws -> BasinDirections {
        try Self.once(&foundDirections) { try BasinDirections(self) }
    }

    /// One row a prompt, of its last token in the tuned model, at each site. [site][prompts, width]
    func lastRows(_ set: PromptSet, _ sites: [Site]) throws -> [Matrix] {
        let ids = try tuned.checkpoint.encode(set, control: context.control).ids
        let rows = try context.rows(
            tuned, ids, positions: ids.map { [$0.count - 1] }, sites: sites, choices: options.choices)
        return try sites.map { site in
            guard let matrix = rows[site] else { throw WorkbenchError.modelHasNoSite(site) }
            return matrix
        }
    }

    /// A failure is kept too: what can't be measured for one claim can't be for another.
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
