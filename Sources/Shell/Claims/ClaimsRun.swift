import Comparison
import Language
import LinearAlgebra
import Models
import Sites
import Workbench

/// Holds claims about a checkpoint against what it does, and against what it was tuned from.
struct ClaimsRun {
    struct Options {
        /// Of M, and of R, as they are claimed.
        var dimensions = 300.0...500.0
        var basin = 2.0...10.0
        /// Where M is measured; nil: after the middle layer.
        var site: Site?
        var choices = RunChoices()
        var seed: UInt64 = 0
        /// Checkpoints of one series, in the order of training.
        var series: [SeriesMember] = []
        /// Checkpoints that were tuned with one penalty each.
        var penalties: [PenaltyMember] = []
        /// The claims that are tested.
        var kinds = Claim.Kind.allCases
    }

    let session: Session
    let pair: CheckpointPair
    let prompts: ClaimPrompts
    let options: Options

    var base: NamedCheckpoint { pair.a }
    var tuned: NamedCheckpoint { pair.b }

    /// Prompts at most that behaviour is measured on, and that directions are found on.
    static let behaviourPrompts = 120
    static let directionPrompts = 400
    /// Prompts that M is measured on, a few more than the 2,000 points that are wanted, and that R is looked for in.
    static let manifoldPrompts = 2400
    static let containmentPrompts = 1200
    /// Prompts that losses and divergences are measured on.
    static let lossPrompts = 100

    /// - Throws: `CommandError` for checkpoints that don't see the same tokens; `CancellationError`. What only one claim
    ///   needs, and is not there, makes that claim untestable.
    func run() throws -> [Claim] {
        try pair.checkSameVocabulary()
        var claims: [Claim] = []
        defer { session.progress.clear() }
        var basin: BasinDirections?
        var manifold: [Claim]?
        for kind in options.kinds {
            try session.control.checkCancellation()
            switch kind {
            case .dimension, .curved:
                let found = try manifold ?? manifoldClaims()
                manifold = found
                claims += found.filter { $0.kind == kind }
            case .basinDimension, .causal, .contained:
                let found = try basin ?? BasinDirections(self)
                basin = found
                claims.append(try found.claim(kind))
            case .forbidden: claims.append(try basinClaim(.forbidden))
            case .formulaic: claims.append(try basinClaim(.formulaic))
            case .wayBack: claims.append(try wayBackClaim())
            case .penalty: claims.append(try penaltyClaim())
            case .senses: claims.append(try senseClaim())
            case .shape: claims.append(try shapeClaim())
            case .convergence: claims.append(try convergenceClaim())
            }
        }
        return claims
    }

    /// A claim, or why it can't be tested: what one of them lacks is no reason to leave the others.
    func testing(_ kind: Claim.Kind, _ statement: String, _ body: () throws -> Claim) throws -> Claim {
        do {
            return try body()
        } catch let error as CancellationError {
            throw error
        } catch {
            return .untestable(kind, statement, CommandError.words(error))
        }
    }
}
