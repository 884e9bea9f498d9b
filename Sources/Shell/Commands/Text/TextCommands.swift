package import ArgumentParser
import Language
import Reports
import Sites
import Statistics
import TerminalText
import Workbench

package struct TokensCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "tokens", abstract: "Show how a text becomes tokens.",
        discussion: "With --at the tokens are marked that other commands take at this position; see help positions.")
    package static let traits = CommandTraits(
        .text, needsCheckpoint: true, makesValue: true, kinds: ["at": .position],
        examples: ["tokens \"The capital of France is\"", "tokens \"The capital of France is\" --at token:France"])

    @OptionGroup var input: TextInput
    @Option(help: "Positions to mark: last, first, all, 5, -2, token:WORD.") var at: String?

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let checkpoint = try session.checkpoint()
        let texts = try checkpoint.tokenTexts()
        let encoded = try input.encoded(checkpoint, session, isRun: false)
        let ids = encoded.ids[0]
        let chosen = try at.map {
            try Set(session.context().positions(Position($0), checkpoint, encoded, includesLeading: false)[0])
        }
        let columns: [Table.Column] = ["position", "id", .init("text", isQuoted: true), "token"]
        var table = Table("tokens", columns: columns + (chosen == nil ? [] : ["chosen"]))
        for (position, id) in ids.enumerated() {
            table.append(
                [.integer(position), .integer(Int(id)), .text(texts.piece(id)), .text(texts.token(id) ?? "?")]
                    + (chosen.map { [.text($0.contains(position) ? "yes" : "")] } ?? []))
        }
        return Outcome(Report(title: counted(ids.count, "token"), tables: [table]))
    }
}

package struct NextCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "next", abstract: "The likeliest next tokens after a text.",
        discussion:
            "Beside each probability stands the surprise in nats, and above them the entropy of the whole answer.")
    package static let traits = CommandTraits(
        .text, needsCheckpoint: true, makesValue: true,
        examples: [
            "next \"The capital of France is\" --top 5", "next \"The capital of France is\" --top 5 --precision bf16",
        ])

    @OptionGroup var input: TextInput
    @Option(name: [.customShort("n"), .long], help: "How many.") var top = 10
    @OptionGroup var options: RunOptions

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let checkpoint = try session.checkpoint()
        let texts = try checkpoint.tokenTexts()
        let ids = try input.ids(checkpoint, session)
        let vocabulary = try checkpoint.facts().vocabularySize
        let count = try checkedCount(top, "--top", limit: vocabulary)
        let choices = try options.choices(session)
        let distribution = try session.context().answer(checkpoint, after: ids, choices: choices)
        var table = Table(
            "next",
            columns: [
                "rank", .init("token", isQuoted: true), "id", "probability", .init("surprise", unit: "nats"), "logit",
            ])
        for (rank, id) in distribution.top(count).enumerated() {
            let probability = distribution.probability(id)
            table.append([
                .integer(rank + 1), .text(texts.piece(Int32(id))), .integer(id), .number(probability),
                .number(distribution.surprise(id)), .number(Double(distribution.logits[id])),
            ])
        }
        return Outcome(
            Report(
                scalars: [Scalar("entropy", .number(distribution.entropy), unit: "nats")], tables: [table],
                notes: try session.context().roundingNotes(checkpoint, ids, choices.precision),
                recipe: session.recipe(checkpoint, precision: choices.precision)))
    }
}

package struct LossCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "loss", abstract: "Cross-entropy of a text or of a set of prompts, in nats a token.",
        discussion: """
            For one text the table has every token's loss. For prompts the mean is over all tokens, and its interval (95 %,
            normal) is over prompts, since tokens of one prompt are not independent. The null is the loss of a uniform
            guess, ln of the vocabulary's size.
            """)
    package static let traits = CommandTraits(
        .text, needsCheckpoint: true, makesValue: true, kinds: ["prompts": .prompts],
        examples: ["loss \"Paris is the capital of France.\""])

    @Argument(help: "The text.") var text: [String] = []
    @OptionGroup var turn: TurnOptions
    @Option(help: "A set of prompts instead of a text.") var prompts: String?
    @OptionGroup var options: RunOptions

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let checkpoint = try session.checkpoint()
        let set = try turn.set(text, or: prompts, "loss takes a text", in: session)
        let encoded = try checkpoint.encode(set, in: session.context()).ids
        let kept = encoded.filter { $0.count > 1 }
        guard !kept.isEmpty else {
            throw CommandError("a loss needs two tokens", remedy: "give a longer text")
        }
        let choices = try options.choices(session)
        let losses = try session.context().losses(checkpoint, kept, choices: choices)
        let uniform = Elementary.log(Double(try checkpoint.facts().vocabularySize))
        guard let loss = ClusteredMean(losses) else { return .none }
        var scalars = [
            Scalar("loss", Cell(loss), unit: "nats a token", null: uniform),
            Scalar("perplexity", .number(Elementary.exp(loss.mean))),
            Scalar("tokens predicted", .integer(loss.count)),
        ]
        var notes: [String] = []
        var tables: [Table] = []
        if prompts == nil {
            let texts = try checkpoint.tokenTexts()
            var table = Table(
                "tokens", columns: ["position", .init("token", isQuoted: true), .init("loss", unit: "nats")])
            for (index, loss) in losses[0].enumerated() {
                table.append([.integer(index + 1), .text(texts.piece(kept[0][index + 1])), .number(loss)])
            }
            tables = [table]
        } else {
            scalars.append(Scalar("prompts", .integer(kept.count)))
            if kept.count < encoded.count {
                let left = encoded.count - kept.count
                notes.append("\(counted(left, "prompt")) of one token \(agreeing(left, "was", "were")) left out.")
            }
            if kept.count > 1 { notes.append("The interval is 95 %, normal, over prompts.") }
        }
        scalars.append(
            Scalar("uniform guess", .number(uniform), unit: "nats a token", note: "the null: ln(vocabulary)"))
        notes += try session.context().roundingNotes(checkpoint, kept[0], choices.precision)
        return Outcome(
            Report(
                scalars: scalars, tables: tables, notes: notes,
                recipe: session.recipe(checkpoint, precision: choices.precision)))
    }
}
