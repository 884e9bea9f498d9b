package import Comparison
import Control
import LinearAlgebra
package import Sites
package import Workbench

/// Tests claims about a checkpoint by its behaviour, and by comparison with the base that it was tuned from.
package struct ClaimsRun {
    package struct Options {
        /// The claimed dimension of M, the essay's manifold of activations: the smallest and largest number of
        /// dimensions.
        package var dimensions = 300.0...500.0
        /// The claimed dimension of R, the few directions that the essay says tuning for refusals adds inside M, the
        /// manifold of activations: the smallest and largest number of directions.
        package var basin = 2.0...10.0
        /// The site (a named place in the model) where M, the manifold of activations, is measured; nil means after the
        /// middle layer.
        package var site: Site?
        package var choices = RunChoices()
        package var seed: UInt64 = 0
        /// The checkpoints of one training run (a series), in the order of training, for the claim of convergence.
        package var series: [SeriesMember] = []
        /// The checkpoints that were tuned with one penalty each, for the claim about penalties.
        package var penalties: [PenaltyMember] = []
        /// The claims that are tested.
        package var tests = ClaimRegistry.all

        package init() {}
    }

    private let evidence: ClaimEvidence

    /// - Parameter pair: two checkpoints: the base as A and the one that was tuned from it as B.
    package init(context: RunContext, pair: CheckpointPair, prompts: ClaimPrompts, options: Options) {
        evidence = ClaimEvidence(context: context, pair: pair, prompts: prompts, options: options)
    }

    /// Tests the chosen claims, in order. If something that one claim needs is missing, that claim is not testable, and
    /// the others are still tested.
    ///
    /// - Throws: `WorkbenchError` for checkpoints that don't see the same tokens; the error for a file that changed since
    ///   it was opened; `CancellationError`.
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
            } catch  where ChangedFile(error) == nil {
                claim = Claim(untestable: error)
            }
            claim.name = test.name
            claim.statement = test.statement(evidence.options)
            return claim
        }
    }
}
