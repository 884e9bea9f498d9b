package import ArgumentParser
import Reports
import Workbench

package struct SteerCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "steer", abstract: "Add a direction to the residual stream in every run from now on.",
        discussion: """
            h <- h + a r at the site where the direction was found, or at --sites, at all positions or at --positions (Turner et al. 2023; Arditi
            et al. 2024, eq. 3). --strength a counts in lengths of the difference that the direction was made of: 1 carries the
            mean of one class to that of the other, -1 back. With --relative it counts in the length of the row that is steered:
            h <- h + a |h| r/|r|. Of several directions the first is added.

            The prompt shows the edits in force, such as tuned[+2r]>; edits lists them and takes them away.
            """)
    package static let traits = CommandTraits(
        .directions, needsCheckpoint: true, changesState: true,
        kinds: ["direction": .subspace, "sites": .site, "positions": .choice(EditSites.positionWords)])

    @Argument(help: "A direction.") var direction: String
    @Option(help: "How much of it: 1 is the whole difference, -1 against it.") var strength = 1.0
    @Flag(help: "Count --strength in lengths of each row.") var relative = false
    @Option(help: "Where, with commas between; the direction's own site when left out.") var sites: String?
    @Option(help: "all, prompt (not what is generated), last (of the prompt), first, a position from 0, or from:N.")
    var positions = "all"

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let checkpoint = try session.checkpoint()
        var request = SteeringRequest(direction, command: session.commandLine)
        (request.strength, request.isRelative, request.sites, request.positions) =
            (strength, relative, sites, positions)
        let entry = try request.entry(of: session.subspace(named: direction), in: checkpoint)
        checkpoint.edits.add(entry)
        return .message(Report(text: entry.summary))
    }
}
