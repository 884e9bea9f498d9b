import Checkpoints
import Control
import LinearAlgebra
import Statistics
package import Workbench

/// The relative change |θ - θ'|_F / |θ'|_F (Frobenius norms) of all weights θ of each checkpoint of a series from the
/// weights θ' of the first, of the one before and of the last.
package struct SeriesWeights {
    private let members: [SeriesMember]
    /// Whether tied models have their embedding as output matrix too, because others have one of their own.
    private let haveOwnHeads: Bool
    private let context: RunContext

    package init(_ members: [SeriesMember], haveOwnHeads: Bool, _ context: RunContext) {
        self.members = members
        self.haveOwnHeads = haveOwnHeads
        self.context = context
    }

    private func file(_ index: Int) throws -> Checkpoint {
        let checkpoint = try members[index].load()
        return haveOwnHeads ? try checkpoint.fileWithOwnHead() : checkpoint.file
    }

    /// Computes the relative changes of the weights along the series of checkpoints.
    ///
    /// - Parameter step: runs the work of one checkpoint that it is given, as one step of the study's progress.
    /// - Throws: `ComparisonError` that names a tensor with NaN or infinite values.
    package func curve(_ step: (() throws -> Void) throws -> Void) throws -> SeriesCurve {
        let last = members.count - 1
        let (start, end) = (try file(0), try file(last))
        var before = start
        var curve = SeriesCurve(
            name: "weights", unit: "|dW|/|W|", values: nil, toFirst: [], toBefore: [], toLast: [])
        for index in members.indices {
            try step {
                let here = index == 0 ? start : index == last ? end : try file(index)
                let first = index == 0 ? nil : try change(from: start, to: here)
                curve.toFirst.append(first)
                curve.toBefore.append(index < 2 ? first : try change(from: before, to: here))
                curve.toLast.append(index == last ? nil : try change(from: end, to: here))
                before = here
            }
        }
        curve.approach = (1..<max(1, last)).compactMap { index in
            guard let one = curve.toLast[index - 1], let other = curve.toLast[index] else { return nil }
            return .init(other.value - one.value, standardError: 0)
        }
        return curve
    }

    private func change(from a: Checkpoint, to b: Checkpoint) throws -> SeriesCurve.Estimate? {
        let pairs = TensorPairs(a.tensors, b.tensors).pairs
        let found = try WeightsComparison(pairs, a, b, pool: context.pool, control: context.control.silent)
        if let bad = found.rows.first(where: { !$0.difference.isFinite }) {
            let counts = bad.difference.nonFinite
            throw ComparisonError.brokenTensor(bad.pair.name, checkpoint: counts.a > 0 ? a.label : b.label)
        }
        return found.total?.relativeChange.map { .init($0, standardError: 0) }
    }
}
