import LinearAlgebra
import Testing

@Suite("Matrix products")
struct ProductTests {
    private static func random(_ count: Int, seed: UInt64) -> [Float] {
        var random = SeededRandom(seed: seed)
        return random.normal(count: count).map(Float.init)
    }

    @Test("agree with a sum in float64", arguments: [(1, 1, 1), (3, 5, 7), (17, 33, 64), (64, 77, 300)])
    func naive(rows: Int, columns: Int, depth: Int) throws {
        let a = Self.random(rows * depth, seed: 1)
        let b = Self.random(columns * depth, seed: 2)
        var c = [Float](repeating: .nan, count: rows * columns)
        var d = c
        let products = ProductCache()
        try products.multiplyTransposed(a, b, into: &c, rows: rows, columns: columns, depth: depth)
        var turned = [Float](repeating: 0, count: b.count)
        for column in 0..<columns {
            for k in 0..<depth { turned[k * columns + column] = b[column * depth + k] }
        }
        try products.multiply(a, turned, into: &d, rows: rows, columns: columns, depth: depth)
        for row in 0..<rows {
            for column in 0..<columns {
                let exact = (0..<depth).reduce(0.0) {
                    $0 + Double(a[row * depth + $1]) * Double(b[column * depth + $1])
                }
                let bound = 1e-5 * Double(depth).squareRoot() + 1e-6
                #expect(abs(Double(c[row * columns + column]) - exact) < bound)
                #expect(abs(Double(d[row * columns + column]) - exact) < bound)
            }
        }
    }

    /// What packed = alone and 1 thread = 2 threads rest on.
    @Test("give a row and a column the same bits alone and among others", arguments: [64, 576, 1536, 4096])
    func invariance(depth: Int) throws {
        let (rows, columns) = (70, 200)
        let a = Self.random(rows * depth, seed: 3)
        let b = Self.random(columns * depth, seed: 4)
        var whole = [Float](repeating: 0, count: rows * columns)
        let products = ProductCache()
        try products.multiplyTransposed(a, b, into: &whole, rows: rows, columns: columns, depth: depth)
        let packed = try products.pack(b, columns: columns, depth: depth)
        defer { packed.deallocate() }
        for count in [1, 2, 3, 17, 64, 70] {
            var part = [Float](repeating: 0, count: count * columns)
            try products.multiplyPacked(
                a, packed.baseAddress!, into: &part, rows: count, columns: columns, depth: depth)
            #expect(part[...] == whole[..<(count * columns)], "\(count) rows, packed")
        }
        for count in [1, 2, 3, 8, 15, 16, 17, 33, 64] {
            var part = [Float](repeating: 0, count: count * columns)
            try a.withUnsafeBufferPointer {
                try products.multiplyTransposed(
                    $0.baseAddress! + 5 * depth, b, into: &part, rows: count, columns: columns, depth: depth)
            }
            #expect(part[...] == whole[5 * columns..<(5 + count) * columns], "\(count) rows")
        }
        for count in [1, 16, 48, 64, 100, 160] {
            var part = [Float](repeating: 0, count: rows * count)
            try products.multiplyTransposed(a, b, into: &part, rows: rows, columns: count, depth: depth)
            for row in 0..<rows {
                #expect(
                    part[row * count..<(row + 1) * count] == whole[row * columns..<row * columns + count],
                    "\(count) columns")
            }
        }
    }

    @Test("of one row with stored weights agree at every element type")
    func vectorProduct() {
        let (columns, depth) = (9, 77)
        let x = Self.random(depth, seed: 5)
        let full = Self.random(columns * depth, seed: 6)
        let halves = full.map { UInt16($0.bitPattern >> 16) }
        let widened = halves.map { Float(bitPattern: UInt32($0) << 16) }
        var y = [Float](repeating: 0, count: columns)
        var z = y
        halves.withUnsafeBytes {
            VectorProduct.multiply($0.baseAddress!, .bf16, x, into: &y, range: 0..<columns, depth: depth)
        }
        widened.withUnsafeBytes {
            VectorProduct.multiply($0.baseAddress!, .f32, x, into: &z, range: 0..<columns, depth: depth)
        }
        for index in 0..<columns { #expect(abs(y[index] - z[index]) < 1e-4) }
    }
}
