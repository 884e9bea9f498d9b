package import ArgumentParser
import Language
import Reports
import Sites
import Workbench

package struct AblateCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "ablate", abstract: "Take directions, a site, a head or neurons out of every run from now on.",
        discussion: """
            Directions (see direction, subspace): h <- h - r(r'h) for each of the orthonormal directions, at every layer's
            input, attention output and MLP output (resid_pre, attn_out, mlp_out), or at --sites (Arditi et al. 2024). --form
            affine moves the coordinate to that of the negative class instead of to 0, h <- h - r(r'h - r'm) (Marshall et al.
            2024): m is the mean of the set that the direction was found against, or of --from, a capture that has the
            direction's site; its sites are the layers' inputs from the direction's layer on. --strength 0.5 goes half of the way, 2
            beyond.

            A site (mlp_out[3], attn.z[*]), heads of it (attn.z[3].h1) or columns of it (mlp.post[2] --columns 10..19: neurons):
            --form zero, mean or resample. The mean is that of the rows of --from, a capture that has the site; resample puts one
            of these rows in the place of each, drawn with the session's seed.

            --positions limits it to some tokens: prompt (not what is generated), last (of the prompt), a number from 0, from:N. The prompt shows the edits in
            force, such as tuned[-r]>; edits lists them, takes them away, and switches them off and on. The checkpoint's file is
            not changed; fold puts directions into the weights.
            """)
    package static let traits = CommandTraits(
        .directions, needsCheckpoint: true, changesState: true,
        kinds: [
            "target": .ablated, "form": .choice(AblationForm.allCases.map(\.rawValue)), "from": .capture,
            "sites": .site,
            "positions": .choice(EditSites.positionWords),
        ],
        examples: ["ablate attn.z[3].h1", "ablate mlp.post[2] --columns 10..19", "edits"])

    @Argument(help: "Directions, or a site, with .hN for heads.") var target: String
    @Option(help: "directional or affine for directions; zero, mean or resample for a site.") var form: String?
    @Option(help: "How far: 1 all of the way.") var strength = 1.0
    @Option(help: "Where directions are taken out, with commas between.") var sites: String?
    @Option(help: "A capture: its mean (affine, mean) or its rows (resample).") var from: String?
    @Option(help: "Columns of the site: 10..19.") var columns: String?
    @Option(help: "all, prompt (not what is generated), last (of the prompt), first, a position from 0, or from:N.")
    var positions = "all"

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let checkpoint = try session.checkpoint()
        var request = AblationRequest(target, command: session.commandLine, seed: session.settings.seed)
        (request.form, request.strength, request.sites, request.positions) = (form, strength, sites, positions)
        request.from = from.map { name in (name, { try session.capture(named: name) }) }
        request.context = try session.context()
        request.columns = columns.map { text in (text, { try IndexRange.parse(text, count: $0) }) }
        let entry: EditStack.Entry
        if case .subspace(let subspace)? = session.value(named: target) {
            entry = try request.entry(of: subspace, in: checkpoint)
        } else {
            do {
                entry = try request.entryOfSites(in: checkpoint)
            } catch let error as SiteError {
                // A valid name that stands for nothing is reported as an unknown name, because the error of a site
                // would mislead.
                guard Name.isValid(target), session.value(named: target) == nil,
                    Site.Kind.allCases.allSatisfy({ $0.shortName != target })
                else { throw error }
                throw session.unknown(target, hint: "name directions, or a site (help sites)")
            }
        }
        checkpoint.edits.add(entry)
        return .message(Report(text: entry.summary))
    }
}
