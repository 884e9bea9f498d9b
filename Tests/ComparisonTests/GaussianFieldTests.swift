import Testing

@testable import Comparison

@Suite("A field of Gaussian numbers")
struct GaussianFieldTests {
    @Test("each place has its number, however it is read", arguments: [7, 256, 700])
    func places(columns: Int) {
        let field = GaussianField(seed: 4, columns: columns)
        func read(_ first: Int, _ count: Int) -> [Double] {
            var values = [Double](repeating: 0, count: count)
            values.withUnsafeMutableBufferPointer { field.add(to: $0, from: first, scale: 2) }
            return values
        }
        let whole = read(0, 5 * columns)
        for (first, count) in [
            (0, 1), (3, columns), (columns - 1, 2), (2 * columns + 5, 2 * columns), (4 * columns, 0),
        ] {
            #expect(read(first, count) == Array(whole[first..<first + count]), "\(first) \(count)")
        }
        #expect(Set(whole).count == whole.count)
        let square = whole.reduce(0) { $0 + $1 * $1 } / Double(whole.count)
        #expect(columns < 100 || abs(square - 4) < 0.6, "\(square)")
    }
}
