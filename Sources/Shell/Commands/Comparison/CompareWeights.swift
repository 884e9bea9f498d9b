import Checkpoints
import Comparison
import Language
import Reports
import Sites
import TerminalText
import Workbench

/// The measure `compare A B weights`: the tensors of two checkpoints, side by side.
struct CompareWeights {
    let command: CompareCommand
    let pair: CheckpointPair
    let session: Session

    /// The order of the table of tensors.
    enum Order: String, CaseIterable {
        case name, change
    }

    func outcome() throws -> Outcome {
        let order = try self.order()
        let top = try command.top.map { try checkedCount($0, "--top") }
        let picture = try command.plotting.prepare(session)
        let subspace = try command.topK.map { try checkedCount($0, "--top-k", limit: 1000) }
        guard subspace == nil || command.svd else {
            throw CommandError("--top-k goes with --svd", remedy: "add --svd", exitCode: 2)
        }
        let pairs = try pair.tensors(matching: command.tensors, in: session.context())
        let comparison = try pair.compare(pairs, in: session.context())
        var result = WeightsReport(
            pair: pair, pairs: pairs, comparison: comparison, pattern: command.tensors,
            differences: try pair.differences().count)
        result.listed = Self.listed(comparison.rows, order: order, top: top)
        if command.svd {
            result.spectra = try WeightSpectraRun(
                context: session.context(), pair: pair, rows: result.listed, top: subspace ?? 8
            ).run()
        }
        var report = result.report()
        guard command.plotting.plot == nil || !report.grids.isEmpty else {
            throw CommandError(
                "there are no layers to draw", remedy: "leave out --plot, or choose more with --tensors")
        }
        report.recipe = session.recipe([pair.a.checkpoint, pair.b.checkpoint])
        return try command.plotting.outcome(report, picture, session)
    }

    private func order() throws -> Order {
        guard let sort = command.sort else { return command.top == nil ? .name : .change }
        if let order = Order(rawValue: sort) { return order }
        throw CommandError(
            "--sort can't be \"\(sort.escapedForTerminal)\"",
            remedy: Suggestion.remedy(for: sort, among: Order.allCases.map(\.rawValue)), exitCode: 2)
    }

    private static func listed(
        _ rows: [WeightsComparison.Row], order: Order, top: Int?
    ) -> [WeightsComparison.Row] {
        var rows = rows
        if order == .change {
            // Tensors whose relative change is not a finite number come first, because no number can express their
            // change.
            func size(_ row: WeightsComparison.Row) -> Double { row.difference.relativeChange ?? .infinity }
            rows = rows.enumerated().sorted { (-size($0.element), $0.offset) < (-size($1.element), $1.offset) }
                .map(\.element)
        }
        return Array(rows.prefix(top ?? rows.count))
    }
}
