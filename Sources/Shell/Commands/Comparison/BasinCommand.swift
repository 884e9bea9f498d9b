package import ArgumentParser
import Comparison
import Language
import Reports
import Sites
import TerminalText
import Workbench

package struct BasinCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "basin", abstract: "Whether tuning took dimensions from a class of prompts and not from others.",
        discussion: """
            BASE and TUNED are open checkpoints, the one tuned from the other; CLASS, --open and --control are sets of prompts,
            NAME+NAME two sets as one. The claim is that prompts of the class (forbidden, formulaic) live in fewer dimensions
            since the tuning. Their dimension d alone says nothing: prompts on one topic or of one form have few dimensions in any
            model. So what is tested is

              change = [d(class) - d(open)] in TUNED - [d(class) - d(open)] in BASE

            with the debiased participation ratio of one row a prompt, at every layer, and beside it the same against the
            control: prompts as homogeneous as the class's that the tuning was not about. Controls, always:
              length      prompts are compared in pairs of as many tokens (--length-slack N: at most N apart); those without
                          a partner are left out
              template    all sets are read with prompts --chat, or none
              topic       --control: look-alikes. The class must lose dimensions against them too

            p is that of permutations in which the prompts of a pair trade places, in both models alike, corrected by Holm over
            the sites. Both comparisons of a class have the same number of pairs, at least 300; --at-least N takes fewer, and
            widens the intervals by the root of 300/N. A change counts with p Holm <= 0.05 and the interval beyond 0. Verdicts:
              supported        at one site the class has fewer dimensions than before (own change below 0), and lost them
                               against open and against the control
              not testable     the same, with a control of more than twice or less than half the class's dimensions in BASE
              not supported    it changed otherwise than open, but not so: the control lost as much, others gained, or it did
              not distinguishable from noise    nowhere different from open
            """)
    package static let traits = CommandTraits(
        .activations, needsCheckpoint: true, makesValue: true,
        kinds: [
            "base": .checkpoint, "tuned": .checkpoint, "classes": .prompts, "open": .prompts, "control": .prompts,
            "sites": .site, "at": .choice(["last", "first", "token:"]),
        ],
        examples: [
            "open Checkpoints/pearl-tuned.h5", "taboo = prompts Scripts/prompts/taboo.jsonl --chat",
            "alike = prompts Scripts/prompts/taboo-lookalike.jsonl --chat",
            "other = prompts Scripts/prompts/open.txt --chat",
            "basin pearl-base pearl-tuned taboo --open other --control alike --length-slack 2 --at-least 100 --sites resid_post[3..5]",
        ])

    @Argument(help: "A checkpoint.") var base: String
    @Argument(help: "The checkpoint that was tuned from it.") var tuned: String
    @Argument(help: "Sets of prompts that the claim is about.") var classes: [String]
    @Option(help: "A set of prompts that the claim is not about.") var open: String
    @Option(help: "A set that looks like the class, and is not what was tuned.") var control: String
    @Option(help: "Sites with commas between; resid_post[*] when left out.") var sites: String?
    @Option(help: "A position: last, first, 5, -2, token:WORD.") var at = "last"
    @Option(help: "Permutations of the null.") var permutations = 1000
    @Option(help: "Pairs that a comparison must have.") var atLeast = BasinRun.defaultLeast
    @Option(help: "Tokens that the lengths of a pair may differ by.") var lengthSlack = 0
    @OptionGroup var options: RunOptions
    @OptionGroup var plotting: PlotOption

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let pair = try session.pair(base, tuned)
        if let twice = classes.first(where: { name in classes.count(where: { $0 == name }) > 1 }) {
            throw CommandError(
                "the class \(twice.escapedForTerminal) is named twice", remedy: "name it once", exitCode: 2)
        }
        let named = try (classes + [open, control]).map { BasinRun.Named(name: $0, set: try session.joinedPrompts($0)) }
        let choices = try options.choices(session)
        let run = try BasinRun(
            context: session.context(), pair: pair, classes: Array(named.dropLast(2)), open: named[named.count - 2],
            control: named[named.count - 1], options: basinOptions(pair, choices, session))
        let picture = try plotting.prepare(session)
        let result = try run.run()
        var report = BasinReport(
            result: result, base: pair.a.name, tuned: pair.b.name, options: run.options
        ).report
        report.title = "\(pair.a.name) to \(pair.b.name): \(classes.joined(separator: ", "))"
        report.notes.append("seed \(session.settings.seed)")
        report.recipe = session.recipe([pair.a.checkpoint, pair.b.checkpoint], precision: choices.precision)
        return try plotting.outcome(report, picture, session)
    }

    private func basinOptions(
        _ pair: CheckpointPair, _ choices: RunChoices, _ session: Session
    ) throws -> BasinRun.Options {
        let c = try pair.a.checkpoint.facts()
        let position = try Position(at)
        guard position != .all, position != .mean else {
            throw CommandError(
                "basin takes one row a prompt, not --at \(at)", remedy: "give --at last, or another position",
                exitCode: 2)
        }
        let least = try checkedCount(atLeast, "--at-least")
        guard least >= BasinRun.smallestLeast, least <= BasinRun.mostPairs else {
            throw CommandError(
                "--at-least must be \(BasinRun.smallestLeast) to \(BasinRun.mostPairs)", remedy: "give another number",
                exitCode: 2)
        }
        let permutations = try checkedCount(permutations, "--permutations", limit: 1_000_000)
        guard permutations >= 100 else {
            throw CommandError("--permutations must be at least 100", remedy: "give more", exitCode: 2)
        }
        guard (0...1000).contains(lengthSlack) else {
            throw CommandError("--length-slack must be 0 to 1000", remedy: "give another number", exitCode: 2)
        }
        return BasinRun.Options(
            sites: try sites.map { try c.rowSites($0) }
                ?? (0..<c.layers).map { Site(.residPost, layer: $0) },
            position: position, permutations: permutations, least: least, slack: lengthSlack,
            seed: session.settings.seed, choices: choices)
    }
}

extension Session {
    /// Returns the prompts of a set, or of several sets whose names are joined by `+`, as one set.
    ///
    /// - Throws: `CommandError` if a name stands for no set of prompts, or if only some of the sets are read as chat.
    func joinedPrompts(_ names: String) throws -> PromptSet {
        let sets = try names.split(separator: "+", omittingEmptySubsequences: false).map {
            try prompts(named: String($0))
        }
        guard sets.count > 1 else { return sets[0] }
        guard sets.allSatisfy({ $0.isChat == sets[0].isChat && $0.isRendered == sets[0].isRendered }) else {
            throw CommandError(
                "\(names.escapedForTerminal): one set is as chat or rendered and another is not",
                remedy: "read all of them with prompts --chat, all with --rendered, or all with neither")
        }
        return PromptSet(joining: sets, called: names)
    }
}
