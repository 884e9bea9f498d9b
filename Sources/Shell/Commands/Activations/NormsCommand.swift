package import ArgumentParser
import Checkpoints
import Language
import Reports
import Sites
import Statistics
import TerminalText
import Workbench

package struct NormsCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "norms", abstract: "The norm of each token's residual stream, by layer.",
        discussion: """
            For a text, the table has a row for each token and a column for each site. A number is the Euclidean norm of the
            activation and has no unit. The first token is often an outlier from an early layer on; attention shows it as a
            sink. For --prompts, the table has a row for each site: the mean over tokens with its 95 % interval over distinct
            prompts, the median, the least and the largest. It leaves out BOS and outlier first rows, as capture does.

            --sites takes all sites that hold a row for each token, such as resid_pre, resid_mid, attn_out, mlp_out and
            mlp.post. --plot draws the mean by site, without BOS and outlier first rows; for a text it also draws a heat map
            of tokens and sites.
            """)
    package static let traits = CommandTraits(
        .activations, needsCheckpoint: true, makesValue: true, kinds: ["prompts": .prompts, "sites": .site],
        examples: ["norms \"The capital of France is\"", "norms \"one two one two\" --sites attn_out[*] --plot"])

    @Argument(help: "The text.") var text: [String] = []
    @OptionGroup var turn: TurnOptions
    @Option(help: "A set of prompts instead of a text.") var prompts: String?
    @Option(help: "Sites with commas between; hook_embed and resid_post[*] when left out.") var sites: String?
    @OptionGroup var rows: FirstRowsOption
    @OptionGroup var plotting: PlotOption

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let set = try turn.set(text, or: prompts, "norms takes a text", in: session)
        let checkpoint = try session.checkpoint()
        let picture = try plotting.prepare(session)
        let sites = try checkpoint.facts().rowSites(sites ?? "hook_embed,resid_post[*]")
        let capture = try session.captured(
            sites.map(\.fullName), of: set, at: "all", includesLeading: prompts == nil, keepsFirst: rows.withFirst)
        let found = try sites.map { (site: $0, norms: try capture.numbers($0.fullName).rowNorms) }
        var report = prompts == nil ? try ofText(found, capture, checkpoint) : ofPrompts(found, capture)
        report.recipe = session.recipe(checkpoint, precision: session.settings.precision)
        return try plotting.outcome(report, picture, session)
    }

    private func ofText(
        _ found: [(site: Site, norms: [Double])], _ capture: Capture, _ checkpoint: LoadedCheckpoint
    ) throws -> Report {
        let texts = try checkpoint.tokenTexts()
        let tokens = capture.rows.map { texts.piece($0.token) }
        var table = Table(
            "norms", columns: ["position", .init("token", isQuoted: true)] + found.map { .init($0.site.shortName) })
        for (row, token) in tokens.enumerated() {
            table.append(
                [.integer(Int(capture.rows[row].position)), .text(token)] + found.map { .number($0.norms[row]) })
        }
        let ids = capture.rows.map(\.token)
        // BOS is an outlier, and would be most of the mean; so is a first token that takes its part.
        let leading = min(try checkpoint.leadingTokens(of: ids), max(0, ids.count - 1))
        let averaged = found.map { (site: $0.site, norms: Array($0.norms.dropFirst(leading))) }
        let outlier = rows.withFirst ? nil : FirstRowsLeftOut(averaged, position: leading)
        let labels = tokens.enumerated().map { "\($0.offset) \"\($0.element)\"" }
        return Report(
            title: "\(counted(tokens.count, "token")), \(counted(found.count, "site"))", tables: [table],
            series: [curve(outlier == nil ? averaged : averaged.map { ($0.site, Array($0.norms.dropFirst())) })],
            grids: [
                Grid(
                    "norms", rows: .init("token", labels: labels),
                    columns: .init(
                        "site", labels: found.enumerated().map { "\($0.offset) \($0.element.site.shortName)" }),
                    value: .init("norm"), values: tokens.indices.flatMap { row in found.map { $0.norms[row] } })
            ],
            notes: ["One text: no interval." + (leading > 0 ? " The mean by site leaves out BOS." : "")]
                + (outlier.map { ["\($0) --with-first keeps it in the mean by site."] } ?? []))
    }

    private func ofPrompts(_ found: [(site: Site, norms: [Double])], _ capture: Capture) -> Report {
        let prompts = capture.rows.map(\.prompt)
        let places = Dictionary(grouping: prompts.indices) { prompts[$0] }.sorted { $0.key < $1.key }.map(\.value)
        var table = Table("norms", columns: ["site", "mean", "median", "least", "largest"])
        for (site, norms) in found {
            let quantiles = Quantiles(norms)
            let mean = ClusteredMean(places.map { $0.map { norms[$0] } })
            table.append(
                [.text(site.shortName), Cell(mean.map { Estimate($0, within: 0 ... .infinity) })]
                    + [0.5, 0, 1].map { Cell(quantiles?[$0]) })
        }
        return Report(
            title: "\(counted(prompts.count, "token")) of \(counted(places.count, "prompt"))", tables: [table],
            series: [curve(found)],
            notes: places.count > 1 ? ["Intervals are 95 %, normal, over prompts."] : ["One prompt: no interval."])
    }

    private func curve(_ found: [(site: Site, norms: [Double])]) -> Series {
        let sites = found.map(\.site)
        return Series(
            "mean norm", x: LayerAxis.axis(sites), y: .init("norm"),
            points: found.enumerated().map { index, site in
                .init(x: LayerAxis.place(sites, index), y: site.norms.reduce(0, +) / Double(site.norms.count))
            })
    }
}
