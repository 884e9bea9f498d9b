import LinearAlgebra
import Models
import Sites
import Workbench

/// The means over a class's prompts of the residual stream at some layers' inputs and some positions from the end, in
/// float64.
struct ClassMeans {
    /// The mean residual streams of a class of prompts, [layers, positions, width].
    let values: [[[Double]]]
    /// The number of the class's prompts that entered the means.
    let count: Int

    /// The number of bytes of activations that are held until their prompts' scores say whether they enter the means.
    private static let heldBytes = 256 << 20

    /// - Parameters:
    ///   - positions: the token positions from a prompt's end, ascending, below 0.
    ///   - keep: decides by a prompt's score at the last position whether it enters; if nil all enter, and no logits
    ///     are computed.
    init(
        _ work: SelectionWork, prompts: [[Int32]], layers: Range<Int>, positions: [Int],
        keep: (@Sendable (Double) -> Bool)?, score: TokenScore
    ) throws {
        let width = work.width
        var sums = [[[Double]]](
            repeating: [[Double]](repeating: [Double](repeating: 0, count: width), count: positions.count),
            count: layers.count)
        var count = 0
        let each = max(1, Self.heldBytes / (4 * width * max(1, layers.count * positions.count)))
        for first in stride(from: 0, to: prompts.count, by: each) {
            let group = Array(prompts[first..<min(first + each, prompts.count)])
            let sequences = TokenSequences(group)
            let selection = RowSelection(
                sequences, positions: group.map { prompt in positions.map { prompt.count + $0 } }, isMean: false)
            let (streams, kept) = try Self.run(
                work, sequences, layers: layers, selection, keep: keep, score: score)
            count += kept.count
            for (place, layer) in layers.enumerated() {
                guard let stream = streams[Site(.residPre, layer: layer)] else { continue }
                for prompt in kept {
                    for index in positions.indices {
                        let row = stream.row(prompt * positions.count + index)
                        for (column, value) in row.enumerated() { sums[place][index][column] += Double(value) }
                    }
                }
            }
        }
        let scale = Double(max(1, count))
        values = sums.map { $0.map { $0.map { $0 / scale } } }
        self.count = count
    }

    /// Runs a class's prompts and collects the residual stream at the selected rows.
    ///
    /// - Returns: the selected rows of the stream by site (a place in the model), and the indices of the prompts that
    ///   enter.
    private static func run(
        _ work: SelectionWork, _ sequences: TokenSequences, layers: Range<Int>, _ selection: RowSelection,
        keep: (@Sendable (Double) -> Bool)?, score: TokenScore
    ) throws -> ([Site: Matrix], [Int]) {
        guard let keep else {
            return (try work.residuals(sequences, at: layers, selection), Array(0..<sequences.count))
        }
        let collected = CollectedRows(
            layers.map { Site(.residPre, layer: $0) }, selection, pool: work.runner.pool)
        let scores = SharedResults(count: sequences.count)
        try work.last(sequences, taps: [collected.tap]) { prompt, logits, normalizer in
            scores[prompt] = score.score(logits, normalizer: normalizer)
        }
        return (collected.matrices, (0..<sequences.count).filter { keep(scores[$0]) })
    }
}
