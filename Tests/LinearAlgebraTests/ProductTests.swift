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
        let arena = PageArena()
        let packed = try arena.allocate(
            byteCount: products.packedByteCount(columns: columns, depth: depth))
        try products.pack(b, columns: columns, depth: depth, into: packed)
        for count in [1, 2, 3, 17, 64, 70] {
            var part = [Float](repeating: 0, count: count * columns)
            try products.multiplyPacked(
                a, packed, into: &part, rows: count, columns: columns, depth: depth)
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
        withExtendedLifetime(arena) {}
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

    private static func words(_ x: [Float]) -> [UInt16] {
        var result = [UInt16](repeating: 0, count: x.count)
        Narrowing.bf16(x, into: &result, count: x.count)
        return result
    }

    @Test("bf16 operands: the sum of exact products, the same bits alone and among others", arguments: [64, 577, 1536])
    func bf16(depth: Int) throws {
        let (rows, columns) = (70, 96)
        let a = Self.words(Self.random(rows * depth, seed: 7))
        let b = Self.words(Self.random(columns * depth, seed: 8))
        var whole = [Float](repeating: 0, count: rows * columns)
        let products = ProductCache()
        try products.multiplyTransposed(a, b, into: &whole, rows: rows, columns: columns, depth: depth, type: .bf16)
        func value(_ word: UInt16) -> Double { Double(Float(bitPattern: UInt32(word) << 16)) }
        for row in stride(from: 0, to: rows, by: 7) {
            for column in 0..<columns {
                let exact = (0..<depth).reduce(0.0) { $0 + value(a[row * depth + $1]) * value(b[column * depth + $1]) }
                #expect(abs(Double(whole[row * columns + column]) - exact) < 1e-5 * Double(depth).squareRoot() + 1e-6)
            }
        }
        let arena = PageArena()
        let packed = try arena.allocate(
            byteCount: products.packedByteCount(columns: columns, depth: depth, type: .bf16))
        try products.pack(b, columns: columns, depth: depth, type: .bf16, into: packed)
        for count in [1, 2, 17, 64, 70] {
            var part = [Float](repeating: 0, count: count * columns)
            try products.multiplyPacked(
                a, packed, into: &part, rows: count, columns: columns, depth: depth, type: .bf16)
            #expect(part[...] == whole[..<(count * columns)], "\(count) rows, packed")
        }
        withExtendedLifetime(arena) {}
    }

    @Test("rounding to bf16 is to the nearest, ties to even; infinities and NaN stay")
    func narrowing() {
        let cases: [(Float, UInt16)] = [
            (1, 0x3F80), (Float(bitPattern: 0x3F80_8000), 0x3F80), (Float(bitPattern: 0x3F81_8000), 0x3F82),
            (Float(bitPattern: 0x3F80_8001), 0x3F81), (-0.0, 0x8000), (.infinity, 0x7F80), (-.infinity, 0xFF80),
            (Float(bitPattern: 0x7F7F_FFFF), 0x7F80), (Float(bitPattern: 1), 0),
        ]
        var rounded = [Float](repeating: 0, count: cases.count)
        Narrowing.roundToBF16(cases.map(\.0), into: &rounded, count: cases.count)
        #expect(Self.words(cases.map(\.0)) == cases.map(\.1))
        #expect(rounded.map { UInt16($0.bitPattern >> 16) } == cases.map(\.1))
        for word in Self.words([.nan, -.nan, Float(bitPattern: 0x7F80_0001)]) {
            #expect(word & 0x7F80 == 0x7F80 && word & 0x7F != 0)
        }
    }

    @Test("one row with a weight stored as [in, out]", arguments: [ElementType.f32, .bf16, .f16])
    func columns(type: ElementType) {
        let (depth, stride, first, columns) = (33, 40, 5, 21)
        let x = Self.random(depth, seed: 9)
        var bytes: [UInt8] = []
        var values: [Float] = []
        for value in Self.random(depth * stride, seed: 10) {
            switch type {
            case .bf16:
                let word = UInt16(value.bitPattern >> 16)
                withUnsafeBytes(of: word) { bytes += $0 }
                values.append(Float(bitPattern: UInt32(word) << 16))
            case .f16:
                // An exponent in the middle of the range and ten random bits.
                let word = UInt16(truncatingIfNeeded: value.bitPattern >> 13) & 0x3FF | 0x3400
                withUnsafeBytes(of: word) { bytes += $0 }
                values.append((1 + Float(word & 0x3FF) / 1024) / 4)
            default:
                withUnsafeBytes(of: value) { bytes += $0 }
                values.append(value)
            }
        }
        var y = [Float](repeating: .nan, count: columns)
        bytes.withUnsafeBytes {
            VectorProduct.multiplyColumns(
                $0.baseAddress! + first * type.byteCount, type, x, into: &y, columns: columns, depth: depth,
                stride: stride)
        }
        for column in 0..<columns {
            let exact = (0..<depth).reduce(0.0) { $0 + Double(x[$1]) * Double(values[$1 * stride + first + column]) }
            #expect(abs(Double(y[column]) - exact) < 1e-4)
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

    @Test("an arena hands out aligned memory that does not overlap, of any size")
    func arena() throws {
        let arena = PageArena()
        let sizes = [1, 64, 100, 5 << 20, 31 << 20, 40 << 20, 7, 4096]
        let blocks = try sizes.map { try arena.allocate(byteCount: $0) }
        for (index, block) in blocks.enumerated() {
            #expect(Int(bitPattern: block) % 64 == 0)
            block.initializeMemory(as: UInt8.self, repeating: UInt8(index), count: sizes[index])
        }
        for (index, block) in blocks.enumerated() {
            #expect(block.load(as: UInt8.self) == index)
            #expect(block.load(fromByteOffset: sizes[index] - 1, as: UInt8.self) == index)
        }
    }
}
