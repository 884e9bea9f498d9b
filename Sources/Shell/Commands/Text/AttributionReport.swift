import Directions
import Reports
import Sites
import Statistics
import TerminalText
import Workbench

/// The report of `attribute`.
struct AttributionReport {
    enum Order: String, CaseIterable { case layer, size }

    let run: AttributionRun
    let facts: CheckpointFacts
    /// The quantity that is explained, such as `the logit of " Paris"`.
    let subject: String
    let isDifference: Bool
    let hasHeads: Bool

    func report(order: Order, top: Int?) -> Report {
        let count = run.values.count
        let components = run.components
        var places = components.indices.filter { components[$0] != .edits || run.largest($0) > Self.rounding }
        let means = components.indices.map { run.mean($0)?.mean ?? .nan }
        if order == .size { places.sort { (abs(means[$0]), $1) > (abs(means[$1]), $0) } }
        let shown = places.prefix(top ?? .max)
        var columns: [Table.Column] = ["component", "adds"]
        if order == .layer { columns.append("so far") }
        var table = Table("components", columns: columns + ["random tokens"])
        var total = 0.0
        for place in shown {
            total += means[place]
            let null = run.null(place, isDifference: isDifference)
            table.append(
                [.text(components[place].name), run.mean(place).map { Cell($0) } ?? .missing]
                    + (order == .layer ? [.number(total)] : [])
                    + [.interval(value: null.mean, low: null.mean - null.halfWidth, high: null.mean + null.halfWidth)])
        }
        let null = run.null(nil, isDifference: isDifference)
        let sums = run.values.map { [$0.reduce(0, +)] }
        let name = isDifference ? "logit difference" : "logit"
        return Report(
            title: "what adds to \(subject)",
            scalars: [
                Scalar(
                    name, ClusteredMean(run.logits.map { [$0] }).map { Cell($0) } ?? .missing,
                    note: "random tokens \(NumberFormat.significant(null.mean))", null: null.mean),
                Scalar("sum of components", ClusteredMean(sums).map { Cell($0) } ?? .missing),
                Scalar("residual", .number(bound), note: "sum and logit differ by no more, in any prompt"),
                Scalar("prompts", .integer(count)),
            ], tables: [table], series: series(means), grids: hasHeads ? [grid(means)] : [],
            notes: notes(shown: shown.count, total: places.count, count: count))
    }

    /// The typical difference between sums of f32 numbers that is due to rounding.
    private static let rounding = 1e-5

    /// The smallest power of ten, from `rounding` on, that the residual does not exceed. The residual's own digits are
    /// those of rounding and differ from one processor to the next.
    private var bound: Double {
        var bound = Self.rounding
        while run.residual > bound, bound.isFinite { bound *= 10 }
        return run.residual.isNaN ? .nan : bound
    }

    private func notes(shown: Int, total: Int, count: Int) -> [String] {
        var notes = [
            "The final norm's scale is that of the whole stream, frozen; what a part does through later parts is not seen.",
            "Random tokens: mean and 95 % range (normal) of the same part for \(AttributionRun.nullTokens) tokens of the"
                + " vocabulary in the answer's place" + (isDifference ? ", less another such token." : "."),
        ]
        if facts.hasLogitCap {
            notes.append("Logits are those before the soft cap.")
        }
        notes.append(
            count == 1
                ? "One prompt: no interval." : "Intervals are 95 %, normal, over \(count) prompts.")
        if shown < total {
            notes.append(
                "\(counted(total - shown, "component")) \(agreeing(total - shown)) not shown; give --top \(total).")
        }
        return notes
    }

    /// Returns two curves by layer: attention, with its heads and bias together, and MLP.
    private func series(_ means: [Double]) -> [Series] {
        let axis = Series.Axis(isDifference ? "logit difference" : "logit")
        var attention = Series("attention", x: .init("layer"), y: axis)
        var mlp = Series("MLP", x: .init("layer"), y: axis)
        for layer in 0..<facts.layers {
            var (first, second) = (0.0, 0.0)
            for (component, mean) in zip(run.components, means) {
                switch component {
                case .attention(layer), .head(layer, _), .attentionBias(layer): first += mean
                case .mlp(layer): second += mean
                default: break
                }
            }
            attention.points.append(.init(x: Double(layer), y: first))
            mlp.points.append(.init(x: Double(layer), y: second))
        }
        return [attention, mlp]
    }

    private func grid(_ means: [Double]) -> Grid {
        var values = [Double?](repeating: nil, count: facts.layers * facts.heads)
        for (component, mean) in zip(run.components, means) {
            if case .head(let layer, let head) = component { values[layer * facts.heads + head] = mean }
        }
        let largest = values.compactMap(\.self).map(abs).max() ?? 0
        return Grid(
            "heads", rows: .init("layer", count: facts.layers),
            columns: .init("head", count: facts.heads),
            value: .init(
                isDifference ? "logit difference" : "logit", range: largest > 0 ? -largest...largest : nil),
            values: values)
    }
}

extension LogitAttribution.Component {
    /// The component's name, which is that of the site where it can be seen.
    var name: String {
        switch self {
        case .embedding: Site(.embed).shortName
        case .positions: Site(.posEmbed).shortName
        case .attention(let layer): Site(.attnOut, layer: layer).shortName
        case .head(let layer, let head): SiteSelection(Site(.z, layer: layer), head: head).shortName
        case .attentionBias(let layer): "bias of attn_out[\(layer)]"
        case .mlp(let layer): Site(.mlpOut, layer: layer).shortName
        case .edits: "edits"
        case .finalBias: "bias of ln_final"
        }
    }
}
