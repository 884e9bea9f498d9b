import Checkpoints
import Directions
import Language
import LinearAlgebra
import Models
import Reports
import Sites
import TerminalText
import Workbench

/// Activations of two sets at the same sites: of prompts that are run, or of captures already made.
struct ContrastedSets {
    /// One of the two.
    struct Side {
        let name: String
        /// Of each row; "" where it has none.
        let labels: [String]
        /// Rows of one prompt are not independent.
        let hasOneRowAPrompt: Bool
        /// [rows, width] of a site.
        let matrix: (Site) throws -> Matrix
    }

    let positives: Side
    let negatives: Side
    /// In the order of computation.
    let sites: [Site]
    /// Whether the sites were named by the user.
    let areNamed: Bool
    /// `last`, `-2`; nil for captures, which don't say.
    let position: String?
    /// Layers of the model; nil for captures.
    let layers: Int?

    func rows(at site: Site) throws -> LabelledRows {
        try LabelledRows(positives: positives.matrix(site), negatives: negatives.matrix(site))
    }

    var notes: [String] {
        positives.hasOneRowAPrompt && negatives.hasOneRowAPrompt
            ? [] : ["Rows of one prompt are not independent: the intervals are too narrow."]
    }

    /// Which layers a choice may fall on. The last fifth is left out, as Arditi et al. 2024 do, unless sites were named.
    func isEligible(_ site: Site) -> Bool {
        guard !areNamed, let layers, layers >= 5 else { return true }
        return site.layer < layers * 4 / 5
    }
}

/// What a user says about where two sets are set against each other.
struct ContrastPlace {
    /// `--at SITE,POS`: sites, and a position, for prompts.
    var at: String?
    /// `--site SITE`, for captures.
    var site: String?

    /// The sites and the position of `--at`; no sites where it names none.
    func parsed(_ c: ModelConfiguration) throws -> (sites: [Site], position: Position) {
        guard let at else { return ([], .last) }
        var sites: [Site] = []
        var position: Position?
        for part in SiteExpression.list(at) {
            if let found = try? Position(part) {
                guard position == nil else {
                    throw CommandError(
                        "--at \(at.escapedForTerminal) has two positions", remedy: "give one: --at resid_pre[3],last",
                        exitCode: 2)
                }
                position = found
                continue
            }
            sites += try SiteExpression.parse(part, in: c)
        }
        if let bad = sites.first(where: { $0.kind.isPattern || $0.kind == .logits }) {
            throw CommandError(
                "\(bad.shortName) has no directions", remedy: "name a site of the residual stream, as resid_pre[3]",
                exitCode: 2)
        }
        if position == .all {
            throw CommandError(
                "--at all gives rows of one prompt, which are not independent",
                remedy: "give last, another position, or mean", exitCode: 2)
        }
        return (Set(sites).sorted(), position ?? .last)
    }
}

extension Session {
    /// What two names stand for: two sets of prompts, run through the checkpoint in use with its edits in force, or two
    /// captures.
    ///
    /// - Parameter base: for prompts, a checkpoint whose activations on the same tokens are taken off.
    func contrasted(
        _ positive: String, _ negative: String, _ place: ContrastPlace, choices: RunChoices, base: String? = nil
    ) throws -> ContrastedSets {
        switch (value(named: positive), value(named: negative)) {
        case (.prompts(let a)?, .prompts(let b)?):
            guard place.site == nil else {
                throw CommandError(
                    "--site chooses one of a capture's sites", remedy: "for prompts give --at SITE,POSITION",
                    exitCode: 2)
            }
            return try contrasted(
                [(positive, a), (negative, b)], place, of: checkpoint(),
                base: try base.map { try checkpoint(named: $0) }, choices: choices)
        case (.capture(let a)?, .capture(let b)?):
            guard place.at == nil, base == nil else {
                throw CommandError(
                    "captures hold their sites and positions, so \(base == nil ? "--at" : "--base") is for prompts",
                    remedy: base == nil ? "choose a site with --site" : "give sets of prompts", exitCode: 2)
            }
            return try captured([(positive, a), (negative, b)], site: place.site)
        case (.prompts?, .capture?), (.capture?, .prompts?):
            throw CommandError(
                "\(positive.escapedForTerminal) and \(negative.escapedForTerminal) are not of one kind",
                remedy: "give two sets of prompts, or two captures", exitCode: 2)
        case (.prompts?, let other), (.capture?, let other):
            throw other.map { wrongKind(negative, $0, wanted: .prompts, .capture) } ?? unknown(negative)
        case (let other, _):
            throw other.map { wrongKind(positive, $0, wanted: .prompts, .capture) }
                ?? unknown(positive, hint: "make a set with: NAME = prompts FILE")
        }
    }

    private func captured(_ named: [(name: String, capture: Capture)], site: String?) throws -> ContrastedSets {
        let found = try named.map { name, capture in
            try capture.checkHasSites()
            let chosen = try site.map { try capture.sites(matching: $0) } ?? capture.sites
            return chosen.compactMap { Site(fullName: $0) }
        }
        let shared = found[0].filter(found[1].contains)
        guard !shared.isEmpty else {
            throw CommandError(
                "\(named[0].name.escapedForTerminal) and \(named[1].name.escapedForTerminal) have no site in common",
                remedy: "capture the same sites of both")
        }
        let sides = named.map { name, capture in
            ContrastedSets.Side(
                name: name, labels: capture.rows.map { capture.prompts[Int($0.prompt)].label },
                hasOneRowAPrompt: Set(capture.rows.map(\.prompt)).count == capture.rows.count
            ) { try capture.matrix($0.fullName) }
        }
        return ContrastedSets(
            positives: sides[0], negatives: sides[1], sites: shared, areNamed: site != nil, position: nil, layers: nil)
    }

    /// Two sets of prompts, run through a checkpoint with its edits in force.
    ///
    /// - Parameters:
    ///   - named: positives and negatives.
    ///   - base: a checkpoint whose activations on the same tokens are taken off.
    func contrasted(
        _ named: [(name: String, set: PromptSet)], _ place: ContrastPlace, of checkpoint: LoadedCheckpoint,
        base: LoadedCheckpoint? = nil, choices: RunChoices
    ) throws -> ContrastedSets {
        let c = try checkpoint.model().configuration
        var (sites, position) = try place.parsed(c)
        let areNamed = !sites.isEmpty
        if sites.isEmpty { sites = (0..<c.layers).map { Site(.residPre, layer: $0) } }
        if let base {
            let other = try base.configuration()
            guard other.layers == c.layers, sites.allSatisfy({ other.width(of: $0) == c.width(of: $0) }) else {
                throw CommandError(
                    "--base \(base.label) has other layers or widths than \(checkpoint.label)",
                    remedy: "give the checkpoint that it was tuned from", exitCode: 2)
            }
        }
        for (name, set) in named where set.prompts.isEmpty {
            throw CommandError("\(name.escapedForTerminal) has no prompts", remedy: "read some with prompts FILE")
        }
        let sides = try named.map { name, set in
            let encoded = try checkpoint.encode(set, control: control)
            var matrices = try activations(checkpoint, encoded, set, sites, position, choices)
            if let base {
                guard try base.encode(set, control: control).ids == encoded.ids else {
                    throw CommandError(
                        "--base \(base.label) makes other tokens of \(name.escapedForTerminal)",
                        remedy: "give the checkpoint that it was tuned from", exitCode: 2)
                }
                let before = try activations(base, encoded, set, sites, position, choices)
                for (site, matrix) in before {
                    guard let tuned = matrices[site] else { continue }
                    matrices[site] = Matrix(
                        rows: tuned.rows, columns: tuned.columns,
                        values: zip(tuned.values, matrix.values).map { $0 - $1 })
                }
            }
            return ContrastedSets.Side(name: name, labels: set.prompts.map(\.label), hasOneRowAPrompt: true) { site in
                guard let matrix = matrices[site] else {
                    throw CommandError("this model has no \(site.kind.shortName)", remedy: "see help sites")
                }
                return matrix
            }
        }
        return ContrastedSets(
            positives: sides[0], negatives: sides[1], sites: sites, areNamed: areNamed,
            position: position.description, layers: c.layers)
    }

    /// One row a prompt of each site.
    private func activations(
        _ checkpoint: LoadedCheckpoint, _ encoded: EncodedPrompts, _ set: PromptSet, _ sites: [Site],
        _ position: Position, _ choices: RunChoices
    ) throws -> [Site: Matrix] {
        let context = try context()
        let places = try context.positions(
            position, checkpoint, ids: encoded.ids, texts: encoded.texts, isRendered: set.isChat, includesLeading: false
        )
        return try context.rows(
            checkpoint, encoded.ids, positions: places, isMean: position == .mean, sites: sites, choices: choices)
    }
}
