package import ArgumentParser
import Comparison
import LinearAlgebra
import Models
import Reports
import TerminalText

package struct CompareCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "compare", abstract: "How far apart two checkpoints are.",
        discussion: """
            A and B are names of open checkpoints with the same tokenizer; their architectures and sizes may differ. The
            measure is logits, also when left out: what both say of the next token, position by position, on a set of
            prompts or on a text. In float64, from f32 logits, in nats:
              kl, kl reverse    KL(A||B) and KL(B||A)
              js                Jensen-Shannon divergence, at most ln 2
              top-1 agreement   share of positions at which both have the same likeliest token
              entropy A         of A's answers: the scale that KL is to be seen on
              loss A, loss B    cross-entropy of the token that follows, and loss difference, B's minus A's
              delta p           B's probability of the token that follows minus A's: mean and root of the mean square
            The null is a checkpoint beside itself, which gives exactly 0, 0, 0 and 1. Means are over all positions, and their
            intervals (95 %, normal) over prompts, as for loss. The percentiles are those of llama.cpp's perplexity
            --kl-divergence. Prompts with labels are also compared label by label. plot draws the percentiles of KL; for
            a text, its KL by position.

            --at all, the default, is every position that has a next token, that of a BOS token included, as for loss. --at
            last is the answer itself: for a set made with prompts --chat, the first token of the reply. Nothing follows it,
            so it has no loss and no delta p.

            A token id must mean the same to both, and every prompt must become the same ids, after the chat template too;
            otherwise the first difference is named. --each lists the prompts, those that differ most first. generate and
            evaluate --checkpoints A,B put what both say side by side.
            """)
    package static let traits = CommandTraits(
        .text, needsCheckpoint: true, makesValue: true,
        kinds: [
            "a": .checkpoint, "b": .checkpoint, "measure": .choice(Measure.allCases.map(\.rawValue)),
            "prompts": .prompts, "at": .choice(["all", "last", "first", "token:"]), "plot": .file,
        ], optionalValues: ["plot": PlotOption.isFile],
        examples: [
            "open Checkpoints/pearl-tuned.h5", "corpus = prompts Scripts/prompts/open.txt --limit 50",
            "compare pearl-base pearl-tuned --prompts corpus --each --top 5",
            "compare pearl-base pearl-tuned logits \"The capital of France is\"",
            "kl = compare pearl-base pearl-tuned logits --prompts corpus --at last --plot kl.svg",
        ])

    /// What can be compared.
    enum Measure: String, CaseIterable {
        case logits
    }

    @Argument(help: "A checkpoint.") var a: String
    @Argument(help: "The checkpoint that is compared with it.") var b: String
    @Argument(help: "What is compared: logits.") var measure: String?
    @Argument(help: "A text instead of a set of prompts.") var text: [String] = []
    @Option(help: "A set of prompts.") var prompts: String?
    @Option(help: "Positions: all, last, first, 5, -2, token:WORD.") var at = "all"
    @Flag(help: "List the prompts too, those with the largest KL first.") var each = false
    @Option(name: [.customShort("n"), .long], help: "How many prompts --each lists; 10 when left out.") var top: Int?
    @OptionGroup var options: RunOptions
    @OptionGroup var plotting: PlotOption

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let pair = CheckpointPair(
            a: NamedCheckpoint(a, try session.checkpoint(named: a)),
            b: NamedCheckpoint(b, try session.checkpoint(named: b)))
        try checkMeasure()
        let set = try promptSet(session)
        let position = try Position(at)
        guard position != .mean else {
            throw CommandError(
                "logits have no mean over positions",
                remedy: "give --at all, and the means of what is measured are printed", exitCode: 2)
        }
        let listed = try listedPrompts()
        let picture = try plotting.prepare(session)
        try pair.checkSameVocabulary()
        let compared = try pair.encode(set, at: position, in: session)
        let choices = try options.choices(session)
        let comparison = try LogitsComparisonRun(
            session, pair.a, pair.b, TokenSequences(compared.ids), positions: compared.positions,
            choices: choices
        ).run()
        let result = LogitsComparisonReport(
            pair: pair, set: set, isText: prompts == nil, prompts: compared, position: position, comparison: comparison)
        var report = try result.report(listed: listed)
        report.notes += try roundingNotes(pair, compared.ids[0], choices.precision, session)
        report.recipe = session.recipe([pair.a.checkpoint, pair.b.checkpoint], precision: choices.precision)
        return try plotting.outcome(report, picture, session)
    }

    private func checkMeasure() throws {
        guard let measure, Measure(rawValue: measure) == nil else { return }
        let names = Measure.allCases.map(\.rawValue)
        throw CommandError(
            "there is no measure \"\(measure.escapedForTerminal)\"",
            remedy: Suggestion.remedy(
                for: measure, among: names, after: "; a text comes after it: compare A B logits TEXT"),
            exitCode: 2)
    }

    private func promptSet(_ session: Session) throws -> PromptSet {
        guard text.isEmpty != (prompts == nil) else {
            throw CommandError(
                "compare takes a text or --prompts", remedy: "make a set with: NAME = prompts FILE", exitCode: 2)
        }
        if let prompts { return try session.prompts(named: prompts) }
        return PromptSet(
            source: "the command line", prompts: [.init(text: text.joined(separator: " "))], isChat: false)
    }

    /// How many prompts are listed; nil: none.
    private func listedPrompts() throws -> Int? {
        guard each else {
            guard top == nil else { throw CommandError("--top goes with --each", remedy: "add --each", exitCode: 2) }
            return nil
        }
        guard prompts != nil else {
            throw CommandError("--each lists prompts", remedy: "give --prompts instead of a text", exitCode: 2)
        }
        return try checkedCount(top ?? 10, "--top")
    }

    private func roundingNotes(
        _ pair: CheckpointPair, _ ids: [Int32], _ precision: Precision, _ session: Session
    ) throws -> [String] {
        try [pair.a, pair.b].flatMap { side in
            try session.roundingNotes(side.checkpoint, ids, precision).map { "\(side.name), \($0)" }
        }
    }
}
