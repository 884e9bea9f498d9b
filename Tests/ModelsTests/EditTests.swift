import Checkpoints
import Control
import Foundation
import LinearAlgebra
import Models
import Sites
import Statistics
import TestSupport
import Testing

@Suite("Edits")
struct EditTests {
    private let runner: Runner
    private let single: Runner
    private let c: ModelConfiguration
    private let prompts: [[Int32]]

    init() throws {
        let checkpoint = try Checkpoint.open(
            NacreProcess.root.appending(path: "Tests/Fixtures/models/tiny-chat.h5").path)
        let model = try Architectures.decoder(JSONValueReader.read(checkpoint), weights: checkpoint)
        runner = Runner(model: model, pool: try ThreadPool(threadCount: 2))
        single = Runner(model: model, pool: try ThreadPool(threadCount: 1))
        c = model.configuration
        var random = SeededRandom(seed: 11)
        let vocabulary = Int32(c.vocabularySize)
        prompts = (0..<40).map { length in
            (0...length).map { _ in Int32.random(in: 0..<vocabulary, using: &random) }
        }
    }

    /// A site's rows at every position, and the logits at the last.
    private func run(
        _ runner: Runner, _ prompts: [[Int32]], site: Site, _ edits: [any Edit], from start: ResidualStart? = nil
    ) throws -> (rows: Matrix, logits: [Float]) {
        let sequences = TokenSequences(prompts)
        let sink = MatrixSink(rows: sequences.tokens.count)
        let selection = RowSelection(sequences, positions: prompts.map { Array($0.indices) }, isMean: false)
        var logits: [Float] = []
        let request = LogitsRequest(rows: sequences.starts.dropFirst().map { $0 - 1 }) { [c] range, values, _ in
            logits += UnsafeBufferPointer(start: values, count: range.count * c.vocabularySize)
        }
        try runner.run(
            sequences, taps: [SiteCollector(sites: [site], selection: selection, sink: sink)], edits: edits,
            logits: request, from: start, control: RunControl())
        return (try #require(sink.matrices[site]), logits)
    }

    private func directions(_ k: Int) -> Matrix {
        // Rows of the identity, turned into others by a reflection: orthonormal to the last bit but one.
        let width = c.hiddenSize
        var random = SeededRandom(seed: 5)
        let v = random.normal(count: width)
        let length = v.reduce(0) { $0 + $1 * $1 }
        var values: [Float] = []
        for i in 0..<k {
            for j in 0..<width { values.append(Float((i == j ? 1 : 0) - 2 * v[i] * v[j] / length)) }
        }
        return Matrix(rows: k, columns: width, values: values)
    }

    @Test("a subspace edit moves the coordinates to their targets, and nothing else")
    func subspace() throws {
        let site = Site(.residPost, layer: 0)
        let basis = directions(3)
        let before = try run(runner, prompts, site: site, []).rows
        for (targets, strength) in [([0, 0, 0], 1), ([2, -1, 0.5], 1), ([0, 0, 0], 0.25), ([1, 0, 0], 2)]
            as [([Float], Float)]
        {
            let edit = SubspaceEdit(basis: basis, targets: targets, strength: strength, sites: [site])
            let after = try run(runner, prompts, site: site, [edit]).rows
            for row in 0..<before.rows {
                var rest = zip(after.row(row), before.row(row)).map { $0.0 - $0.1 }
                for k in 0..<3 {
                    func coordinate(_ x: ArraySlice<Float>) -> Float {
                        zip(x, basis.row(k)).reduce(0) { $0 + $1.0 * $1.1 }
                    }
                    let (old, new) = (coordinate(before.row(row)), coordinate(after.row(row)))
                    #expect(abs(new - (old + strength * (targets[k] - old))) < 1e-5)
                    for (place, unit) in basis.row(k).enumerated() { rest[place] -= (new - old) * unit }
                }
                #expect(rest.allSatisfy { abs($0) < 1e-5 })
            }
        }
    }

    @Test("steering adds its vector, or so much of each row's length")
    func steering() throws {
        let site = Site(.residPre, layer: 1)
        let vector = Array(directions(1).row(0))
        let before = try run(runner, prompts, site: site, []).rows
        let plain = try run(runner, prompts, site: site, [Steering(vector: vector, sites: [site])]).rows
        let relative = try run(
            runner, prompts, site: site, [Steering(vector: vector, isRelative: true, sites: [site])]
        ).rows
        for row in 0..<before.rows {
            let length = before.row(row).reduce(0) { $0 + $1 * $1 }.squareRoot()
            for (place, value) in before.row(row).enumerated() {
                #expect(abs(plain[row, place] - (value + vector[place])) < 1e-6)
                #expect(abs(relative[row, place] - (value + length * vector[place])) < 1e-5)
            }
        }
    }

    @Test("replaced columns: zeros, a constant, drawn rows, another run's rows; the others stay")
    func replacement() throws {
        let site = Site(.z, layer: 0)
        let columns = c.headDimension..<2 * c.headDimension
        let before = try run(runner, prompts, site: site, []).rows
        let donors = Matrix(
            rows: 2, columns: columns.count, values: (0..<2 * columns.count).map { Float($0) })
        let sources: [(Replacement.Source, (Int, Int) -> [Float])] = [
            (.zero, { _, _ in [0] }),
            (.constant(Array(donors.row(1))), { _, place in [donors[1, place]] }),
            (.resampled(donors, seed: 3), { _, place in [donors[0, place], donors[1, place]] }),
            (
                .rows(donors, at: { $0.prompt == 3 ? $0.position % 2 : nil }),
                { position, place in [donors[position % 2, place]] }
            ),
        ]
        for (source, expected) in sources {
            let edit = Replacement(source, columns: columns, sites: [site])
            let after = try run(runner, prompts, site: site, [edit]).rows
            let again = try run(single, prompts, site: site, [edit])
            #expect(after == again.rows)
            var row = 0
            for (prompt, ids) in prompts.enumerated() {
                for position in ids.indices {
                    defer { row += 1 }
                    var isReplaced = true
                    if case .rows = source { isReplaced = prompt == 3 }
                    for column in 0..<before.columns {
                        if isReplaced, columns.contains(column) {
                            let wanted = expected(
                                position, column - columns.lowerBound)
                            #expect(wanted.contains(after[row, column]))
                        } else {
                            #expect(after[row, column] == before[row, column])
                        }
                    }
                }
            }
        }
    }

    @Test("packed or alone, at one thread or two: the same bits; edits off, the original's")
    func sameBits() throws {
        let site = Site(.residPost, layer: c.layers - 1)
        let edits: [any Edit] = [
            SubspaceEdit(
                basis: directions(2),
                sites: (0..<c.layers).flatMap { layer in
                    [Site.Kind.residPre, .attnOut, .mlpOut].map { Site($0, layer: layer) }
                }),
            Steering(vector: Array(directions(1).row(0)), sites: [Site(.residPre, layer: 1)], positions: .from(2)),
            Replacement(
                .zero, columns: 0..<c.headDimension, sites: [Site(.z, layer: 0)], positions: .position(1)),
        ]
        let plain = try run(runner, prompts, site: site, []).logits
        let packed = try run(runner, prompts, site: site, edits).logits
        #expect(packed != plain)
        #expect(try run(single, prompts, site: site, edits).logits == packed)
        for index in stride(from: 0, to: prompts.count, by: 9) {
            let alone = try run(runner, [prompts[index]], site: site, edits).logits
            #expect(alone[...] == packed[index * c.vocabularySize..<(index + 1) * c.vocabularySize])
        }
        #expect(try run(runner, prompts, site: site, []).logits == plain)
    }

    @Test("a run that goes on from a layer's input gives the bits of the whole run")
    func resumed() throws {
        let site = Site(.residPost, layer: c.layers - 1)
        let input = Site(.residPre, layer: 1)
        let steering = Steering(vector: Array(directions(1).row(0)), sites: [input])
        let stream = try run(runner, prompts, site: input, []).rows
        let whole = try run(runner, prompts, site: site, [steering])
        let start = ResidualStart(layer: 1, stream: stream)
        for runner in [runner, single] {
            let resumed = try run(runner, prompts, site: site, [steering], from: start)
            #expect(resumed.logits == whole.logits)
            #expect(resumed.rows == whole.rows)
        }
    }

    @Test("positions count from the prompt's first token in generation too")
    func generation() throws {
        let prompt = prompts[6]
        let limit = 8
        func generated(_ edits: [any Edit]) throws -> [Int32] {
            try runner.generate(prompt, limit: limit, stop: [], edits: edits, control: RunControl())
        }
        /// By running the whole text again for every token.
        func plainly(_ edits: [any Edit]) throws -> [Int32] {
            var ids = prompt
            for _ in 0..<limit {
                let logits = try run(runner, [ids], site: Site(.residPre, layer: 0), edits).logits
                let best = logits.indices.reduce(0) { logits[$1] > logits[$0] ? $1 : $0 }
                ids.append(Int32(best))
            }
            return Array(ids[prompt.count...])
        }
        let vector = directions(1).row(0).map { 3 * $0 }
        let before = try generated([])
        // What is generated stands among the prompt's rows where the whole text is run again.
        func steered(_ positions: EditPositions) throws -> [Int32] {
            try generated([Steering(vector: vector, sites: [Site(.residPre, layer: 1)], positions: positions)])
        }
        let early = (0..<prompt.count).map { EditPositions.position($0) }
        #expect(
            try steered(.prompt)
                == generated(early.map { Steering(vector: vector, sites: [Site(.residPre, layer: 1)], positions: $0) }))
        #expect(try steered(.last) == steered(.position(prompt.count - 1)))
        for positions in [EditPositions.all, .from(prompt.count + 2), .position(2)] {
            let edit = Steering(vector: vector, sites: [Site(.residPre, layer: 1)], positions: positions)
            let found = try generated([edit])
            #expect(found == (try plainly([edit])))
            if positions == .from(prompt.count + 2) { #expect(found.prefix(3) == before.prefix(3)) }
        }
    }
}
