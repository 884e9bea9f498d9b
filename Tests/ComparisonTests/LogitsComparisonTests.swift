import Comparison
import LinearAlgebra
import Statistics
import Testing

@Suite("Comparison of logits over prompts")
struct LogitsComparisonTests {
    /// Two tokens; B gives the first e^gap times the odds that A gives it.
    private func position(_ gap: Float, next: Int? = 0) -> Divergence {
        let (a, b): ([Float], [Float]) = ([0, 0], [gap, 0])
        return a.withUnsafeBufferPointer { a in b.withUnsafeBufferPointer { b in Divergence(a, b, next: next) } }
    }

    @Test("means are over positions, intervals over prompts, and empty prompts are passed over")
    func means() throws {
        let comparison = LogitsComparison([[position(0), position(1)], [], [position(2)], [position(3, next: nil)]])
        #expect(comparison.positions == 4)
        let mean = try #require(comparison.mean(\.forward))
        let values = [0, 1, 2, 3].map { position($0).forward }
        #expect(abs(mean.mean - values.reduce(0, +) / 4) < 1e-15)
        #expect(mean.count == 4 && mean.clusters == 3)
        #expect(mean == ClusteredMean([[values[0], values[1]], [values[2]], [values[3]]]))
        let loss = try #require(comparison.mean { $0.next?.loss.b })
        #expect(loss.count == 3 && loss.clusters == 2)
        #expect(comparison[[3]].mean { $0.next?.loss.b } == nil)
    }

    @Test("prompts by their mean KL")
    func order() {
        let comparison = LogitsComparison([
            [position(0)], [position(2), position(0)], [], [position(2)], [position(2), position(0)],
        ])
        #expect(comparison.largestFirst == [3, 1, 4, 0])
    }
}
