package import ArgumentParser
import Checkpoints
import Geometry
import Language
import Provenance
import Reports
import TerminalText
import Workbench

package struct ManifoldCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "manifold",
        abstract: "The dimension of the manifold that points lie on, calibrated, with its null.",
        discussion: """
            One row a site; for a single one, one row an estimator, local PCA first. A raw number misleads: at 400 true
            dimensions and 2,000 points TwoNN says 105, and white noise in 4,096 coordinates reads as 300 to 400. So each
            estimator's number is calibrated: turned into the dimension at which flat and spherical samples of as many points
            give it. Calibration takes from seconds to a minute for each number of points, once:
            $XDG_CACHE_HOME/nacre keeps it.

              dimension   of all calibrated estimators together, with 90 %; fitted on planted sets, see help methods
              local PCA   eigenvalues of each point's 100 neighbours above 0.05 of the largest, calibrated
              TwoNN       from the ratio of the two nearest distances, calibrated
              ratio       TwoNN over that of Gaussian samples of the same covariance; null: the same quotient of such samples
                          themselves, 90 %
              structure   curved: the ratio is below its null, and by a tenth: neighbours closer than second moments say;
                          linear subspace: as a Gaussian of the same covariance; not distinguishable from noise: as
                          independent coordinates that fill all D
              claim       supported: the estimate lies in it; not excluded: only the interval reaches it; not supported
              white noise what the estimator says of such noise, the ceiling of what could be seen
              r_k/median  distance to the k-th neighbour over the median distance: at 0.8 and above nothing is local
              hull        the least and the largest of the calibrated estimators

            One row far from all others, or clusters far apart, leave local estimators as they are, and spoil those of the
            whole set (FCI, PR, d99).

            Sets of more than 5,000 points are sampled (--points). The interval holds what halves of the points vary. Sites
            with --prompts are captured first. --by label and --by token measure groups of rows, the same number of each.
            --weights measures rows and columns of weight matrices, joined with --joint.

            --raw prints every estimator as its definition has it (and TwoNN of ever fewer points), of all points (FCI, D2 and spectra of more than 2,048: of a
            sample; patches of more than 12,000: of 1,000), and calibrates nothing: lPCAk-RULE (RULE:
            FO, Fan, maxgap, ratio, PR, Kaiser, brokenstick; FO if left out) over patches and PCA-RULE of the whole set, lPRk
            (debiased participation ratio), ESSk, MLEk, TwoNN, TwoNN-ML, GRIDEn, CorrInt, D2, FCI, PR, d99.
            """)
    package static let traits = CommandTraits(
        .activations, makesValue: true,
        kinds: [
            "points": .points, "site": .site, "prompts": .prompts, "at": .position,
            "by": .choice(MeasuredSet.GroupKey.allCases.map(\.rawValue)), "weights": .tensor,
            "estimator": .choice(DimensionEstimator.all.map(\.name)),
            "in": .checkpoint,
        ],
        examples: [
            "corpus = prompts Scripts/prompts/open.txt --limit 400",
            "acts = capture resid_post[*] --prompts corpus", "manifold acts --site resid_post[2] --claim 5..20",
            "manifold acts --raw --estimator TwoNN,lPR100",
        ])

    @Argument(help: "A capture, points, or sites to capture.") var points: [String] = []
    @Option(help: "Of a capture, only these sites, such as resid_post[0..3].") var site: String?
    @Option(help: "Capture the sites over this set of prompts.") var prompts: String?
    @Option(help: "Positions that --prompts captures.") var at: String?
    @OptionGroup var leading: FirstRowsOption
    @Option(help: "A range of dimensions to judge, such as 300..500.") var claim: String?
    @Option(help: "With --raw, only these, separated by commas: lPCA100-Fan, lPR25, ESS, TwoNN, GRIDE8, MLE; see help.")
    var estimator: String?
    @Option(name: [.customShort("k"), .long], help: "With --raw, neighbours where the estimator's name has no number.")
    var k: Int?
    @Flag(help: "Every estimator's own number, uncalibrated.") var raw = false
    @Flag(help: "Leave out the three coordinates of largest variance.") var withoutRogue = false
    @Option(help: "Measure groups of rows apart: label or token.") var by: String?
    @Option(name: .customLong("points"), help: "Points to measure at most, drawn with the seed.") var limit: Int?
    @Option(help: "Seed of surrogates and samples; otherwise the session's.") var seed: UInt64?
    @Option(help: "Measure weight matrices: a name, * and ? match any characters.") var weights: String?
    @Flag(help: "With --weights, only the rows.") var rows = false
    @Flag(help: "With --weights, only the columns.") var columns = false
    @Flag(help: "With --weights, all matrices of one width as one set.") var joint = false
    @Option(name: .customLong("in"), help: "With --weights, an open checkpoint.") var checkpoint: String?
    @OptionGroup var plotting: PlotOption

    /// The smallest number of rows in a group. In smaller groups the neighbours are too few to be informative.
    static let leastGroup = 100

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let picture = try plotting.prepare(session)
        let claim = try claim.map(Self.range)
        let limit = try checkedCount(limit ?? (raw ? .max : 5000), "--points")
        let estimators = try rawEstimators()
        guard limit >= ManifoldRun.fewest else {
            throw CommandError(
                "--points \(limit) is too few", remedy: "give \(ManifoldRun.fewest) or more", exitCode: 2)
        }
        let (sets, notes) = try sets(session)
        let seed = seed ?? session.settings.seed
        let isWithoutRogue = withoutRogue
        let run = try ManifoldRun(
            context: session.context(), limit: limit, seed: seed, isWithoutRogue: withoutRogue)
        var report: Report
        if raw {
            guard claim == nil else {
                throw CommandError("a raw number says nothing of a claim", remedy: "leave out --raw", exitCode: 2)
            }
            report = ManifoldReport.raw(try run.raw(sets, estimators, decimates: estimator == nil))
        } else {
            let measured = try run.measured(sets)
            report =
                ManifoldReport(
                    measured.measured, unmeasured: measured.unmeasured, claim: claim,
                    isWithoutRogue: isWithoutRogue, session
                ).report
        }
        report.notes += notes
        report.recipe =
            try weights == nil ? session.recipe() : session.recipe(session.checkpoint(named: checkpoint))
        report.recipe?.seed = seed
        report.recipe?.inputs += sets.flatMap(\.inputs).uniqued
        if report.title.isEmpty {
            let name = weights ?? points.joined(separator: " ")
            report.title = name + (prompts.map { ", prompts \($0)" } ?? "") + (site.map { ", \($0)" } ?? "")
        }
        return try plotting.outcome(report, picture, session)
    }

    /// Returns the sets of points that are measured, and notes on what was left out.
    ///
    /// - Throws: `CommandError` if the options do not go together.
    private func sets(_ session: Session) throws -> (sets: [MeasuredSet], notes: [String]) {
        if let weights {
            guard points.isEmpty, prompts == nil, by == nil, site == nil, at == nil, !leading.withFirst else {
                throw CommandError(
                    "--weights measures weights alone", remedy: "leave out the points and their options", exitCode: 2)
            }
            return try weightSets(session, weights)
        }
        for (name, isGiven) in [
            ("--rows", rows), ("--columns", columns), ("--joint", joint), ("--in", checkpoint != nil),
        ] where isGiven {
            throw CommandError("\(name) is about weights", remedy: "give them with --weights NAME", exitCode: 2)
        }
        let sources = try sources(session)
        guard let by else {
            let first = sources[0]
            let prompts = Set((0..<(first.hasTexts ? first.count : 0)).compactMap { first.row($0)?.prompt }).count
            let note =
                "\(first.count) rows of \(counted(prompts, "prompt")): those of one prompt are not independent, and intervals too narrow."
            return (sources.map { MeasuredSet($0) }, first.hasTexts && prompts < first.count ? [note] : [])
        }
        guard let key = MeasuredSet.GroupKey(rawValue: by) else {
            throw CommandError(
                "--by \(by.escapedForTerminal) is not known",
                remedy: by == "layer" ? "layers are apart anyway; leave it out" : "it can be label or token",
                exitCode: 2)
        }
        guard sources[0].hasTexts else {
            throw CommandError("points of a file have no labels and no tokens", remedy: "leave out --by", exitCode: 2)
        }
        let texts = key == .token ? try? session.checkpoint().tokenTexts() : nil
        var notes: [String] = []
        var sets: [MeasuredSet] = []
        for (index, source) in sources.enumerated() {
            let found = try MeasuredSet.groups(
                source, by: key, least: Self.leastGroup, seed: seed ?? session.settings.seed
            ) { id in
                // Bytes that are not text by themselves would all look alike, so they are named by their token ids.
                guard let text = texts?.text([Int32(id)]), !text.contains("\u{FFFD}") else { return "#\(id)" }
                return text
            }
            sets += found.sets
            if index == 0 {
                notes.append("\(counted(found.rows, "row")) of each \(by), drawn with the seed.")
                if !found.leftOut.isEmpty {
                    let names = found.leftOut.prefix(4).map { "\($0.name.escapedForTerminal) (\($0.rows))" }
                    notes.append(
                        "Left out, with fewer than \(Self.leastGroup) rows: \(names.joined(separator: ", "))"
                            + (found.leftOut.count > 4 ? " and \(found.leftOut.count - 4) more." : "."))
                }
            }
        }
        return (sets, notes)
    }

    private func sources(_ session: Session) throws -> [PointSource] {
        guard let first = points.first else {
            throw CommandError(
                "manifold needs a capture, points, or sites with --prompts",
                remedy: "make one with: NAME = capture resid_post[*] --prompts P", exitCode: 2)
        }
        guard let prompts else {
            guard at == nil, !leading.withFirst else {
                throw CommandError(
                    "\(at == nil ? "--with-first" : "--at") is about --prompts", remedy: "leave it out", exitCode: 2)
            }
            guard points.count == 1 else {
                throw CommandError(
                    "several sites are captured over prompts", remedy: "add --prompts P, or name one capture",
                    exitCode: 2)
            }
            return try session.pointSources(named: first, site: site)
        }
        guard site == nil else {
            throw CommandError("--site chooses from a capture", remedy: "name the sites alone", exitCode: 2)
        }
        let capture = try session.captured(
            points, of: session.prompts(named: prompts), at: at, keepsFirst: leading.withFirst)
        try capture.checkHasSites()
        return capture.sites.map { PointSource(capture, site: $0) }
    }

    private func weightSets(_ session: Session, _ pattern: String) throws -> (sets: [MeasuredSet], notes: [String]) {
        let checkpoint = try session.checkpoint(named: checkpoint)
        let (matrices, skipped) = try matchingMatrices(try matchingTensors(checkpoint, pattern), pattern)
        let views = try matrices.compactMap { try checkpoint.file.tensor($0.name) }
        let side: MeasuredSet.Side = rows == columns ? .both : rows ? .rows : .columns
        return (MeasuredSet.weights(views, side: side, isJoint: joint), skipped)
    }

    private func rawEstimators() throws -> [DimensionEstimator] {
        for (name, isGiven) in [("--estimator", estimator != nil), ("-k", k != nil)] where isGiven && !raw {
            throw CommandError(
                "\(name) chooses among raw numbers", remedy: "add --raw, or leave it out", exitCode: 2)
        }
        let k = try k.map { try checkedCount($0, "-k", limit: 10_000) }
        guard let estimator else {
            guard let k else { return DimensionEstimator.all }
            return try ["lPCA", "lPR", "ESS", "MLE", "GRIDE"].map { name in
                guard let found = DimensionEstimator(name: name, k: k) else {
                    throw CommandError("-k \(k) is too few neighbours", remedy: "give 4 or more", exitCode: 2)
                }
                return found
            }
        }
        guard estimator.contains(where: { $0 != "," && $0 != " " }) else {
            throw CommandError("--estimator names none", remedy: "write it as TwoNN,lPCA100", exitCode: 2)
        }
        return try estimator.split(separator: ",").map { word in
            let word = word.filter { $0 != " " }
            guard let found = DimensionEstimator(name: String(word), k: k) else {
                let known = DimensionEstimator.all.map(\.name)
                let close = Suggestion.closest(to: String(word), among: known)
                throw CommandError(
                    "there is no estimator \(String(word).escapedForTerminal)",
                    remedy: (close.map { "did you mean \($0)? " } ?? "") + "help manifold lists the names",
                    exitCode: 2)
            }
            return found
        }
    }

    private static func range(_ text: String) throws -> ClosedRange<Double> {
        guard let range = NumberRange.positive(text) else {
            throw CommandError(
                "--claim \(text.escapedForTerminal) is not a range of dimensions", remedy: "write it as 300..500",
                exitCode: 2)
        }
        return range
    }
}

extension [Recipe.Input] {
    /// The inputs without repetitions, in their order.
    fileprivate var uniqued: [Recipe.Input] {
        reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }
}
