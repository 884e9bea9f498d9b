package import ArgumentParser
import Directions
import Language
import Provenance
import Reports
import Sites
import TerminalText
import Workbench

package struct ProjectCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "project", abstract: "Where rows of a capture lie along directions, by label.",
        discussion: """
            The coordinate of a row along a direction is its product with the unit vector; of a subspace there is one for each
            direction of its orthonormal basis. The table has the mean, the standard deviation and quantiles of each label (or
            of each prompt with --by prompt), and how well a coordinate tells two labels apart: AUC, the share of pairs in
            which the first is higher, with its 95 % interval (Newcombe 2006); 0.5 is no difference.

            --against takes the rows of a second capture as the other group, in place of labels. Without --site the site is
            that of the directions. --rows lists each row. plot draws the histograms of the first direction, or of
            --direction N.
            """)
    package static let traits = CommandTraits(
        .directions, makesValue: true,
        kinds: [
            "capture": .capture, "directions": .subspace, "against": .capture, "site": .site,
            "by": .choice(ProjectedRows.Grouping.allCases.map(\.rawValue)),
        ],
        examples: [
            "facts = prompts Scripts/prompts/facts.jsonl --label capital --label trade --sample 80",
            "acts = capture resid_pre[3] --prompts facts",
            "capitals = prompts Scripts/prompts/facts.jsonl --label capital --limit 40",
            "open = prompts Scripts/prompts/open.txt --limit 40", "r = direction capitals open --at resid_pre[3]",
            "project acts r --plot",
        ])

    @Argument(help: "A capture.") var capture: String
    @Argument(help: "A direction or a subspace.") var directions: String
    @Option(help: "A capture whose rows are the other group.") var against: String?
    @Option(help: "One of the captures' sites.") var site: String?
    @Option(help: "label or prompt.") var by = ProjectedRows.Grouping.label.rawValue
    @Option(help: "The direction whose histograms are drawn, from 1.") var direction = 1
    @Flag(help: "List each row.") var rows = false
    @OptionGroup var plotting: PlotOption

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let subspace = try session.subspace(named: directions)
        guard let grouping = ProjectedRows.Grouping(rawValue: by) else {
            throw CommandError("--by can't be \(by.escapedForTerminal)", remedy: "give label or prompt", exitCode: 2)
        }
        guard (1...subspace.dimension).contains(direction) else {
            throw CommandError(
                "\(directions.escapedForTerminal) has \(counted(subspace.dimension, "direction")), and no number"
                    + " \(direction)", remedy: "give --direction 1 to \(subspace.dimension)", exitCode: 2)
        }
        let picture = try plotting.prepare(session)
        var notes: [String] = []
        var parts: [ProjectedRows.Part] = []
        for name in [capture] + (against.map { [$0] } ?? []) {
            let source = try session.pointSource(named: name, site: site, or: subspace.site)
            if let place = subspace.site, source.name != place.fullName {
                notes.append(
                    "\(directions.escapedForTerminal) was found at \(place.shortName), the rows are of"
                        + " \(source.name.escapedForTerminal).")
            }
            guard source.width == subspace.width else {
                throw CommandError(
                    "\(name.escapedForTerminal) has rows of width \(source.width), and"
                        + " \(directions.escapedForTerminal) has width \(subspace.width)",
                    remedy: "take both from one model, or choose another site with --site", exitCode: 2)
            }
            parts.append(try ProjectedRows.Part(name: name, source: source, onto: subspace, in: session.context()))
        }
        let projection = ProjectionReport(
            name: directions, projection: ProjectedRows(parts, by: against == nil ? grouping : .capture),
            drawn: direction - 1)
        var report = projection.report(listsRows: rows)
        report.notes += notes
        var recipe = session.recipe(of: [(directions, subspace)])
        recipe.inputs += parts.flatMap(\.source.inputs)
        report.recipe = recipe
        return try plotting.outcome(report, picture, session)
    }
}
