import LinearAlgebra
import Statistics
import Testing

/// Products at every level that this processor has. `Scripts/checks/kernels.sh` checks the others by emulation.
@Suite("Matrix products")
struct ProductTests {
    private static func random(_ count: Int, seed: UInt64) -> [Float] {
        var random = SeededRandom(seed: seed)
        return random.normal(count: count).map(Float.init)
    }

    /// The sum that a product is defined by: chains of fused multiply-adds over 256 inputs each, added in their order.
    private static func chain(_ a: ArraySlice<Float>, _ w: ArraySlice<Float>) -> Float {
        let (a, w) = (Array(a), Array(w))
        var sum: Float = 0
        for block in stride(from: 0, to: a.count, by: 256) {
            var part: Float = 0
            for x in block..<min(block + 256, a.count) { part.addProduct(a[x], w[x]) }
            sum = block == 0 ? part : sum + part
        }
        return sum
    }

    /// A weight in every type and layout, and the values that it has in f32.
    private struct Stored {
        let type: ElementType
        let bytes: [UInt8]
        let turned: [UInt8]
        /// [outputs, inputs]
        let values: [Float]

        init(_ type: ElementType, outputs: Int, inputs: Int, seed: UInt64) {
            self.type = type
            var words = ProductTests.random(outputs * inputs, seed: seed).map(\.bitPattern)
            switch type {
            case .bf16: words = words.map { $0 >> 16 }
            // Every kind of half: subnormal numbers too.
            case .f16:
                words = words.indices.map { $0 % 11 == 0 ? UInt32($0 % 1024) : UInt32(0x3000 + $0 * 37 % 0x0C00) }
            default: break
            }
            let size = type.byteCount
            func stored(_ order: some Sequence<Int>) -> [UInt8] {
                order.flatMap { index in (0..<size).map { UInt8(truncatingIfNeeded: words[index] >> (8 * $0)) } }
            }
            bytes = stored(0..<outputs * inputs)
            turned = stored((0..<inputs).flatMap { input in (0..<outputs).map { $0 * inputs + input } })
            let count = words.count
            values = [Float](unsafeUninitializedCapacity: count) { [bytes] buffer, written in
                bytes.withUnsafeBytes {
                    Widening.widen($0.baseAddress!, type, into: buffer.baseAddress!, count: count)
                }
                written = count
            }
        }

        /// The weight in rows, in columns and in panels.
        func withLayouts(
            outputs: Int, inputs: Int, _ products: Products, _ body: (ProductWeight) throws -> Void
        ) throws {
            let arena = PageArena()
            let panels = try arena.allocate(
                byteCount: Products.packedByteCount(outputs: outputs, inputs: inputs, type: type))
            try bytes.withUnsafeBytes { bytes in
                try turned.withUnsafeBytes { turned in
                    let plain = ProductWeight(bytes.baseAddress!, type, .rows(stride: inputs))
                    products.pack(plain, outputs: outputs, inputs: inputs, into: panels)
                    try body(plain)
                    try body(ProductWeight(turned.baseAddress!, type, .columns(stride: outputs)))
                    try body(ProductWeight(panels, type, .panels))
                }
            }
            withExtendedLifetime(arena) {}
        }
    }

    private static let types = [ElementType.f32, .bf16, .f16]
    private static let shapes = [
        (rows: 70, outputs: 200, inputs: 300), (rows: 17, outputs: 33, inputs: 63),
        (rows: 29, outputs: 65, inputs: 257),
        (rows: 7, outputs: 15, inputs: 1), (rows: 13, outputs: 64, inputs: 576), (rows: 5, outputs: 31, inputs: 1041),
    ]

    @Test("are the same sums, bit for bit: alone and among others, in any layout, at every level")
    func bits() throws {
        #expect(KernelLevel.available.contains(.portable))
        var ran: Set<KernelLevel> = []
        for (index, shape) in Self.shapes.enumerated() {
            let (rows, outputs, inputs) = shape
            let a = Self.random(rows * inputs, seed: UInt64(index))
            for type in Self.types {
                let weight = Stored(type, outputs: outputs, inputs: inputs, seed: UInt64(100 + index))
                let wanted = (0..<rows * outputs).map { place in
                    let (row, output) = (place / outputs, place % outputs)
                    return Self.chain(
                        a[row * inputs..<(row + 1) * inputs],
                        weight.values[output * inputs..<(output + 1) * inputs]
                    ).bitPattern
                }
                for level in KernelLevel.available {
                    let products = Products(level: level)
                    try weight.withLayouts(outputs: outputs, inputs: inputs, products) { layout in
                        for count in [1, 2, 3, 6, 7, 13, 28, 29, 70] where count <= rows {
                            for first in [0, rows / 3, rows - count] where first + count <= rows {
                                var c = [Float](repeating: .nan, count: count * outputs)
                                let kernel = a.withUnsafeBufferPointer {
                                    products.multiply(
                                        $0.baseAddress! + first * inputs, rows: count, by: layout, outputs: outputs,
                                        inputs: inputs, into: &c)
                                }
                                // A level that was asked for and did not run would pass all else.
                                #expect(kernel == level.ofF32)
                                ran.insert(kernel)
                                #expect(
                                    c.map(\.bitPattern) == Array(wanted[first * outputs..<(first + count) * outputs]),
                                    "\(level) \(shape) \(type) \(layout.layout): \(count) rows from \(first)")
                            }
                        }
                    }
                }
            }
        }
        print("kernels that ran: \(ran.map(\.rawValue).sorted().joined(separator: ", "))")
    }

    @Test("rows are apart by a stride, and nothing beside them is written", arguments: KernelLevel.available)
    func strides(level: KernelLevel) {
        let (rows, outputs, inputs, stride) = (9, 21, 40, 30)
        let a = Self.random(rows * inputs, seed: 1)
        let weight = Self.random(outputs * inputs, seed: 2)
        var c = [Float](repeating: -7, count: rows * stride)
        weight.withUnsafeBytes {
            let weight = ProductWeight($0.baseAddress!, .f32, .rows(stride: inputs))
            _ = Products(level: level).multiply(
                a, rows: rows, by: weight, outputs: outputs, inputs: inputs, into: &c, stride: stride)
        }
        for row in 0..<rows {
            for column in 0..<stride {
                let expected =
                    column < outputs
                    ? Self.chain(
                        a[row * inputs..<(row + 1) * inputs], weight[column * inputs..<(column + 1) * inputs]) : -7
                #expect(c[row * stride + column] == expected)
            }
        }
    }

    /// What oneDNN's products were off by: 4e-7 to 6e-7.
    @Test("are off by less than 5e-7 of their root mean square", arguments: [576, 4096])
    func accuracy(inputs: Int) {
        let (rows, outputs) = (24, 32)
        let a = Self.random(rows * inputs, seed: 3)
        let weight = Self.random(outputs * inputs, seed: 4)
        var c = [Float](repeating: 0, count: rows * outputs)
        weight.withUnsafeBytes {
            let weight = ProductWeight($0.baseAddress!, .f32, .rows(stride: inputs))
            _ = Products().multiply(a, rows: rows, by: weight, outputs: outputs, inputs: inputs, into: &c)
        }
        var (error, size) = (0.0, 0.0)
        for row in 0..<rows {
            for output in 0..<outputs {
                let exact = (0..<inputs).reduce(0.0) {
                    $0 + Double(a[row * inputs + $1]) * Double(weight[output * inputs + $1])
                }
                let difference = Double(c[row * outputs + output]) - exact
                error += difference * difference
                size += exact * exact
            }
        }
        #expect((error / size).squareRoot() < 5e-7)
    }

    /// The portable level's fused multiply-adds are made of operations on doubles.
    @Test("where numbers end: zeros, subnormal numbers, overflow, infinities and NaN", arguments: KernelLevel.available)
    func ends(level: KernelLevel) {
        let large = Float.greatestFiniteMagnitude
        let tiny = Float.leastNonzeroMagnitude
        let special: [Float] = [
            0, -0.0, 1, -1, tiny, -tiny, .leastNormalMagnitude, large, -large, .infinity, -.infinity, .nan, 1.5e-23,
            3e38,
            Float(1).nextUp, 0x1p-75, -0x1p-75, 0x1.fffffep-76,
        ]
        let products = Products(level: level)
        for first in special {
            for second in special {
                let a: [Float] = [second, first, 1]
                let weight: [Float] = [1, second, first]
                var c: [Float] = [0]
                weight.withUnsafeBytes {
                    let weight = ProductWeight($0.baseAddress!, .f32, .rows(stride: 3))
                    _ = products.multiply(a, rows: 1, by: weight, outputs: 1, inputs: 3, into: &c)
                }
                let expected = Self.chain(a[...], weight[...])
                #expect(
                    c[0].bitPattern == expected.bitPattern || c[0].isNaN && expected.isNaN, "\(first), \(second)")
            }
        }
    }

    @Test("no inputs make zeros; no rows and no outputs make nothing", arguments: KernelLevel.available)
    func empty(level: KernelLevel) {
        let products = Products(level: level)
        let weight: [Float] = [1, 2]
        var c: [Float] = [5, 5]
        weight.withUnsafeBytes {
            let weight = ProductWeight($0.baseAddress!, .f32, .rows(stride: 1))
            _ = products.multiply([3], rows: 1, by: weight, outputs: 0, inputs: 1, into: &c)
            #expect(c == [5, 5])
            _ = products.multiply([3], rows: 0, by: weight, outputs: 2, inputs: 1, into: &c)
            #expect(c == [5, 5])
            _ = products.multiply([3], rows: 1, by: weight, outputs: 2, inputs: 0, into: &c)
            #expect(c == [0, 0])
        }
    }

    @Test(
        "bf16 operands by the matrix unit: the sum of exact products, the same bits alone and among others",
        .enabled(if: KernelLevel.amx.isAvailable), arguments: [64, 577, 1536])
    func words(inputs: Int) throws {
        let (rows, outputs) = (70, 90)
        let a = Self.words(Self.random(rows * inputs, seed: 7))
        let b = Self.words(Self.random(outputs * inputs, seed: 8))
        let products = Products(level: .amx)
        let arena = PageArena()
        let panels = try arena.allocate(
            byteCount: Products.packedByteCount(outputs: outputs, inputs: inputs, type: .bf16))
        b.withUnsafeBytes { b in
            let plain = ProductWeight(b.baseAddress!, .bf16, .rows(stride: inputs))
            products.pack(plain, outputs: outputs, inputs: inputs, into: panels)
            var whole = [Float](repeating: 0, count: rows * outputs)
            products.multiplyWords(a, rows: rows, by: plain, outputs: outputs, inputs: inputs, into: &whole)
            func value(_ word: UInt16) -> Double { Double(Float(bitPattern: UInt32(word) << 16)) }
            let words = b.bindMemory(to: UInt16.self)
            for row in stride(from: 0, to: rows, by: 7) {
                for output in 0..<outputs {
                    let exact = (0..<inputs).reduce(0.0) {
                        $0 + value(a[row * inputs + $1]) * value(words[output * inputs + $1])
                    }
                    let bound = 1e-5 * Double(inputs).squareRoot() + 1e-6
                    #expect(abs(Double(whole[row * outputs + output]) - exact) < bound)
                }
            }
            for layout in [plain, ProductWeight(panels, .bf16, .panels)] {
                for count in [1, 2, 17, 64, 70] {
                    var part = [Float](repeating: 0, count: count * outputs)
                    products.multiplyWords(a, rows: count, by: layout, outputs: outputs, inputs: inputs, into: &part)
                    #expect(part[...] == whole[..<(count * outputs)], "\(count) rows")
                }
            }
        }
        withExtendedLifetime(arena) {}
    }

    private static func words(_ x: [Float]) -> [UInt16] {
        var result = [UInt16](repeating: 0, count: x.count)
        Narrowing.bf16(x, into: &result, count: x.count)
        return result
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
