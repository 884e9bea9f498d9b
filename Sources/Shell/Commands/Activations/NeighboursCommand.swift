package import ArgumentParser
import Language
import Provenance
import Reports
import TerminalText
import Workbench

package struct NeighboursCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "neighbours",
        abstract: "The points nearest to one, or each point's nearest, with distances and texts.",
        discussion: """
            The point is a row's number (negative from the end), or the text of a prompt, or a part of it that only one has.
            Without either, each row's nearest is listed. Distances are Euclidean; beside them stands their ratio to the
            median distance between points of the set: near 1, a nearest point is about as far as any other, and nothing is
            local. cosine is that of the rows as they are, centred cosine after the mean of the set is taken off, which all
            rows share. Where prompts have labels, same label is how often a neighbour has the row's own (with 95 %, Wilson),
            and its null how often any other row has.
            """)
    package static let traits = CommandTraits(
        .activations, makesValue: true, kinds: ["points": .points, "site": .site],
        examples: [
            "ball = points Tests/Fixtures/points/ball.npy", "neighbours ball 0 --k 5",
            "corpus = prompts Scripts/prompts/facts.jsonl --sample 50",
            "acts = capture resid_post[-1] --prompts corpus", "neighbours acts 0", "neighbours acts",
        ])

    @Argument(help: "A capture, or points.") var points: String
    @Argument(help: "A row's number, or a prompt's text; all rows when left out.") var row: [String] = []
    @Option(help: "One of a capture's sites; needed if it has several.") var site: String?
    @Option(name: [.customShort("k"), .long], help: "Neighbours: 10 of one row, 1 of each when left out.") var k: Int?

    /// The largest number of rows each of which is compared with all others, which takes about a minute.
    private static let allLimit = 20_000

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let source = try session.pointSource(named: points, site: site)
        guard source.count > 1 else {
            throw CommandError("\(points) has one row, and no neighbours", remedy: "take more points")
        }
        let one = row.isEmpty ? nil : try source.row(named: row.joined(separator: " "), of: points)
        let k = try checkedCount(k ?? (one == nil ? 1 : min(10, source.count - 1)), "--k")
        guard k < source.count else {
            throw CommandError(
                "--k \(k) is too much: a row has \(counted(source.count - 1, "other"))", remedy: "give less",
                exitCode: 2)
        }
        guard one != nil || source.count <= Self.allLimit else {
            throw CommandError(
                "\(source.count) rows are too many to compare all of them", remedy: "give one row, or sample fewer")
        }
        guard one != nil || source.count * k <= 4_000_000 else {
            throw CommandError(
                "\(k) neighbours of \(source.count) rows are too many to list",
                remedy: "give less with --k, or one row",
                exitCode: 2)
        }
        var report = try NeighbourReport(source: source, k: k, session: session).report(of: one)
        report.recipe = session.recipe()
        report.recipe?.inputs += source.inputs
        return Outcome(report)
    }
}
