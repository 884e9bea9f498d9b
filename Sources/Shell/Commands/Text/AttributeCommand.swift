package import ArgumentParser
import Directions
import Language
import Reports
import Sites
import TerminalText
import Workbench

package struct AttributeCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "attribute", abstract: "What each part of the model adds to a logit: direct logit attribution.",
        discussion: """
            The residual stream at the last position is a sum: embedding, attention and MLP of each layer. Read through the
            final norm, its scale frozen, each of them adds a number to the logit of a token, and with the norm's bias the numbers
            sum to the logit (Elhage et al. 2021; TransformerLens, decompose_resid). The residual bounds what they miss it by: that
            is rounding, below 1e-5 as a rule.

            --answer is the token; the likeliest when left out. --versus gives another whose logit is taken off, so that what
            raises all logits alike is gone. Both are one token each: quote a blank that belongs to it, as in " Paris". --heads
            divides attention into heads and the bias that belongs to none (not in gemma2, gemma3 and olmo2, where a norm stands
            behind them). What edits add to the stream is a line of its own.

            The null of each number is the same part's number for random tokens in the answer's place. --prompts takes a set
            instead of a text: means, with intervals over prompts. Without --answer each prompt's own likeliest token is taken.
            --order size puts the largest first, as --heads does (20 of them); plot draws layers, and with --heads a heat map.
            """)
    package static let traits = CommandTraits(
        .text, needsCheckpoint: true, makesValue: true,
        kinds: [
            "prompts": .prompts, "at": .position,
            "order": .choice(AttributionReport.Order.allCases.map(\.rawValue)),
        ],
        examples: [
            "attribute \"The capital of France is\"",
            "attribute \"The capital of France is\" --heads --top 5 --plot",
            "corpus = prompts Scripts/prompts/open.txt --limit 20", "attribute --prompts corpus --order size --top 5",
        ])

    @Argument(help: "The text; quote it if it has blanks at its ends.") var text: [String] = []
    @OptionGroup var turn: TurnOptions
    @Option(help: "A set of prompts instead of a text.") var prompts: String?
    @Option(help: "The token whose logit is explained.") var answer: String?
    @Option(help: "A token whose logit is taken off it.") var versus: String?
    @Flag(help: "Divide attention into heads.") var heads = false
    @Option(help: "The position: last, first, a number, or token:WORD.") var at = "last"
    @Option(help: "layer or size.") var order: String?
    @Option(name: [.customShort("n"), .long], help: "How many components are listed.") var top: Int?
    @OptionGroup var options: RunOptions
    @OptionGroup var plotting: PlotOption

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let checkpoint = try session.checkpoint()
        let texts = try checkpoint.tokenTexts()
        let order = try chosenOrder()
        let top = try top.map { try checkedCount($0, "--top") } ?? (heads && self.order == nil ? 20 : nil)
        let set = try turn.set(text, or: prompts, "attribute takes a text", in: session)
        let encoded = try checkpoint.encode(set, in: session.context())
        let position = try Position(at)
        guard position != .all, position != .mean else {
            throw CommandError(
                "attribute looks at one position", remedy: "give --at last, first, a number or token:WORD", exitCode: 2)
        }
        let answer = try answer.map { try checkpoint.token($0, "--answer") }
        let versus = try versus.map { try checkpoint.token($0, "--versus") }
        if let answer, answer == versus {
            throw CommandError("--answer and --versus are the same token", remedy: "give another", exitCode: 2)
        }
        let picture = try plotting.prepare(session)
        let choices = try options.choices(session)
        let places = try session.context().positions(position, checkpoint, encoded, includesLeading: true)
        let run = try AttributionRun(
            session.context(), checkpoint, encoded.ids, positions: places.map { $0[0] }, answer: answer, versus: versus,
            hasHeads: heads, choices: choices)
        func quoted(_ token: Int32) -> String { "\"\(texts.piece(token))\"" }
        let named =
            prompts == nil || answer != nil ? quoted(run.answers[0]) : "each prompt's likeliest token"
        let result = AttributionReport(
            run: run, facts: try checkpoint.facts(),
            subject: "the logit of \(named)" + (versus.map { " less that of \(quoted($0))" } ?? ""),
            isDifference: versus != nil, hasHeads: heads)
        var report = result.report(order: order, top: top)
        report.notes += try session.context().roundingNotes(checkpoint, encoded.ids[0], choices.precision)
        report.recipe = session.recipe(checkpoint, precision: choices.precision)
        return try plotting.outcome(report, picture, session)
    }

    private func chosenOrder() throws -> AttributionReport.Order {
        guard let order else { return heads ? .size : .layer }
        guard let chosen = AttributionReport.Order(rawValue: order) else {
            throw CommandError(
                "--order can't be \(order.escapedForTerminal)",
                remedy: Suggestion.remedy(for: order, among: AttributionReport.Order.allCases.map(\.rawValue)),
                exitCode: 2)
        }
        return chosen
    }
}
