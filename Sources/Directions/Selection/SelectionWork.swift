import Control
import LinearAlgebra
import Models
import Sites
import Workbench

/// Runs a model for the selection of a direction, counts the work and reports the progress.
final class SelectionWork {
    let runner: Runner
    private let control: RunControl
    /// The work that the selection has done, in tokens times layers.
    private(set) var tokenLayers = 0
    /// The number of floating-point operations of all matrix products of the selection so far.
    private(set) var operations = 0.0
    /// The work of the selection that is still to come, in tokens times layers, as an upper bound.
    var remaining = 0

    init(_ runner: Runner, control: RunControl) {
        self.runner = runner
        self.control = control
    }

    private var configuration: ModelConfiguration { runner.model.configuration }
    var layers: Int { configuration.layers }
    var width: Int { configuration.hiddenSize }
    var vocabulary: Int { configuration.vocabularySize }

    /// Runs prompts up to their logits at the last position, and passes each prompt's logits to `read` on any thread.
    func last(
        _ sequences: TokenSequences, taps: [any Tap] = [], edits: [any Edit] = [], from start: ResidualStart? = nil,
        read: @escaping @Sendable (_ prompt: Int, UnsafeBufferPointer<Float>, LogNormalizer) -> Void
    ) throws {
        let vocabulary = vocabulary
        let request = RowLogits.concurrentRequest(sequences.lastRows, vocabulary: vocabulary) { place, row in
            read(place, row, LogNormalizer(row))
        }
        let summary = try runner.run(
            sequences, taps: taps, edits: edits, logits: request, from: start, control: control.silent)
        note(summary, tokens: sequences.tokens.count, layers: layers - (start?.layer ?? 0))
    }

    /// Returns selected rows of prompts' residual stream at some layers' inputs, without edits.
    ///
    /// - Returns: for each layer's input (a site, a named place in the model), [rows of the selection, width].
    func residuals(
        _ sequences: TokenSequences, at wanted: Range<Int>, _ selection: RowSelection, from start: ResidualStart? = nil
    ) throws -> [Site: Matrix] {
        let collected = CollectedRows(wanted.map { Site(.residPre, layer: $0) }, selection, pool: runner.pool)
        let summary = try runner.run(sequences, taps: [collected.tap], from: start, control: control.silent)
        note(summary, tokens: sequences.tokens.count, layers: wanted.upperBound - 1 - (start?.layer ?? 0))
        return collected.matrices
    }

    private func note(_ summary: RunSummary, tokens: Int, layers: Int) {
        tokenLayers += tokens * layers
        operations += summary.operations
        remaining -= tokens * layers
        control.report(done: tokenLayers, total: tokenLayers + max(0, remaining), unit: "token-layers")
    }

    /// Subtracts work, in tokens times layers, that was counted as still to come and won't be done.
    func skip(_ count: Int) { remaining -= count }
}

/// Numbers that several threads write, each to its own places.
final class SharedResults: @unchecked Sendable {
    private let buffer: UnsafeMutableBufferPointer<Double>

    init(count: Int) {
        buffer = .allocate(capacity: count)
        buffer.initialize(repeating: .nan)
    }

    deinit { buffer.deallocate() }

    subscript(index: Int) -> Double {
        get { buffer[index] }
        set { buffer[index] = newValue }
    }

    func values(_ range: Range<Int>) -> [Double] { Array(buffer[range]) }
}
