package import ArgumentParser
import Checkpoints
import Directions
import JSON
import Language
import Provenance
import Reports
import Sites
import TerminalText
import Workbench

package struct ContainCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "contain", abstract: "Whether directions lie in the space that activations fill.",
        discussion: """
            R is a direction or a subspace; M a capture, points, or a set of prompts, which is run to R's site and position.
            C is the mean squared cosine of R's directions with their parts in the first m principal directions of M: 1 if R
            lies in them. m is d90 and d99, which hold 90 and 99 % of the variance, and PR, the debiased participation ratio.

            A direction that activations differ along is in their principal space whatever it means, so C says something only
            beside others:
              random       any subspace of R's dimension: m/D on average
              split noise  differences of the means of two random halves of the prompts
              topics       differences of the means of k-means clusters of the prompts
            Half of the prompts fit M, and contrasts are made of the other half. If C is at or above the 5 % point of topics
            the verdict is "contained, as any direction is"; if it is below, "partly outside", with 1 - C.

            Prompts that R was found on must not be in M. R's recipe has a digest of their texts: those of sets and captures
            that hold just these are left out, whatever they are called; --apart names others.
            """)
    package static let traits = CommandTraits(
        .directions, makesValue: true,
        kinds: ["directions": .subspace, "points": .points, "site": .site, "at": .position, "apart": .anyName],
        examples: [
            "capitals = prompts Scripts/prompts/facts.jsonl --label capital --limit 60",
            "open = prompts Scripts/prompts/open.txt --limit 60",
            "r = direction capitals open --at resid_pre[3]",
            "corpus = prompts Scripts/prompts/facts-heldout.jsonl --sample 300", "contain r corpus",
        ])

    @Argument(help: "A direction or a subspace.") var directions: String
    @Argument(help: "A capture, points, or a set of prompts.") var points: String
    @Option(help: "One of a capture's sites; otherwise that of the directions.") var site: String?
    @Option(help: "The position of a set of prompts; otherwise that of the directions.") var at: String?
    @Option(help: "Sets of prompts or captures whose prompts are left out, separated by commas.") var apart: String?
    @OptionGroup var rows: FirstRowsOption

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let subspace = try session.subspace(named: directions)
        let source = try source(subspace, session)
        let others = try setsApart(subspace, session)
        let found = try ContainmentRun(
            context: session.context(), subspace: subspace, source: source,
            apart: try others.reduce(into: Set<String>()) { try $0.formUnion(texts(of: $1, session)) }
        ).run()
        var report = ContainmentReport(
            name: directions, points: points, subspace: subspace, source: source, found: found
        ).report
        if source.hasTexts {
            report.notes.append(
                others.isEmpty
                    ? "Not checked: whether \(points.escapedForTerminal) has prompts that \(directions.escapedForTerminal)"
                        + " was found on; --apart SETS leaves theirs out."
                    : "\(counted(found.leftOut, "row")) of prompts of"
                        + " \(others.map(\.escapedForTerminal).joined(separator: ", ")) left out.")
        }
        report.notes.append("seed \(session.settings.seed)")
        var recipe = session.recipe(of: [(directions, subspace)])
        recipe.inputs += source.inputs
        report.recipe = recipe
        return Outcome(report)
    }

    private func source(_ subspace: Subspace, _ session: Session) throws -> PointSource {
        switch try session.usable(points) {
        case .prompts?:
            guard let place = subspace.site, site == nil else {
                throw CommandError(
                    site == nil
                        ? "\(directions.escapedForTerminal) does not say where it was found"
                        : "--site chooses one of a capture's sites",
                    remedy: "capture the site yourself: NAME = capture SITE --prompts \(points.escapedForTerminal)",
                    exitCode: 2)
            }
            let capture = try session.captured(
                [place.fullName], of: session.studied(named: points), at: at ?? subspace.position,
                keepsFirst: rows.withFirst)
            return PointSource(capture, site: place.fullName)
        case .capture?, .points?:
            try checkHasNoPosition()
            return try session.studiedSource(named: points, site: site, against: subspace)
        case let other?: throw session.wrongKind(points, other, wanted: .capture, .points, .prompts)
        case nil: throw session.unknown(points, hint: "make a set with: NAME = prompts FILE")
        }
    }

    private func checkHasNoPosition() throws {
        guard at == nil, !rows.withFirst else {
            throw CommandError(
                "captures and points hold their positions, so \(at == nil ? "--with-first" : "--at") is for prompts",
                remedy: "leave it out", exitCode: 2)
        }
    }

    /// Returns the names of the sets and captures whose prompts are left out. They are those of `--apart`, or without
    /// it those whose texts have a digest in R's recipe, whatever they are called now.
    ///
    /// - Throws: `CommandError` if `--apart` names nothing, or if R was found on the points themselves.
    private func setsApart(_ subspace: Subspace, _ session: Session) throws -> [String] {
        if let apart {
            let names = apart.split(separator: ",").map(String.init)
            guard !names.isEmpty else {
                throw CommandError("--apart names no set", remedy: "give names, as taboo,plain", exitCode: 2)
            }
            return names
        }
        let digests = Set(RecipeText.inputs(subspace.recipe).map(\.sha256))
        let names = session.names.filter { $0.value.promptDigest.map(digests.contains) ?? false }.map(\.name)
        guard !names.contains(points) else {
            throw CommandError(
                "\(directions.escapedForTerminal) was found on \(points.escapedForTerminal) itself",
                remedy: "give other prompts, which it was not found on")
        }
        return names
    }

    /// Returns the texts of the prompts of a set or a capture. For a set that is read as chat, the texts that the chat
    /// template makes of them follow.
    private func texts(of name: String, _ session: Session) throws -> [String] {
        switch try session.usable(name) {
        case .capture(let capture)?: return capture.prompts.map(\.text)
        case .prompts(let set)?:
            return try set.prompts.map(\.text) + (set.isChat ? session.checkpoint().texts(of: set) : [])
        case let other?: throw session.wrongKind(name, other, wanted: .prompts, .capture)
        case nil: throw session.unknown(name)
        }
    }
}
