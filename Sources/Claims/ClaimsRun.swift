package import Comparison
import Control
import LinearAlgebra
package import Sites
package import Workbench

/// Holds claims about a checkpoint against what it does, and against what it was tuned from.
package struct ClaimsRun {
    package struct Options {
        /// The dimension of M, as it is claimed.
        package var dimensions = 300.0...500.0
        /// The dimension of R, as it is claimed.
        package var basin = 2.0...10.0
        /// Where M is measured; nil: after the middle layer.
        package var site: Site?
        package var choices = RunChoices()
        package var seed: UInt64 = 0
        /// Checkpoints of one series, in the order of training.
        package var series: [SeriesMember] = []
        /// Checkpoints that were tuned with one penalty each.
        package var penalties: [PenaltyMember] = []
        /// The claims that are tested.
        package var tests = ClaimRegistry.all

        package init() {}
    }

    private let evidence: ClaimEvidence

    /// - Parameter pair: the base, then what was tuned from it.
    package init(context: RunContext, pair: CheckpointPair, prompts: ClaimPrompts, options: Options) {
        evidence = ClaimEvidence(context: context, pair: pair, prompts: prompts, options: options)
    }

    /// - Throws: `WorkbenchError` for checkpoints that don't see the same tokens; `CancellationError`. If what one claim needs
    ///   is not there, that claim is not testable, and the others are tested.
    package func run() throws -> [Claim] {
        try evidence.pair.checkSameVocabulary()
        defer { evidence.context.tell(.scopeEnded) }
        return try evidence.options.tests.map { test in
            try evidence.context.control.checkCancellation()
            var claim: Claim
            do {
                claim = try test.test(evidence)
            } catch let error as CancellationError {
                throw error
            } catch {
                claim = Claim(untestable: error)
            }
            claim.name = test.name
            claim.statement = test.statement(evidence.options)
            return claim
        }
    }
}
