package import ArgumentParser
import Directions
import Language
import Provenance
import Reports
import Sites
import TerminalText
import Workbench

package struct SubspaceCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "subspace", abstract: "Find the directions, and how many, in which two sets differ.",
        discussion: """
            Rows are pairs, row i of the positives minus row i of the negatives, uncentred; with --base, of the positives the
            activations of the checkpoint in use minus those of the base on the same tokens. How many directions there are is
            decided by the deflated contrast null: the largest singular value sigma1 of the rows against the 99th percentile
            of those of as many contrasts, differences of two rows of one class; if above, the direction is projected out of
            both, and so on. With --base contrasts are of the positives' rows, over the root of 2.

            A class is the rows of one label of one set (all of a set that has no labels). What labels have in common is then
            signal, what prompts of one label differ in is noise: sets without labels have at most a direction or two.
            --contrasts negatives takes contrasts of the negatives alone, and counts directions in which the positives are
            more spread out, too.

            --k N takes the first N principal directions, whatever the null says; the table still shows it. Without --at (or
            --site, for captures) the place is the one that direction picks; --with-first is as in direction. The vectors are
            as long as the root mean square of the rows' projections. See combine and angles for what to do with two of them.
            """)
    package static let traits = CommandTraits(
        .directions, changesState: true, makesValue: true,
        kinds: [
            "positives": .prompts, "negatives": .prompts, "at": .site, "site": .site, "base": .checkpoint,
            "contrasts": .choice(ContrastSource.allCases.map(\.rawValue)),
        ],
        examples: [
            "open Checkpoints/pearl-tuned.h5", "taboo = prompts Scripts/prompts/taboo.jsonl --chat --sample 64",
            "plain = prompts Scripts/prompts/plain.jsonl --chat --sample 64",
            "s = subspace taboo plain --at resid_pre[3],last",
            "t = subspace taboo plain --at resid_pre[3] --base pearl-base --k 2",
        ])

    @Argument(help: "A set of prompts, or a capture.") var positives: String
    @Argument(help: "The set that it is set against, of the same size.") var negatives: String
    @Option(help: "So many directions, whatever the null says.") var k: Int?
    @Option(help: "A site and a position with a comma between, for prompts: resid_pre[3],last.") var at: String?
    @Option(help: "A site, for captures.") var site: String?
    @Option(help: "An open checkpoint that the one in use was tuned from.") var base: String?
    @Option(help: "Rows that contrasts are made of: both or negatives.") var contrasts = ContrastSource.both.rawValue
    @Option(help: "Most directions that are looked for.") var limit = 16
    @Option(help: "Draws of contrasts.") var draws = 100
    @OptionGroup var rows: FirstRowsOption
    @OptionGroup var options: RunOptions
    @OptionGroup var plotting: PlotOption

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        guard let source = ContrastSource(rawValue: contrasts) else {
            throw CommandError(
                "--contrasts can't be \(contrasts.escapedForTerminal)", remedy: "give both or negatives", exitCode: 2)
        }
        let size = try k.map { try checkedCount($0, "--k") }
        let limit = try checkedCount(limit, "--limit", limit: 256)
        let draws = try checkedCount(draws, "--draws", limit: 10_000)
        guard draws >= 20 else {
            throw CommandError(
                "--draws \(draws) say too little of their highest values", remedy: "give 20 or more", exitCode: 2)
        }
        let choices = try options.choices(session)
        let picture = try plotting.prepare(session)
        let sets = try session.contrasted(
            positives, negatives, isPaired: base == nil, at: at, site: site, keepsFirst: rows.withFirst,
            choices: choices, base: base)
        let context = try session.context()
        var notes: [String] = []
        var place = sets.sites[0]
        if sets.sites.count > 1 {
            place = try DirectionCandidates(sets, .means, in: context).site
            notes.append("The site is the one where the difference in means tells held-out rows apart best.")
        }
        let search = try SubspaceSearch(
            sets, site: place, isTuning: base != nil, size: size, contrasts: source, limit: limit, draws: draws,
            in: context)
        search.weighed.tell(in: context)
        let recipe = try session.contrastRecipe(sets, precision: choices.precision, base: base)
        var report = search.report()
        report.notes += notes
        report.recipe = recipe
        guard let subspace = try search.subspace(recipe: RecipeText.json(recipe)) else {
            var outcome = try plotting.outcome(report, picture, session)
            outcome.value = nil
            outcome.failure = CommandError(
                "no direction stands out of the contrasts at \(place.shortName)",
                remedy: "take more prompts or another site, or force a size with --k N")
            return outcome
        }
        return try plotting.outcome(.subspace(subspace), report, picture, session)
    }
}
