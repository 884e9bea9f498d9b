package import ArgumentParser
import Directions
import Language
import LinearAlgebra
import Models
import Reports
import Sites
import TerminalText
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
        let c = try checkpoint.configuration()
        let subspace = try session.subspace(named: direction)
        try EditSites.check(subspace, direction, c)
        try EditSites.checkStrength(strength)
        let places = try EditSites.positions(positions, c)
        let chosen: [Site]
        if let sites {
            chosen = try EditSites.parse(sites, c, of: subspace)
        } else if let site = subspace.site {
            chosen = [site]
        } else {
            throw CommandError(
                "\(direction) does not say where it was found", remedy: "say where to add it: --sites SITE", exitCode: 2
            )
        }
        let (strength, relative) = (strength, relative)
        let edits: @Sendable (Subspace) -> [any Edit] = { other in
            let row = relative ? other.basis.row(0) : other.vectors.row(0)
            return [
                Steering(
                    vector: row.map { Float(strength) * $0 }, isRelative: relative, sites: chosen, positions: places)
            ]
        }
        let factor = NumberFormat.significant(strength)
        let amount = "\(strength < 0 ? "" : "+")\(strength == 1 ? "" : strength == -1 ? "-" : factor)"
        let entry = EditStack.Entry(
            label: "\(amount)\(direction)",
            summary: "\(factor) times \(direction)\(relative ? ", in lengths of each row," : "") added at"
                + " \(EditSites.text(chosen))\(EditSites.suffix(positions))",
            command: session.commandLine,
            edits: edits(subspace),
            digest: EditSites.digest(
                subspace.vectors.row(0) + [Float(strength), relative ? 1 : 0], chosen, positions),
            control: EditStack.Control(
                directions: try subspace.prefix(1), site: subspace.site ?? chosen[0], edits: edits))
        checkpoint.edits.add(entry)
        return .message(Report(text: entry.summary))
    }
}
