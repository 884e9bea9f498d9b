package import ArgumentParser
import Directions
import Language
import Provenance
import Reports
import TerminalText
import Workbench

package struct SelectCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "select", abstract: "Choose the direction of a behaviour, such as a refusal, by what it does.",
        discussion: """
            POSITIVES show the behaviour and NEGATIVES don't: two sets of prompts. A candidate is the difference of their means
            at resid_pre of a layer and a position, counted from a prompt's end; each is measured on prompts that it was not
            made of (Arditi et al. 2024):
              bypass  mean score of the positives with the direction taken out at every layer's input, attention output and
                      MLP output: low where the behaviour goes with it
              induce  mean score of the negatives with the difference added at its layer: high where it makes the behaviour
              kl      KL of the next token after the negatives, as they are against without it, in nats: as published, at the
                      last position alone, where a template may decide the token; effect measures it over the reply
            The score of a prompt is ln(p + 1e-8) - ln(1 - p + 1e-8), p the probability that the reply begins with one of
            --tokens. Without these they are found: those whose mean probability after the positives is greater than after the
            negatives by 0.05 or more, at most five; they are printed with both.
            Out are candidates with NaN, a kl above --kl, an induce below 0, or in the last --prune of the layers. Of the rest
            the lowest bypass is chosen. One that is out is not measured further, unless --every is given.
            Prompts whose score is on the wrong side, 0 for both classes, are left out; --no-filter keeps them. The division into
            training and validation depends on --seed alone.
            The result is the chosen direction, for ablate and steer; --plot draws bypass, induce and kl of all.
            """)
    package static let traits = CommandTraits(
        .directions, needsCheckpoint: true, makesValue: true,
        kinds: ["positives": .prompts, "negatives": .prompts],
        examples: [
            "open Checkpoints/pearl-tuned.h5", "taboo = prompts Scripts/prompts/taboo.jsonl --chat",
            "plain = prompts Scripts/prompts/plain.jsonl --chat", "r = select taboo plain --positions -1..-3",
            "ablate r",
        ])

    @Argument(help: "Prompts that show the behaviour.") var positives: String
    @Argument(help: "Prompts that don't.") var negatives: String
    @Option(help: "What such replies begin with, with commas between; found by contrast when left out.")
    var tokens: String?
    @Option(help: "Prompts of each class that means are made of; 128 or what there is when left out.") var train: Int?
    @Option(help: "Prompts of each class that candidates are measured on.") var validation = 32
    @Option(help: "Positions from the end: -1, -1..-5 or -1,-3.") var positions = "-1..-5"
    @Option(help: "What the difference is multiplied with when it is added.") var strength = 1.0
    @Option(help: "The largest KL, in nats.") var kl = 0.1
    @Option(help: "The part of the layers, from the last, that is left out.") var prune = 0.2
    @Flag(help: "Measure every candidate, also those that are out.") var every = false
    @Flag(help: "Keep prompts whose score is on the wrong side.") var noFilter = false
    @Option(help: "The seed of the division; otherwise the setting seed.") var seed: UInt64?
    @OptionGroup var options: RunOptions
    @OptionGroup var plotting: PlotOption

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let checkpoint = try session.checkpoint()
        let sets = (try session.studied(named: positives), try session.studied(named: negatives))
        try session.context().checkApart((positives, sets.0), (negatives, sets.1))
        var selection = CandidateSelection.Options()
        selection.positions = try Self.parse(positions: positions)
        selection.strength = strength
        selection.divergenceLimit = kl
        selection.prunedShare = prune
        selection.filtersPrompts = !noFilter
        selection.scoresEvery = every
        let division = SelectionRun.Division(
            train: try train.map { try checkedCount($0, "--train") },
            validation: try checkedCount(validation, "--validation"), seed: seed ?? session.settings.seed)
        let choices = try options.choices(session)
        let picture = try plotting.prepare(session)
        let texts = tokens.map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
        let run = try SelectionRun(
            session.context(), checkpoint, positives: sets.0, negatives: sets.1, division: division, options: selection,
            choices: choices)
        let result = try run.run(tokens: texts)
        var report = SelectionReport(
            names: (positives, negatives), result: result, options: selection,
            layers: try checkpoint.facts().layers
        ).report
        report.notes.append("Seed \(division.seed).")
        report.notes += try session.context().roundingNotes(checkpoint, run.positives.validation[0], choices.precision)
        var recipe = session.recipe(checkpoint, precision: choices.precision)
        recipe.seed = division.seed
        recipe.inputs += session.promptInputs([positives, negatives])
        report.recipe = recipe
        var outcome = try plotting.outcome(report, picture, session)
        if let subspace = try result.selected.subspace(recipe: RecipeText.json(recipe)) {
            outcome.value = .subspace(subspace)
        } else {
            outcome.value = nil
            outcome.failure = CommandError(
                "no candidate can be chosen", remedy: "see with --every how far each is from the limits")
        }
        return outcome
    }

    /// Reads positions that are counted from the end of a prompt: `-1`, `-1,-3`, or a range such as `-1..-5` with its
    /// ends in either order.
    ///
    /// - Throws: `CommandError` if the text is not such a list, or names a position twice.
    static func parse(positions text: String) throws -> [Int] {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        let found = parts.map { part -> [Int] in
            if let one = Int(part), (-1000..<0).contains(one) { return [one] }
            guard let ends = NumberRange.ends(part), let first = Int(ends.first), let last = Int(ends.last),
                (-1000..<0).contains(first), (-1000..<0).contains(last)
            else { return [] }
            return Array(min(first, last)...max(first, last))
        }
        let all = found.flatMap(\.self)
        guard !found.contains([]), all.allSatisfy({ $0 < 0 }), Set(all).count == all.count else {
            throw CommandError(
                "--positions can't be \(text.escapedForTerminal)",
                remedy: "give positions from the end, each once: -1, -1..-5 or -1,-3", exitCode: 2)
        }
        return all
    }
}
