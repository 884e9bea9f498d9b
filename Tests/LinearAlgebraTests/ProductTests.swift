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

    @Test(
        "row by row: the same bits alone and among others, stored in 16 bits or widened", arguments: [7, 64, 77, 576])
    func vectorProduct(depth: Int) {
        let (columns, rows) = (23, 9)
        let x = Self.random(rows * depth, seed: 5)
        let full = Self.random(columns * depth, seed: 6)
        let patterns = full.indices.map { index -> UInt16 in
            // Every kind of half: subnormal numbers too.
            index % 11 == 0 ? UInt16(index % 1024) : UInt16(truncatingIfNeeded: 0x3000 + index * 37 % 0x0C00)
        }
        let cut = full.map { UInt16($0.bitPattern >> 16) }
        let widenedHalves = [Float](unsafeUninitializedCapacity: full.count) { buffer, written in
            patterns.withUnsafeBytes {
                Widening.widen($0.baseAddress!, .f16, into: buffer.baseAddress!, count: full.count)
            }
            written = full.count
        }
        func product(
            _ weight: [some BitwiseCopyable], _ type: ElementType, rows: Range<Int>, range: Range<Int>
        ) -> [Float] {
            var y = [Float](repeating: .nan, count: rows.count * range.count)
            weight.withUnsafeBytes { weight in
                x.withUnsafeBufferPointer {
                    VectorProduct.multiply(
                        weight.baseAddress!, type, $0.baseAddress! + rows.lowerBound * depth, rows: rows.count,
                        into: &y, range: range, depth: depth)
                }
            }
            return y
        }
        let stored: [(ElementType, [Float], (Range<Int>, Range<Int>) -> [Float])] = [
            (.f32, full, { product(full, .f32, rows: $0, range: $1) }),
            (.bf16, cut.map { Float(bitPattern: UInt32($0) << 16) }, { product(cut, .bf16, rows: $0, range: $1) }),
            (.f16, widenedHalves, { product(patterns, .f16, rows: $0, range: $1) }),
        ]
        for (type, widened, multiply) in stored {
            let whole = multiply(0..<rows, 0..<columns)
            #expect(whole == product(widened, .f32, rows: 0..<rows, range: 0..<columns), "\(type)")
            for row in 0..<rows {
                for column in 0..<columns {
                    let exact = (0..<depth).reduce(0.0) {
                        $0 + Double(x[row * depth + $1]) * Double(widened[column * depth + $1])
                    }
                    #expect(abs(Double(whole[row * columns + column]) - exact) < 1e-4, "\(type)")
                }
            }
            for part in [0..<1, 3..<4, 2..<4, 4..<7, 1..<5, 0..<8] {
                for range in [0..<columns, 5..<6, 3..<13] {
                    let found = multiply(part, range)
                    for (place, row) in part.enumerated() {
                        #expect(
                            found[place * range.count..<(place + 1) * range.count]
                                == whole[row * columns + range.lowerBound..<row * columns + range.upperBound])
                    }
                }
            }
        }
    }
}
