import Comparison
import Reports
import Statistics
import TerminalText
import Workbench

/// The measure `compare A B text`: both checkpoints' replies.
struct CompareText {
    let command: CompareCommand
    let pair: CheckpointPair
    let session: Session

    /// The number of replies that are listed unless `--top` gives another.
    private static let listed = 10

    /// Whether one text is compared, whose replies are shown even if they are the same.
    private var isText: Bool { command.prompts == nil }

    func outcome() throws -> Outcome {
        let set = try command.promptSet(session)
        let top = try checkedCount(command.top ?? Self.listed, "--top")
        let tokens = try checkedCount(command.tokens ?? 24, "--tokens")
        let choices = try command.options.choices(session)
        let decodings = try [pair.a, pair.b].map { side in
            try Decoding(
                side, side.checkpoint.encode(set, in: session.context()).ids, set: set,
                choices: DecodingChoices(
                    tokens: tokens, seed: session.settings.seed, stops: [], ignoresEnd: false))
        }
        try session.context().run(decodings, precision: choices.precision)
        for decoding in decodings { _ = decoding.made.finish() }
        let replies = try ReplyComparison(pair, decodings[0].made, decodings[1].made)
        var report = Report(
            title: "\(pair.a.name) and \(pair.b.name): what they reply",
            scalars: scalars(set, replies), tables: [table(set, replies, top)],
            notes: [
                "The likeliest token at each step, up to \(tokens). Intervals are Wilson's, 95 %; the null is a checkpoint beside"
                    + " itself, which replies the same."
            ])
        if replies.sameInTextOnly > 0 {
            report.notes.append(
                "\(replies.sameInTextOnly) of those that differ \(agreeing(replies.sameInTextOnly, "has", "have")) the same"
                    + " text in other tokens.")
        }
        let different = replies.isSame.count { !$0 }
        if different > top {
            let left = different - top
            report.notes.append(
                "\(left) more that \(agreeing(left, "differs is", "differ are")) not listed; --top lists more.")
        }
        report.recipe = session.recipe([pair.a.checkpoint, pair.b.checkpoint], precision: choices.precision)
        return Outcome(report)
    }

    private func scalars(_ set: PromptSet, _ replies: ReplyComparison) -> [Scalar] {
        let same = Proportion(replies.isSame)
        let how = replies.isByTokens ? "by token ids" : "by their texts, since the tokenizers differ"
        var scalars = [
            Scalar("same reply", Cell(same), note: "\(same.successes) of \(same.trials), \(how)", null: 1)
        ]
        if let begins = replies.beginsSame.map({ Proportion($0) }) {
            scalars.append(
                Scalar("same first token", Cell(begins), note: "\(begins.successes) of \(begins.trials)", null: 1))
        }
        if !replies.tokensInCommon.isEmpty {
            scalars.append(
                Scalar(
                    "tokens in common", .integer(replies.tokensInCommon[replies.tokensInCommon.count / 2]),
                    note: "median of the replies that differ, before they do"))
        }
        let key = AnswerKey(set.prompts)
        guard key.count > 0 else { return scalars }
        let right = replies.texts.map { key.isRight($0).compactMap(\.self) }
        for (side, right) in zip([pair.a, pair.b], right) {
            let share = Proportion(right)
            scalars.append(Scalar("right \(side.name)", Cell(share), note: "\(share.successes) of \(share.trials)"))
        }
        let only = (a: zip(right[0], right[1]).count { $0 && !$1 }, b: zip(right[0], right[1]).count { !$0 && $1 })
        scalars.append(
            Scalar(
                "right only in one", .integer(only.a + only.b),
                note: "\(only.a) in \(pair.a.name), \(only.b) in \(pair.b.name); p"
                    + " \(NumberFormat.significant(SignTest.p(only.a, only.b))) (exact sign test)"))
        return scalars
    }

    private func table(_ set: PromptSet, _ replies: ReplyComparison, _ top: Int) -> Table {
        var columns: [Table.Column] = ["prompt"]
        if set.hasLabels { columns.append("label") }
        columns += [.init("prompt text", isQuoted: true)]
        columns += [pair.a, pair.b].map { .init($0.name, isQuoted: true) }
        var table = Table(isText ? "replies" : "replies that differ", columns: columns)
        for prompt in replies.isSame.indices.filter({ !replies.isSame[$0] || isText }).prefix(top) {
            var row: [Cell] = [.integer(set.places[prompt])]
            if set.hasLabels { row.append(set.prompts[prompt].labelCell) }
            table.append(row + [.text(set.prompts[prompt].text)] + replies.texts.map { .text($0[prompt]) })
        }
        return table
    }
}
