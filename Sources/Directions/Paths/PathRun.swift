import Checkpoints
package import Comparison
import Control
import LinearAlgebra
import Models
package import Sites
import Statistics
import TerminalText
package import Workbench

/// Walks a path between checkpoints A and B: at each λ (the share of the way) it measures the model's divergence from
/// both, its loss and its behaviour, and the same with random changes in the path's place.
///
/// The ends are not computed but are the checkpoints themselves, so that their KL is exactly 0: A at 0 and B at 1 of a
/// path by weights, A at 0 of one by activations, B at 0 of an ablation.
package struct PathRun {
    package let context: RunContext
    package let a: NamedCheckpoint
    package let b: NamedCheckpoint
    package let path: CheckpointPath
    /// The prompts on which the KL divergence from A and B and the agreement with them are measured.
    package let prompts: ComparedPrompts
    /// The prompts on which the loss is measured; nil means `prompts`.
    package let lossPrompts: ComparedPrompts?
    /// The prompts that the model at each point of the path replies to.
    package let set: BehaviourSet
    /// The phrases that replies are searched for; nil judges by answers only.
    package let markers: Markers?
    package let decoding: DecodingChoices
    /// The values of λ (the share of the way from A to B) at which the path is measured, ascending.
    package let points: [Double]
    /// The number and kind of random changes with which the path is compared.
    package let controls: RandomControls
    package let precision: Precision

    package init(
        context: RunContext, a: NamedCheckpoint, b: NamedCheckpoint, path: CheckpointPath, prompts: ComparedPrompts,
        lossPrompts: ComparedPrompts?, set: BehaviourSet, markers: Markers?, decoding: DecodingChoices,
        points: [Double], controls: RandomControls, precision: Precision
    ) {
        self.context = context
        self.a = a
        self.b = b
        self.path = path
        self.prompts = prompts
        self.lossPrompts = lossPrompts
        self.set = set
        self.markers = markers
        self.decoding = decoding
        self.points = points
        self.controls = controls
        self.precision = precision
    }

    /// The measurements of the model at one point λ of the path.
    package struct Point {
        /// The point's λ, the share of the way from A to B.
        package let x: Double
        /// The comparison of A's logits with those of the model at this point of the path.
        package let toA: LogitsComparison
        /// The comparison of B's logits with those of the model at this point of the path.
        package let toB: LogitsComparison
        /// The cross-entropies of the model at this point, in nats, [prompt][token]; positions that no token follows
        /// are left out.
        package let losses: [[Double]]
        package let rates: BehaviourRun.Rates?
    }

    package struct Result {
        package let points: [Point]
        /// The measurements along each random path that was walked for comparison, [random path][point].
        package var random: [[Point]] = []
    }

    /// Walks the path between the two checkpoints, and the random paths with which it is compared.
    ///
    /// - Throws: `CheckpointError` for tensors that don't match; `DirectionsError` for edits in force on a path by
    ///   weights and for too little memory; the runs' errors; `CancellationError`.
    package func run() throws -> Result {
        var files = (a: a.checkpoint.file, b: b.checkpoint.file)
        if case .weights = path {
            let pair = CheckpointPair(a: a, b: b)
            files = try pair.files(in: context)
            try SameTensors.check(files.a, files.b)
            if try !pair.differences().isEmpty { context.tell(.premise(.settingsOf(a.name))) }
            if let edited = [a, b].first(where: { !$0.checkpoint.edits.active.isEmpty }) {
                throw DirectionsError.editedEnd(edited.name)
            }
        }
        try checkMemory(files)
        let measures = (lossPrompts == nil ? 1 : 2) + (hasReplies ? 1 : 0)
        let step = context.steps((points.count * (1 + controls.count)) * measures + 2)
        defer { context.tell(.scopeEnded) }
        let main = try step { try PathTokens(self, prompts) }
        var other: PathTokens?
        if let lossPrompts { other = try PathTokens(self, lossPrompts) }
        func walk(_ model: (Double) throws -> PathModel) throws -> [Point] {
            try points.map { x in
                let model = try model(x)
                let (toA, toB) = try step { try main.measured(model) }
                var losses = toA
                if let other { losses = try step { try other.measured(model).toA } }
                let rates: BehaviourRun.Rates? = hasReplies ? try step { try self.rates(model) } : nil
                return Point(
                    x: x, toA: toA, toB: toB, losses: losses.prompts.map { $0.compactMap { $0.next?.loss.b } },
                    rates: rates)
            }
        }
        var result = Result(points: try walk { try model($0, files) })
        defer { tellEndings(result) }
        guard controls.count > 0 else { return result }
        let pool = try randomDirections()
        for control in 0..<controls.count {
            result.random.append(try random(control, pool, files, walk))
        }
        return result
    }

    /// Tells where so many replies were cut off or are empty that their rates mean little.
    private func tellEndings(_ result: Result) {
        var runs: [(name: String?, endings: ReplyEndings)] = []
        for (number, points) in ([result.points] + result.random).enumerated() {
            for point in points {
                guard let rates = point.rates else { continue }
                let place = "at lambda \(NumberFormat.significant(point.x))" + (number == 0 ? "" : ", random")
                runs.append((name: "\(set.name) \(place)", endings: rates.endings))
            }
        }
        context.tellEndings(runs)
    }

    /// The model that stands at one point λ of a path between checkpoints A and B.
    package enum PathModel {
        case a
        case b
        /// The model is a checkpoint of its own, or one with edits.
        case other(NamedCheckpoint)
        /// The model is A with a share of B's residual stream put in at a site (a named place in the model).
        case blended(Site, Double)
    }

    /// The files of A and B, with tensors that can be paired on a path by weights.
    private typealias Files = (a: Checkpoint, b: Checkpoint)

    /// Returns the model that stands at a point of the path, by its λ.
    ///
    /// - Parameters:
    ///   - files: the files of A and B.
    ///   - end: the checkpoint that the path by weights leads to; nil means B.
    ///   - other: directions that are taken out instead of the path's own; nil keeps these.
    private func model(
        _ x: Double, _ files: Files, towards end: Checkpoint? = nil, replacing other: Subspace? = nil
    ) throws -> PathModel {
        switch path {
        case .weights:
            if x == 0 { return .a }
            if x == 1, end == nil { return .b }
            let end = end ?? files.b
            let label = "\(a.name) to \(b.name) at \(NumberFormat.significant(x))"
            let made = try Merge(
                TensorPairs(files.a.tensors, end.tensors).pairs, files.a, end, minus: nil, weight: x, label: label,
                recipeJSON: Array("{}".utf8), pool: context.pool, control: context.control.silent)
            return .other(NamedCheckpoint(name: label, checkpoint: LoadedCheckpoint(made.checkpoint)))
        case .activations(let site):
            return x == 0 ? .a : .blended(site, x)
        case .ablation(let subspace, let sites):
            if x == 0 { return .b }
            let edit = SubspaceEdit(basis: (other ?? subspace).basis, strength: Float(x), sites: sites)
            return .other(
                NamedCheckpoint(name: b.name, checkpoint: b.checkpoint, edits: b.checkpoint.edits.active + [edit]))
        }
    }

    // MARK: Controls

    /// Walks one random path for comparison; paths by activations have none.
    private func random(
        _ number: Int, _ pool: RandomDirections?, _ files: Files,
        _ walk: ((Double) throws -> PathModel) throws -> [Point]
    ) throws -> [Point] {
        switch path {
        case .weights:
            let other = try PerturbedCheckpoint(
                files.a, asFarAs: files.b, seed: context.seed, draw: number,
                label: "\(a.name) with a random change", recipeJSON: Array("{}".utf8), pool: context.pool,
                control: context.control.silent)
            return try walk { try model($0, files, towards: other.checkpoint) }
        case .activations:
            return []
        case .ablation(let subspace, let sites):
            guard let pool else { return [] }
            var draw = SeededRandom(seed: context.seed, .pathControls, number)
            let other = try pool.draw(beside: subspace, at: subspace.site ?? sites[0], &draw)
            return try walk { try model($0, files, replacing: other) }
        }
    }

    /// Makes a source of random directions. An ablation, which removes a subspace from B's activations, is compared
    /// with the removal of such directions. By `controls`, they are drawn with the covariance of B's activations over
    /// the prompts in `set`, or so that all directions are equally likely.
    ///
    /// - Returns: nil if the path is not an ablation.
    private func randomDirections() throws -> RandomDirections? {
        guard case .ablation(let subspace, let sites) = path else { return nil }
        return try RandomDirections(
            controls.kind, at: [subspace.site ?? sites[0]], [set], judge(b), edits: b.checkpoint.edits.active)
    }

    // MARK: Behaviour

    /// Whether replies are generated at the path's points. A blended stream is known only at the prompt's positions,
    /// not at those of a reply.
    private var hasReplies: Bool { path.kind != .activations && (markers != nil || set.key.count > 0) }

    private func judge(_ source: NamedCheckpoint) -> BehaviourRun {
        BehaviourRun(context: context, source: source, markers: markers, decoding: decoding, precision: precision)
    }

    private func rates(_ model: PathModel) throws -> BehaviourRun.Rates? {
        let source: NamedCheckpoint
        switch model {
        case .a: source = a
        case .b: source = b
        case .other(let other): source = other
        case .blended: return nil
        }
        return try judge(source).rates(set, source.edits ?? source.checkpoint.edits.active)
    }

    // MARK: Memory

    private func checkMemory(_ files: Files) throws {
        let tokens = [prompts, lossPrompts].compactMap(\.self).reduce(0) { $0 + $1.ids.reduce(0) { $0 + $1.count } }
        let width = try [a, b].map { try $0.checkpoint.configuration().hiddenSize }.max() ?? 0
        var needed = 4 * width * tokens * (path.kind == .activations ? 6 : 3)
        if path.kind == .weights {
            let pairs = TensorPairs(files.a.tensors, files.b.tensors).pairs
            needed += Merge.byteCount(pairs, minus: nil, weight: 0.5) * (controls.count > 0 ? 2 : 1)
        }
        guard let available = MachineMemory.available(), needed > available else { return }
        throw DirectionsError.noMemoryForPath(
            needed, available: available, hasControls: path.kind == .weights && controls.count > 0)
    }
}

/// A set of prompts with the activations of both ends, A and B, of a path.
private struct PathTokens {
    let run: PathRun
    let sequences: TokenSequences
    let selection: RowSelection
    /// The residual stream before the final norm in checkpoint A, [rows, hidden].
    let streamA: Matrix
    /// The residual stream before the final norm in checkpoint B, [rows, hidden].
    let streamB: Matrix
    /// Checkpoint A's activations at the site (a place in the model) that is blended, [tokens, width]; nil on other
    /// paths.
    let siteA: Matrix?
    /// Checkpoint B's activations at the site (a place in the model) that is blended, [tokens, width]; nil on other
    /// paths.
    let siteB: Matrix?
    let positions: [[Int]]

    init(_ run: PathRun, _ prompts: ComparedPrompts) throws {
        let sequences = TokenSequences(prompts.ids)
        let selection = RowSelection(sequences, positions: prompts.positions, isMean: false)
        let comparison = try LogitsComparisonRun(
            run.context, run.a, run.b, sequences, positions: prompts.positions,
            choices: RunChoices(precision: run.precision))
        let own = try Self.residuals(comparison, run.a, sequences, selection)
        streamA = own
        streamB =
            run.a.checkpoint === run.b.checkpoint
            ? own : try Self.residuals(comparison, run.b, sequences, selection)
        if case .activations(let site) = run.path {
            siteA = try Self.rows(run, run.a, site, sequences)
            siteB = try Self.rows(run, run.b, site, sequences)
        } else {
            (siteA, siteB) = (nil, nil)
        }
        self.run = run
        self.sequences = sequences
        self.selection = selection
        positions = prompts.positions
    }

    private static func residuals(
        _ comparison: LogitsComparisonRun, _ source: NamedCheckpoint, _ sequences: TokenSequences,
        _ selection: RowSelection
    ) throws -> Matrix {
        try comparison.residuals(
            source, source.checkpoint.model().configuration, sequences, selection, comparison.choices)
    }

    private static func rows(
        _ run: PathRun, _ source: NamedCheckpoint, _ site: Site, _ sequences: TokenSequences
    ) throws -> Matrix {
        let all = RowSelection(
            sequences, positions: (0..<sequences.count).map { Array(0..<sequences.rows(of: $0).count) }, isMean: false)
        let collected = CollectedRows([site], all)
        try run.context.run(
            source.checkpoint, sequences, taps: [collected.tap], choices: RunChoices(precision: run.precision))
        guard let matrix = collected.matrices[site] else { preconditionFailure("\(site.shortName) was checked") }
        return matrix
    }

    /// Compares the logits of A and of B, position by position, with those of a model on the path between them.
    func measured(_ model: PathRun.PathModel) throws -> (toA: LogitsComparison, toB: LogitsComparison) {
        let source: NamedCheckpoint
        switch model {
        case .a: source = run.a
        case .b: source = run.b
        case .other(let other): source = other
        case .blended(let site, let share):
            source = NamedCheckpoint(
                name: run.a.name, checkpoint: run.a.checkpoint,
                edits: run.a.checkpoint.edits.active + [blend(site, share)])
        }
        func comparison(_ end: NamedCheckpoint) throws -> LogitsComparisonRun {
            try LogitsComparisonRun(
                run.context, end, source, sequences, positions: positions,
                choices: RunChoices(precision: run.precision))
        }
        let (beside, other) = (try comparison(run.a), try comparison(run.b))
        let stream: Matrix
        switch model {
        case .a: stream = streamA
        case .b: stream = streamB
        case .other, .blended: stream = try Self.residuals(beside, source, sequences, selection)
        }
        return (
            toA: try grouped(beside.compare(streamA, stream, sequences, selection)),
            toB: try grouped(other.compare(streamB, stream, sequences, selection))
        )
    }

    /// Returns the edit that replaces a site's activations by (1 - λ) A's + λ B's, computed in float64; at λ = 1 they
    /// are B's own.
    private func blend(_ site: Site, _ share: Double) -> Replacement {
        guard let siteA, let siteB else { preconditionFailure("rows of a path by activations") }
        var rows = siteB
        if share != 1 {
            for place in rows.values.indices {
                rows.values[place] = Float(
                    (1 - share) * Double(siteA.values[place]) + share * Double(siteB.values[place]))
            }
        }
        let starts = sequences.starts
        return Replacement(
            .rows(rows, at: { starts[$0.prompt] + $0.position }), columns: 0..<rows.columns, sites: [site])
    }

    private func grouped(_ flat: [Divergence]) -> LogitsComparison {
        var start = 0
        return LogitsComparison(
            positions.map { list in
                defer { start += list.count }
                return Array(flat[start..<start + list.count])
            })
    }
}
