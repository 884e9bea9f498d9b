package import ArgumentParser
import Directions
import Language
import Provenance
import Reports
import Sites
import TerminalText
import Workbench

package struct DirectionCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "direction", abstract: "Find the direction between two sets: positives minus negatives.",
        discussion: """
            The sets are prompts, run through the checkpoint in use with its edits in force, or captures already made. The
            result is a direction, for ablate, steer, project and save; a report stands beside it.
              means  r = mean(positives) - mean(negatives), unnormalised (Arditi et al. 2024)
              pca    first principal direction of the pairs' differences, uncentred, row i of one set minus row i of the
                     other; its sign is that of most pairs; as long as their projections' root mean square
              probe  weights of a logistic regression with an L2 penalty

            Without --at it looks at resid_pre of every layer at the last position and takes the best: the highest held-out
            accuracy, then AUC, then signal to noise, the last fifth of the layers left out (Arditi et al. 2024). --at
            resid_pre[3],-2 names the place, --at last,resid_pre[*] the layers to choose from. Of captures --site names it.
            --at resid_pre[3],mean takes the mean of each prompt's rows, without a first row that is an outlier among them
            (help methods); --with-first keeps such rows. Other positions take one row each, whatever it is.
            That two sets can be told apart at a layer does not say that anything hangs on it: select measures that.

            accuracy and AUC are those of rows that the direction was not made from, in 5 folds; shuffled is the accuracy
            with shuffled labels. signal to noise: |r|^2 over what random splits give on average, (1/n + 1/m) times the mean
            squared distance of the n and m rows from their set's mean; 1 is no difference. The folds and the shuffle are drawn
            with the session's seed.

            Layers: resid_pre[l] is Hugging Face's hidden_states[l] and resid_post[l - 1]; see help sites.
            """)
    package static let traits = CommandTraits(
        .directions, changesState: true, makesValue: true,
        kinds: [
            "positives": .prompts, "negatives": .prompts, "at": .site, "site": .site,
            "method": .choice(DirectionMethod.allCases.map(\.rawValue)),
        ],
        examples: [
            "open Checkpoints/pearl-tuned.h5", "taboo = prompts Scripts/prompts/taboo.jsonl --chat --limit 64",
            "plain = prompts Scripts/prompts/plain.jsonl --chat --limit 64", "r = direction taboo plain",
            "s = direction taboo plain --method probe --at resid_pre[3],last",
        ])

    @Argument(help: "A set of prompts, or a capture.") var positives: String
    @Argument(help: "The set that it is set against.") var negatives: String
    @Option(help: "means, pca or probe.") var method = DirectionMethod.means.rawValue
    @Option(help: "Sites and a position with commas between, for prompts: resid_pre[3],last.") var at: String?
    @Option(help: "A site, for captures.") var site: String?
    @OptionGroup var rows: FirstRowsOption
    @OptionGroup var options: RunOptions
    @OptionGroup var plotting: PlotOption

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let method = try checkedMethod()
        let choices = try options.choices(session)
        let picture = try plotting.prepare(session)
        let sets = try session.contrasted(
            positives, negatives, isPaired: method == .pca, at: at, site: site, keepsFirst: rows.withFirst,
            choices: choices)
        let candidates = try DirectionCandidates(sets, method, in: session.context())
        let recipe = try session.contrastRecipe(sets, precision: choices.precision)
        var report = candidates.report()
        report.recipe = recipe
        return try plotting.outcome(
            .subspace(try candidates.subspace(recipe: RecipeText.json(recipe))), report, picture, session)
    }

    private func checkedMethod() throws -> DirectionMethod {
        guard let method = DirectionMethod(rawValue: method) else {
            let names = DirectionMethod.allCases.map(\.rawValue)
            throw CommandError(
                "there is no method \"\(self.method.escapedForTerminal)\"",
                remedy: Suggestion.remedy(for: self.method, among: names), exitCode: 2)
        }
        return method
    }
}
