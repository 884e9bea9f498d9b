package import ArgumentParser
import Language
import LinearAlgebra
import Models
import Reports
import Sites
import Tokenizers
import Workbench

package struct LensCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "lens", abstract: "What each layer would answer: the logit lens.",
        discussion: """
            The residual stream at the last position, after each layer, goes through the final norm and the output matrix
            (nostalgebraist 2020). KL is from the final answer to the layer's; rank is where the layer puts the final answer's
            token. Raw weights: nothing is folded or centred.

            --sites takes any sites as wide as the residual stream: resid_pre, resid_mid, resid_post, attn_out, mlp_out,
            embed. What one part adds (attn_out, mlp_out) is read as if it were the whole stream.
            """)
    package static let traits = CommandTraits(
        .text, needsCheckpoint: true, makesValue: true, kinds: ["at": .position, "sites": .site, "plot": .file],
        optionalValues: ["plot": PlotOption.isFile],
        examples: [
            "lens \"The capital of France is\"", "lens \"The capital of France is\" --sites resid_mid[*],resid_post[*]",
            "lens \"The capital of France is\" --plot",
        ])

    @OptionGroup var input: TextInput
    @Option(help: "The position: last, first, a number, or token:WORD.") var at = "last"
    @Option(help: "Sites, with commas between; embed and every resid_post when left out.") var sites: String?
    @OptionGroup var options: RunOptions

    @OptionGroup var plotting: PlotOption

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let checkpoint = try session.checkpoint()
        let tokenizer = try checkpoint.tokenizer()
        let c = try checkpoint.configuration()
        let ids = try input.ids(checkpoint)
        let position = try Position(at)
        guard position != .all, position != .mean else {
            throw CommandError("lens looks at one position", remedy: "give --at last, first, a number or token:WORD")
        }
        let picture = try plotting.prepare(session)
        let sequences = TokenSequences([ids])
        let positions = try session.context().positions(position, checkpoint, ids: [ids], includesLeading: true)
        let selection = RowSelection(sequences, positions: positions, isMean: false)
        let last = Site(.residPost, layer: c.layers - 1)
        let shown = try chosenSites(c) ?? [Site(.embed)] + (0..<c.layers).map { Site(.residPost, layer: $0) }
        // The final answer is what the others are compared with.
        let sites = shown.contains(last) ? shown : shown + [last]
        let choices = try options.choices(session)
        let sink = MatrixSink(rows: 1)
        try session.context().run(
            checkpoint, sequences, taps: [SiteCollector(sites: sites, selection: selection, sink: sink)],
            choices: choices)
        let stacked = Matrix(
            rows: sites.count, columns: c.hiddenSize, values: sites.flatMap { sink.matrices[$0]?.values ?? [] })
        var answers: [Distribution?] = Array(repeating: nil, count: sites.count)
        try checkpoint.namingBadTensors(session.context()) {
            try session.context().runner(checkpoint, precision: choices.precision).unembed(
                stacked, control: session.control
            ) {
                range, logits, _ in
                for (index, row) in range.enumerated() {
                    answers[row] = try Distribution(logits + index * c.vocabularySize, count: c.vocabularySize)
                }
            }
        }
        let all = answers.compactMap(\.self)
        guard let place = sites.firstIndex(of: last), all.indices.contains(place) else { return .none }
        let final = all[place]
        let answer = final.top(1)[0]
        var table = Table(
            "lens",
            columns: [
                "site", .init("token", isQuoted: true), "probability", .init("entropy", unit: "nats"),
                .init("KL", unit: "nats"), "rank",
                "P(answer)",
            ])
        var series = Series("KL to the final answer", x: .init("layer"), y: .init("KL", unit: "nats"))
        for (index, distribution) in all.prefix(shown.count).enumerated() {
            let best = distribution.top(1)[0]
            let divergence = final.divergence(from: distribution)
            table.append([
                .text(sites[index].shortName), .text(tokenizer.piece(Int32(best))),
                .number(distribution.probability(best)), .number(distribution.entropy), .number(divergence),
                .integer(distribution.rank(of: answer)), .number(distribution.probability(answer)),
            ])
            series.points.append(.init(x: Double(index), y: divergence))
        }
        return try plotting.outcome(
            Report(
                title: "answer: \"\(tokenizer.piece(Int32(answer)))\"", tables: [table], series: [series],
                notes: try session.context().roundingNotes(checkpoint, ids, choices.precision),
                recipe: session.recipe(checkpoint, precision: choices.precision)), picture, session)
    }

    /// The sites of `--sites`, in the order of computation; nil if it is not given.
    private func chosenSites(_ c: ModelConfiguration) throws -> [Site]? {
        guard let sites else { return nil }
        let chosen = try Set(SiteExpression.list(sites).flatMap { try SiteExpression.parse($0, in: c) }).sorted()
        let streams: Set<Site.Kind> = [.embed, .residPre, .residMid, .residPost, .attnOut, .mlpOut]
        if let other = chosen.first(where: { !streams.contains($0.kind) }) {
            throw CommandError(
                "\(other.shortName) is no part of the residual stream",
                remedy: "give resid_pre, resid_mid, resid_post, attn_out, mlp_out or embed", exitCode: 2)
        }
        return chosen
    }
}
