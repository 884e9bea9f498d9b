package import ArgumentParser
import Checkpoints
import Directions
import Language
import Provenance
import Reports
import Sites
import TerminalText
import Workbench

package struct PathCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "path", abstract: "The way from one checkpoint to another: KL, loss and behaviour along it.",
        discussion: """
            A number lambda goes from 0 to 1 along one of three ways:
              --by weights      the weights (1 - lambda) A + lambda B, in memory, in f32; tensors must match in name and shape
              --by activations  A runs, and its residual stream at --site (by itself the middle layer's resid_post) becomes
                                (1 - lambda) its own + lambda B's
              --by ablation     B runs, and so much of --direction is taken out of it, as ablate --strength does; to 1.5

            At each lambda, on --prompts: KL(A || here) and KL(B || here), agreement of the likeliest token with A's and B's,
            and the loss, there or on --loss-prompts. With --markers or --marker, or for a set with answers, also the share of
            replies that are matched or right (not by activations), and how replies ended (as in evaluate). The ends of a way
            are the checkpoints themselves, and KL there is exactly 0: A at 0 (B at 0 of an ablation), and B at 1 of a way by
            weights.

            The barrier is the largest height of the loss above the straight line between the losses at both ends (Frankle et
            al. 2020); its interval takes all points together. "rises" and "falls" are about every step: supported if
            each goes that way beyond its interval, not supported if one goes the other way beyond it.

            Beside it stand --against random:N (3; 0 for none) ways to other ends: a Gaussian change of A with the norm of B - A
            in every tensor; for ablation other directions, orthogonal to these, with the covariance of the activations, or
            isotropic:N. plot draws KL and loss.
            """)
    package static let traits = CommandTraits(
        .text, needsCheckpoint: true, makesValue: true,
        kinds: [
            "a": .checkpoint, "b": .checkpoint, "prompts": .prompts, "loss-prompts": .prompts,
            "by": .choice(CheckpointPath.Kind.allCases.map(\.rawValue)), "direction": .subspace, "site": .site,
            "at": .choice(["all", "last", "first", "token:"]),
            "against": .choice(["random:3", "isotropic:3", "0"]),
        ],
        examples: [
            "open Checkpoints/pearl-chat.h5", "corpus = prompts Scripts/prompts/open.txt --limit 20",
            "path pearl-base pearl-chat --prompts corpus --lambda 0,0.5,1 --against random:1",
            "path pearl-base pearl-chat --by activations --site resid_post[2] --prompts corpus --plot",
        ])

    @Argument(help: "A checkpoint.") var a: String
    @Argument(help: "The checkpoint that the way leads to.") var b: String
    @Option(help: "A set of prompts.") var prompts: String
    @Option(help: "weights, activations or ablation.") var by = "weights"
    @Option(help: "Values of lambda: 0,0.5,1. Tenths when left out.") var lambda: String?
    @Option(help: "Directions, for --by ablation.") var direction: String?
    @Option(help: "Where activations are blended: a site of the residual stream.") var site: String?
    @Option(help: "A set of prompts for the loss.") var lossPrompts: String?
    @Option(help: "Positions: all, last, first, 5, -2, token:WORD.") var at = "all"
    @Option(help: "Random ways: random:3; 0 for none.") var against: String?
    @Option(name: [.customShort("n"), .long], help: "The most new tokens of a reply.") var tokens = 24
    @OptionGroup var looking: MarkersOption
    @OptionGroup var decoding: DecodingOptions
    @OptionGroup var products: PrecisionOption
    @OptionGroup var plotting: PlotOption

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let pair = try session.pair(a, b)
        let path = try path(pair, session)
        let points = try lambdas(path.kind)
        let position = try Position(at)
        guard position != .mean else {
            throw CommandError("logits have no mean over positions", remedy: "give --at all", exitCode: 2)
        }
        let controls = try controls(path.kind)
        let (markers, markersFile) = try looking.phrases(session)
        guard markers == nil || path.kind != .activations else {
            throw CommandError(
                "--by activations has no replies: B's stream is known at the prompts' positions alone",
                remedy: "leave out --markers and --marker", exitCode: 2)
        }
        let choices = try decoding.choices(session, tokens: tokens)
        let picture = try plotting.prepare(session)
        try pair.checkSameVocabulary()
        let encoded = try pair.encode(session.studied(named: prompts), at: position, in: session.context())
        let forLoss = try lossPrompts.map {
            try pair.encode(session.studied(named: $0), at: .all, in: session.context())
        }
        let precision = try products.precision(session)
        let result = try PathRun(
            context: session.context(), a: pair.a, b: pair.b, path: path, prompts: encoded, lossPrompts: forLoss,
            set: BehaviourSet(prompts, pair.b.checkpoint, session), markers: markers, decoding: choices,
            points: points, controls: controls, precision: precision
        ).run()
        var report = PathReport(result: result, kind: path.kind, controls: controls.kind, lossSet: lossPrompts).report
        report.title = title(pair, path, encoded)
        if encoded.leftOut > 0 {
            report.notes.append("\(counted(encoded.leftOut, "prompt")) of one token left out.")
        }
        if controls.count > 0 { report.notes.append("seed \(session.settings.seed)") }
        let both = pair.a.checkpoint === pair.b.checkpoint ? [pair.a.checkpoint] : [pair.a, pair.b].map(\.checkpoint)
        report.recipe = session.recipe(both, precision: precision)
        if let markersFile { report.recipe?.inputs.append(markersFile) }
        if case .ablation(let subspace, _) = path {
            report.recipe?.inputs.append(
                .init(name: direction ?? "", sha256: subspace.basisDigest))
        }
        return try plotting.outcome(report, picture, session)
    }

    private func title(_ pair: CheckpointPair, _ path: CheckpointPath, _ prompts: ComparedPrompts) -> String {
        let how =
            switch path {
            case .weights: "by weights"
            case .activations(let site): "by activations at \(site.shortName)"
            case .ablation: "B without \(direction ?? "")"
            }
        return "A: \(pair.a.name), B: \(pair.b.name); \(how), \(counted(prompts.ids.count, "prompt")),"
            + " \(counted(prompts.positions.reduce(0) { $0 + $1.count }, "position"))"
            + (at == "all" ? "" : ", at \(at.escapedForTerminal)")
    }

    // MARK: Options

    private func path(_ pair: CheckpointPair, _ session: Session) throws -> CheckpointPath {
        guard let kind = CheckpointPath.Kind(rawValue: by) else {
            throw CommandError(
                "--by can't be \"\(by.escapedForTerminal)\"",
                remedy: Suggestion.remedy(
                    for: by, among: CheckpointPath.Kind.allCases.map(\.rawValue), after: ""), exitCode: 2)
        }
        guard direction == nil || kind == .ablation else {
            throw CommandError("--direction goes with --by ablation", remedy: "leave it out", exitCode: 2)
        }
        guard site == nil || kind == .activations else {
            throw CommandError("--site goes with --by activations", remedy: "leave it out", exitCode: 2)
        }
        switch kind {
        case .weights:
            return .weights
        case .activations:
            return .activations(try Self.streamSite(site, pair))
        case .ablation:
            guard let direction else {
                throw CommandError(
                    "--by ablation takes out directions", remedy: "name them: --direction NAME", exitCode: 2)
            }
            let c = try pair.b.checkpoint.facts()
            let subspace = try session.subspace(named: direction)
            try c.check(subspace, direction)
            try c.checkIsOfStream(subspace, direction)
            return .ablation(subspace, sites: c.streamSites)
        }
    }

    /// Returns a site of the residual stream that both checkpoints have, with the same width.
    ///
    /// - Parameters:
    ///   - text: The name of the site, or nil for the output of the middle layer of the checkpoint with fewer layers.
    ///   - pair: The checkpoints.
    /// - Throws: `CommandError` if there is no such site, or if the widths differ.
    private static func streamSite(_ text: String?, _ pair: CheckpointPair) throws -> Site {
        let facts = try [pair.a, pair.b].map { try $0.checkpoint.facts() }
        let (one, other) = (facts[0], facts[1])
        guard one.width == other.width else {
            throw CommandError(
                "the residual stream of \(pair.a.name) is \(one.width) wide, that of \(pair.b.name)"
                    + " \(other.width)", remedy: "give checkpoints of one width")
        }
        guard let text else { return Site(.residPost, layer: (min(one.layers, other.layers) - 1) / 2) }
        let found = try one.sites(text)
        guard found.count == 1, let site = found.first else {
            throw CommandError(
                "\(text.escapedForTerminal) is \(counted(found.count, "site"))",
                remedy: "name one, such as resid_post[2]",
                exitCode: 2)
        }
        guard [.embed, .residPre, .residMid, .residPost].contains(site.kind) else {
            throw CommandError(
                "\(site.shortName) is a part of what the stream gets, not the stream",
                remedy: "name resid_pre, resid_mid, resid_post or embed", exitCode: 2)
        }
        guard other.siteKinds.contains(site.kind), !site.kind.isLayered || site.layer < other.layers else {
            throw CommandError(
                "\(pair.b.name) has no \(site.shortName)", remedy: "name a site that both have", exitCode: 2)
        }
        return site
    }

    private func lambdas(_ kind: CheckpointPath.Kind) throws -> [Double] {
        guard let lambda else { return CheckpointPath.points(kind) }
        let most = kind == .ablation ? 1.5 : 1
        guard let values = try? numberList(lambda, "--lambda") else {
            throw CommandError(
                "--lambda can't be \(lambda.escapedForTerminal)",
                remedy: "give numbers from 0 to \(NumberFormat.significant(most)), such as 0,0.5,1", exitCode: 2)
        }
        guard values.count <= 200 else {
            throw CommandError("--lambda has \(values.count) values", remedy: "give at most 200", exitCode: 2)
        }
        if let outside = values.first(where: { $0 < 0 || $0 > most }) {
            throw CommandError(
                "--lambda can't be \(NumberFormat.significant(outside))",
                remedy: "give numbers from 0 to \(NumberFormat.significant(most)), such as 0,0.5,1", exitCode: 2)
        }
        return values
    }

    private func controls(_ kind: CheckpointPath.Kind) throws -> RandomControls {
        guard kind != .activations else {
            guard against == nil || against == "0" else {
                throw CommandError("--by activations has no random ways", remedy: "leave out --against", exitCode: 2)
            }
            return .none
        }
        guard let against else { return RandomControls(kind: .random, count: 3) }
        guard against != "0" else { return .none }
        let controls = try RandomControls(against)
        guard controls.kind == .random || kind == .ablation else {
            throw CommandError(
                "--against isotropic:N is about directions", remedy: "give random:N, or --by ablation", exitCode: 2)
        }
        return controls
    }
}
