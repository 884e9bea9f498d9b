import Models
package import Workbench

/// A run that folds directions into a checkpoint's weights and compares the logits with those of the ablation that the
/// fold replaces.
package struct FoldRun {
    package struct Result {
        package let fold: Fold
        /// The largest difference of a logit between the model with folded weights and the original with the directions
        /// ablated.
        package let difference: Double
        /// The largest difference of a logit between the original model with the directions ablated and without an
        /// edit.
        package let effect: Double
        /// The texts and positions at which the logits of the folded and the original model were compared.
        package let check: SpotCheck
    }

    private let context: RunContext
    private let original: LoadedCheckpoint
    private let subspace: Subspace
    private let model: Decoder

    /// Checks that directions can be folded into a checkpoint.
    ///
    /// - Throws: `DirectionsError` for directions that can't be folded into this architecture.
    package init(_ context: RunContext, _ original: LoadedCheckpoint, _ subspace: Subspace) throws {
        self.context = context
        self.original = original
        self.subspace = subspace
        model = try original.model()
        try Fold.check(subspace, model, file: original.label)
    }

    /// The number of bytes that the folded weights take in memory.
    package var byteCount: Int { Fold.byteCount(model) }

    /// Folds the directions into the checkpoint's weights and compares the logits with those of the ablation.
    ///
    /// - Parameters:
    ///   - label: The name of the new checkpoint.
    ///   - recipeJSON: The recipe (a record of how it was made) of the new checkpoint.
    package func run(label: String, recipeJSON: [UInt8]) throws -> Result {
        let fold = try Fold(
            subspace, into: original.file, model: model, label: label, recipeJSON: recipeJSON, pool: context.pool,
            control: context.control)
        let check = try SpotCheck(original, seed: context.seed)
        let edit = SubspaceEdit(basis: subspace.basis, sites: try original.facts().streamSites)
        let edited = try check.logits(original, edits: [edit], context)
        let folded = try check.logits(LoadedCheckpoint(fold.checkpoint), edits: [], context)
        return Result(
            fold: fold, difference: SpotCheck.largestDifference(edited, folded),
            effect: SpotCheck.largestDifference(edited, try check.logits(original, edits: [], context)), check: check)
    }
}
