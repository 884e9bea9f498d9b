import Directions
import Language
import Provenance
import Sites
import TerminalText
import Workbench

extension Session {
    /// Returns the rows of two named sets: either two sets of prompts, which are run through the checkpoint in use with
    /// its edits in force, or two captures.
    ///
    /// - Parameters:
    ///   - positive: The name of the set of positives.
    ///   - negative: The name of the set of negatives.
    ///   - place: For prompts, sites and a position such as `resid_pre[3],last`.
    ///   - site: For captures, one of their sites.
    ///   - isPaired: Whether row i of one set belongs to row i of the other.
    ///   - keepsFirst: For prompts, whether a mean keeps first rows that are outliers.
    ///   - choices: The memory and the precision of the run over prompts.
    ///   - base: For prompts, the name of a checkpoint whose activations on the same tokens are subtracted.
    /// - Throws: `CommandError` if the names do not stand for two sets of prompts or two captures, or if an option does
    ///   not go with their kind.
    func contrasted(
        _ positive: String, _ negative: String, isPaired: Bool, at place: String?, site: String?, keepsFirst: Bool,
        choices: RunChoices, base: String? = nil
    ) throws -> ContrastedSets {
        switch (try usable(positive), try usable(negative)) {
        case (.prompts(let a)?, .prompts(let b)?):
            guard site == nil else {
                throw CommandError(
                    "--site chooses one of a capture's sites", remedy: "for prompts give --at SITE,POSITION",
                    exitCode: 2)
            }
            return try ContrastedSets(
                (positive, a.called(positive)), (negative, b.called(negative)), isPaired: isPaired, at: place,
                of: checkpoint(),
                base: base.map { try checkpoint(named: $0) }, keepsFirst: keepsFirst, choices: choices, in: context())
        case (.capture(let a)?, .capture(let b)?):
            guard place == nil, base == nil, !keepsFirst else {
                let option = base != nil ? "--base" : place != nil ? "--at" : "--with-first"
                throw CommandError(
                    "captures hold their sites and positions, so \(option) is for prompts",
                    remedy: option == "--at" ? "choose a site with --site" : "give sets of prompts", exitCode: 2)
            }
            return try ContrastedSets((positive, a), (negative, b), isPaired: isPaired, site: site, in: context())
        case (.prompts?, .capture?), (.capture?, .prompts?):
            throw CommandError(
                "\(positive.escapedForTerminal) and \(negative.escapedForTerminal) are not of one kind",
                remedy: "give two sets of prompts, or two captures", exitCode: 2)
        case (.prompts?, let other), (.capture?, let other):
            throw other.map { wrongKind(negative, $0, wanted: .prompts, .capture) } ?? unknown(negative)
        case (let other, _):
            throw other.map { wrongKind(positive, $0, wanted: .prompts, .capture) }
                ?? unknown(positive, hint: "make a set with: NAME = prompts FILE")
        }
    }
}

extension ContrastedSets {
    var notes: [String] {
        switch dependence {
        case nil: []
        case .rowsOfPrompts?: ["Rows of one prompt are not independent: the intervals are too narrow."]
        case .sharedTexts(let count, let sets)?:
            [
                "Pairs with a text in common are not independent: \(counted(count, "text")) of"
                    + " \(sets.map(\.escapedForTerminal).joined(separator: " and ")) \(count == 1 ? "stands" : "stand") in"
                    + " several pairs, and the intervals are too narrow."
            ]
        }
    }
}

extension Session {
    /// Returns the recipe of a result that was made from two sets. It includes the digests and edits of the checkpoints
    /// if prompts were run.
    func contrastRecipe(_ sets: ContrastedSets, precision: Precision, base: String? = nil) throws -> Recipe {
        let checkpoints =
            sets.layers == nil ? [] : try [checkpoint()] + (base.map { [try checkpoint(named: $0)] } ?? [])
        var recipe = recipe(checkpoints, precision: sets.layers == nil ? .f32 : precision)
        recipe.inputs += promptInputs([sets.positives.name, sets.negatives.name])
        return recipe
    }
}
