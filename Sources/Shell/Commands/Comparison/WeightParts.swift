import Comparison
import Reports

/// The change of the weights by layer and by part of the model.
struct WeightParts {
    private let rows: [(part: ModelPart, difference: TensorDifference)]

    init(_ rows: [WeightsComparison.Row]) {
        self.rows = rows.map { (ModelPart($0.pair.name), $0.difference) }
    }

    private var layers: [Int] { Set(rows.compactMap(\.part.layer)).sorted() }

    private func kinds(_ rows: [(part: ModelPart, difference: TensorDifference)]) -> [ModelPart.Kind] {
        ModelPart.Kind.allCases.filter { kind in rows.contains { $0.part.kind == kind } }
    }

    private func change(_ layer: Int?, _ kind: ModelPart.Kind?) -> Double? {
        TensorDifference(
            joining: rows.filter { $0.part.layer == layer && (kind == nil || $0.part.kind == kind) }.map(\.difference)
        )?.relativeChange
    }

    /// The table of |B-A|/|A| over all tensors of each part.
    var table: Table {
        let kinds = kinds(rows)
        var table = Table(
            "|B-A|/|A| by part",
            columns: ["layer"] + kinds.map { .init($0.rawValue, alignment: .right) } + [.init("all", alignment: .right)]
        )
        func append(_ layer: Int?, _ label: String) {
            guard rows.contains(where: { $0.part.layer == layer }) else { return }
            table.append([.text(label)] + kinds.map { Cell(change(layer, $0)) } + [Cell(change(layer, nil))])
        }
        append(nil, "outside")
        for layer in layers { append(layer, String(layer)) }
        return table
    }

    /// The heat map of the changes, or nil if there are no layers.
    var grid: Grid? {
        let inside = rows.filter { $0.part.layer != nil }
        let kinds = kinds(inside)
        guard !inside.isEmpty else { return nil }
        return Grid(
            "change of the weights", rows: .init("layer", labels: layers.map(String.init)),
            columns: .init("part", labels: kinds.enumerated().map { "\($0.offset) \($0.element.rawValue)" }),
            value: .init("|B-A|/|A|"), values: layers.flatMap { layer in kinds.map { change(layer, $0) } })
    }
}
