package import ArgumentParser
import Claims
import Comparison
import Language
import Provenance
import Reports
import TerminalText
import Workbench

package struct ClaimsCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "claims", abstract: "An essay's claims about a tuned model, each held against two checkpoints.",
        discussion: """
            BASE and TUNED are open checkpoints, the one tuned from the other. The essay says: activations converge onto a
            manifold M of few dimensions; tuning only digs a basin R of still fewer inside M; forbidden and formulaic prompts push
            the model into it; the KL penalty keeps a way out; context pulls a word's senses far apart. Each claim gets a measure,
            its value, with an interval where it has one, what it says where there is nothing to find (null), and a verdict:
            supported, not supported, not distinguishable from noise, or not testable from these files, with the reason.

            \(list)

            --prompts-dir (Scripts/prompts) holds sets of prompts by name, .jsonl or .txt, each with a -heldout one beside it if
            there is: forbidden (or taboo), lookalike (or taboo-lookalike), formulaic, open, plain; senses.jsonl; refusals.txt
            (phrases that a reply of the behaviour begins with). What is missing makes its claims untestable, no more. Prompts
            are read as chat, or as they stand with --no-chat.

            --series takes files or names in the order of training; --penalties files or names whose recipe holds the penalty, or
            0.1=FILE. A * stands for any characters.
            """)
    package static let traits = CommandTraits(
        .text, needsCheckpoint: true, makesValue: true,
        kinds: [
            "base": .checkpoint, "tuned": .checkpoint, "prompts-dir": .file, "site": .site,
            "only": .choice(ClaimRegistry.all.map(\.name)), "series": .file, "penalties": .file,
        ],
        examples: [
            "open Checkpoints/pearl-tuned.h5",
            "claims pearl-base pearl-tuned --only way-back,shape",
            "claims pearl-base pearl-tuned --only convergence --series Checkpoints/pearl-step-16.h5,Checkpoints/pearl-step-256.h5,Checkpoints/pearl-step-1024.h5,Checkpoints/pearl-base.h5",
        ])

    @Argument(help: "A checkpoint.") var base: String
    @Argument(help: "The checkpoint that was tuned from it.") var tuned: String
    @Option(help: "The folder that holds the sets of prompts.") var promptsDir = "Scripts/prompts"
    @Flag(help: "Prompts are texts as they stand, not a user's turns.") var noChat = false
    @Option(help: "The claimed dimension of M: 300..500.") var dimensions = "300..500"
    @Option(help: "The claimed dimension of R: 2..10.") var basin = "2..10"
    @Option(help: "Where M is measured; after the middle layer when left out.") var site: String?
    @Option(help: "Checkpoints along a training, in its order, with commas between.") var series: String?
    @Option(help: "Checkpoints tuned under several penalties, with commas between.") var penalties: String?
    @Option(help: "Claims to test, with commas between; all when left out.") var only: String?
    @OptionGroup var options: RunOptions

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let pair = try session.pair(base, tuned)
        var choices = ClaimsRun.Options()
        choices.dimensions = try Self.range(dimensions, "--dimensions")
        choices.basin = try Self.range(basin, "--basin")
        choices.choices = try options.choices(session)
        choices.seed = session.settings.seed
        if let site {
            let found = try pair.b.checkpoint.facts().rowSites(site)
            guard found.count == 1 else {
                throw CommandError(
                    "--site \(site.escapedForTerminal) is \(counted(found.count, "site"))",
                    remedy: "name one, such as resid_post[3]", exitCode: 2)
            }
            choices.site = found[0]
        }
        if let only { choices.tests = try Self.tests(only) }
        if let series { choices.series = try SeriesMember.list(Self.words(series, "--series"), in: session) }
        if let penalties {
            choices.penalties = try PenaltyMember.list(Self.words(penalties, "--penalties"), in: session)
        }
        if !noChat {
            for side in [pair.a, pair.b] where try !side.checkpoint.canChat() {
                throw CommandError(
                    "\(side.name) has no chat template that can be used, as info \(side.name) says",
                    remedy: "give --no-chat: prompts are then texts as they stand")
            }
        }
        let prompts = try ClaimPrompts(
            expandTilde(promptsDir), name: promptsDir, isChat: !noChat, seed: session.settings.seed)
        let claims = try ClaimsRun(context: session.context(), pair: pair, prompts: prompts, options: choices).run()
        var report = ClaimsReport(claims: claims).report
        report.title = "\(pair.a.name) to \(pair.b.name)"
        report.notes = [
            "Intervals are 95 %; 90 % of dimension, curved and shape; basin-dimension has the range of halves of the prompts.",
            "seed \(session.settings.seed)",
        ]
        let others = try (choices.series + choices.penalties.map(\.member)).map { try $0.load() }
        report.recipe = session.recipe(
            [pair.a.checkpoint, pair.b.checkpoint] + others, precision: choices.choices.precision)
        report.recipe?.inputs += prompts.inputs
        return Outcome(report)
    }

    private static func words(_ text: String, _ option: String) throws -> [String] {
        let words = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard !words.contains("") else {
            throw CommandError("\(option) has an empty name", remedy: "give files or names: A,B,C", exitCode: 2)
        }
        return words
    }

    /// Reads a range of positive numbers, such as `300..500`, from the text of an option.
    ///
    /// - Throws: `CommandError` with exit code 2 if the text is not such a range.
    private static func range(_ text: String, _ option: String) throws -> ClosedRange<Double> {
        guard let range = NumberRange.positive(text) else {
            throw CommandError(
                "\(option) can't be \(text.escapedForTerminal)",
                remedy: "give two numbers: \(option == "--basin" ? "2..10" : "300..500")", exitCode: 2)
        }
        return range
    }

    private static func tests(_ text: String) throws -> [any ClaimTest] {
        let known = ClaimRegistry.all.map(\.name)
        let names = text.split(separator: ",").map(String.init)
        if let name = names.first(where: { !known.contains($0) }) {
            throw CommandError(
                "there is no claim \(name.escapedForTerminal)", remedy: Suggestion.remedy(for: name, among: known),
                exitCode: 2)
        }
        guard !names.isEmpty else {
            throw CommandError("--only names no claim", remedy: "give names, as shape,senses", exitCode: 2)
        }
        return ClaimRegistry.all.filter { names.contains($0.name) }
    }

    /// The names and summaries of the claims, for the help.
    private static var list: String {
        ClaimRegistry.all.map { "  \($0.name.padded(toWidth: 16))  \($0.summary)" }.joined(separator: "\n")
    }
}
