import Checkpoints
import Control
import LinearAlgebra
import Testing

@testable import Comparison

@Suite("Where a tensor changed")
struct LargestChangesTests {
    @Test("rows, columns and elements are those of a full sort", arguments: [3, 40])
    func naive(limit: Int) throws {
        let (rows, columns) = (37, 23)
        let a = WeightPair.normal(rows * columns, 1, seed: 51)
        let b = zip(a, WeightPair.normal(rows * columns, 0.1, seed: 52)).map { $0 + $1 }
        let pair = try WeightPair([.init(name: "w", shape: [rows, columns], a: a, b: b)])
        let found = try LargestChanges(
            try #require(try pair.a.tensor("w")), try #require(try pair.b.tensor("w")), limit: limit,
            control: RunControl())
        func change(_ index: Int) -> Double { Double(b[index]) - Double(a[index]) }
        let elements = (0..<rows * columns).sorted { (-abs(change($0)), $0) < (-abs(change($1)), $1) }
        #expect(found.elements.map { $0.row * columns + $0.column } == Array(elements.prefix(limit)))
        func norm(_ indices: [Int]) -> Double { indices.reduce(0) { $0 + change($1) * change($1) }.squareRoot() }
        let byRow = (0..<rows).map { row in norm((0..<columns).map { row * columns + $0 }) }
        let byColumn = (0..<columns).map { column in norm((0..<rows).map { $0 * columns + column }) }
        #expect(
            found.rows.map(\.index) == Array((0..<rows).sorted { byRow[$0] > byRow[$1] }.prefix(limit)))
        #expect(
            found.columns.map(\.index) == Array((0..<columns).sorted { byColumn[$0] > byColumn[$1] }.prefix(limit)))
        #expect(abs(found.rows[0].change - (byRow.max() ?? 0)) < 1e-12)
    }

    @Test("what did not change is not listed, and a vector is one row")
    func few() throws {
        let values: [Float] = [1, 2, 3, 0]
        let pair = try WeightPair([.init(name: "w", shape: [4], a: values, b: [1, 2, 5, 0])])
        let found = try LargestChanges(
            try #require(try pair.a.tensor("w")), try #require(try pair.b.tensor("w")), limit: 3,
            control: RunControl())
        #expect(found.elements == [.init(row: 0, column: 2, a: 3, b: 5)])
        #expect(found.rows.count == 1 && found.columns.map(\.index) == [2])
    }
}
