package import ArgumentParser
import Language
import Reports
import Sites
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
        .text, needsCheckpoint: true, makesValue: true, kinds: ["at": .position, "sites": .site],
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
        let texts = try checkpoint.tokenTexts()
        let facts = try checkpoint.facts()
        let ids = try input.ids(checkpoint, session)
        let position = try Position(at)
        guard position != .all, position != .mean else {
            throw CommandError("lens looks at one position", remedy: "give --at last, first, a number or token:WORD")
        }
        let picture = try plotting.prepare(session)
        let sites = try chosenSites(facts)
        let choices = try options.choices(session)
        let found = try LensRun(session.context(), checkpoint).run(ids, at: position, sites: sites, choices: choices)
        var table = Table(
            "lens",
            columns: [
                "site", .init("token", isQuoted: true), "probability", .init("entropy", unit: "nats"),
                .init("KL", unit: "nats"), "rank",
                "P(answer)",
            ])
        var series = Series("KL to the final answer", x: .init("layer"), y: .init("KL", unit: "nats"))
        for (index, row) in found.rows.enumerated() {
            table.append([
                .text(row.site.shortName), .text(texts.piece(Int32(row.likeliest))), .number(row.probability),
                .number(row.entropy), .number(row.divergence), .integer(row.rankOfAnswer),
                .number(row.probabilityOfAnswer),
            ])
            series.points.append(.init(x: Double(index), y: row.divergence))
        }
        return try plotting.outcome(
            Report(
                title: "answer: \"\(texts.piece(Int32(found.answer)))\"", tables: [table], series: [series],
                notes: try session.context().roundingNotes(checkpoint, ids, choices.precision),
                recipe: session.recipe(checkpoint, precision: choices.precision)), picture, session)
    }

    /// Returns the sites of `--sites` in the order of computation, or nil if the option is not given.
    ///
    /// - Throws: `CommandError` if one is not as wide as the residual stream.
    private func chosenSites(_ facts: CheckpointFacts) throws -> [Site]? {
        guard let sites else { return nil }
        let chosen = try Set(SiteExpression.list(sites).flatMap { try facts.sites($0) }).sorted()
        let streams: Set<Site.Kind> = [.embed, .residPre, .residMid, .residPost, .attnOut, .mlpOut]
        if let other = chosen.first(where: { !streams.contains($0.kind) }) {
            throw CommandError(
                "\(other.shortName) is no part of the residual stream",
                remedy: "give resid_pre, resid_mid, resid_post, attn_out, mlp_out or embed", exitCode: 2)
        }
        return chosen
    }
}
