package import ArgumentParser
import Checkpoints
import Directions
import Language
import LinearAlgebra
import Models
import Reports
import Sites
import TerminalText
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
        let c = try checkpoint.configuration()
        let entry: EditStack.Entry
        if case .subspace(let subspace)? = session.value(named: target) {
            entry = try directions(subspace, c, session)
        } else {
            entry = try site(c, session)
        }
        checkpoint.edits.add(entry)
        return .message(Report(text: entry.summary))
    }

    private func chosenForm(_ allowed: [AblationForm], for what: String) throws -> AblationForm {
        guard let form else { return allowed[0] }
        guard let chosen = AblationForm(rawValue: form), allowed.contains(chosen) else {
            throw CommandError(
                "--form can't be \(form.escapedForTerminal) for \(what)",
                remedy: "give \(allowed.map(\.rawValue).joined(separator: ", "))", exitCode: 2)
        }
        return chosen
    }

    // MARK: Directions

    private func directions(
        _ subspace: Subspace, _ c: ModelConfiguration, _ session: Session
    ) throws -> EditStack.Entry {
        let form = try chosenForm([.directional, .affine], for: "directions")
        guard columns == nil else {
            throw CommandError("--columns is about a site", remedy: "leave it out", exitCode: 2)
        }
        try EditSites.check(subspace, target, c)
        try EditSites.checkStrength(strength)
        let places = try EditSites.positions(positions, c)
        let chosen: [Site]
        if let sites {
            chosen = try EditSites.parse(sites, c, of: subspace)
        } else {
            try EditSites.checkIsOfStream(subspace, target, c)
            chosen = form == .affine ? EditSites.inputs(c, from: subspace.site) : EditSites.everywhere(c)
        }
        var mean: [Float]?
        if form == .affine {
            mean = try negative(subspace, session)
        } else if from != nil {
            throw CommandError("--from goes with --form affine", remedy: "add --form affine", exitCode: 2)
        }
        let (strength, center) = (strength, mean)
        let edits: @Sendable (Subspace) -> [any Edit] = { other in
            [
                SubspaceEdit(
                    basis: other.basis, targets: center.map { other.coordinates(of: $0) }, strength: Float(strength),
                    sites: chosen, positions: places)
            ]
        }
        let factor = strength == 1 ? "" : NumberFormat.significant(strength)
        return EditStack.Entry(
            label: "-\(factor)\(target)\(form == .affine ? "*" : "")",
            summary: "\(form.rawValue) ablation of \(target) (\(counted(subspace.dimension, "direction"))) at"
                + " \(EditSites.text(chosen))\(EditSites.suffix(positions))"
                + (strength == 1 ? "" : ", strength \(NumberFormat.significant(strength))"),
            command: session.commandLine, edits: edits(subspace),
            digest: EditSites.digest(
                subspace.basis.values + (mean ?? []) + [Float(strength)], chosen, positions),
            control: EditStack.Control(
                directions: subspace, site: subspace.site ?? chosen[0], edits: edits))
    }

    private func negative(_ subspace: Subspace, _ session: Session) throws -> [Float] {
        if let from {
            guard let site = subspace.site else {
                throw CommandError(
                    "\(target) does not say where it was found", remedy: "load it with --at SITE", exitCode: 2)
            }
            return try EditSites.rows(from, site: site.fullName, session).columnMeans.map { Float($0) }
        }
        guard let mean = subspace.negativeMean else {
            throw CommandError(
                "\(target) does not hold the mean of its negative class",
                remedy: "give a capture of negatives at its site: --from CAPTURE", exitCode: 2)
        }
        return mean
    }

    // MARK: Sites

    private func site(_ c: ModelConfiguration, _ session: Session) throws -> EditStack.Entry {
        let selections: [SiteSelection]
        do {
            selections = try SiteExpression.selections(target, in: c)
        } catch let error as SiteError {
            // A name that stands for nothing is no site either.
            guard Name.isValid(target), session.value(named: target) == nil,
                Site.Kind.allCases.allSatisfy({ $0.shortName != target })
            else { throw error }
            throw session.unknown(target, hint: "name directions, or a site (help sites)")
        }
        let form = try chosenForm([.zero, .mean, .resample], for: "a site")
        guard sites == nil, strength == 1 else {
            throw CommandError("--sites and --strength are about directions", remedy: "leave them out", exitCode: 2)
        }
        for selection in selections { try EditSites.checkCanBeEdited(selection.site) }
        guard (form == .zero) == (from == nil) else {
            throw CommandError(
                form == .zero ? "--from goes with --form mean or resample" : "--form \(form.rawValue) needs rows",
                remedy: form == .zero ? "leave it out, or give --form" : "give a capture of the site: --from CAPTURE",
                exitCode: 2)
        }
        let places = try EditSites.positions(positions, c)
        var digested: [Float] = []
        let edits = try selections.map { selection -> any Edit in
            let width = c.width(of: selection.site)
            var range = selection.head.map { $0 * c.headDimension..<($0 + 1) * c.headDimension } ?? 0..<width
            if let columns {
                let part = try IndexRange.parse(columns, count: range.count)
                range = range.lowerBound + part.lowerBound..<range.lowerBound + part.upperBound
            }
            var source = Replacement.Source.zero
            if let from {
                let rows = try EditSites.rows(from, site: selection.site.fullName, session)
                guard rows.columns == width else {
                    throw CommandError(
                        "\(from): \(selection.site.shortName) has width \(rows.columns) there and \(width) in this model",
                        remedy: "capture it from this checkpoint")
                }
                let part = rows.columns(range)
                let means = part.columnMeans.map { Float($0) }
                digested += form == .mean ? means : part.values
                source = form == .mean ? .constant(means) : .resampled(part, seed: session.settings.seed)
            }
            return Replacement(source, columns: range, sites: [selection.site], positions: places)
        }
        let shown = target + (columns.map { ":\($0)" } ?? "")
        return EditStack.Entry(
            label: "\(form.rawValue) \(shown)",
            summary: "\(form.rawValue) ablation of \(shown): \(counted(selections.count, "place"))"
                + EditSites.suffix(positions) + (form == .resample ? ", seed \(session.settings.seed)" : ""),
            command: session.commandLine, edits: edits,
            digest: EditSites.digest(digested, selections.map(\.site), "\(positions) \(columns ?? "")"))
    }
}

/// How something is taken out.
enum AblationForm: String, CaseIterable {
    case directional, affine, zero, mean, resample
}

extension Matrix {
    fileprivate func columns(_ range: Range<Int>) -> Matrix {
        Matrix(
            rows: rows, columns: range.count,
            values: (0..<rows).flatMap { row in
                values[row * columns + range.lowerBound..<row * columns + range.upperBound]
            })
    }
}
