internal import CPrefetch

/// Products of a few rows with a stored weight: limited by memory bandwidth, so each row of the weight is read once for
/// all of them, and widened as it is read.
package enum VectorProduct {
    /// y = x W' for the rows `range` of W.
    ///
    /// Every entry is one sum, made of a row of x and a row of W in an order that depends on `depth` alone (eight partial
    /// sums with fused multiply-add): a row of x has the same bits alone and among others, and a weight of 16 bits the
    /// same as its widened copy.
    ///
    /// - Parameters:
    ///   - weight: [out, depth] of `type` (f32, bf16 or f16), dense.
    ///   - x: [rows, depth], dense.
    ///   - y: [rows, range], dense; overwritten.
    package static func multiply(
        _ weight: UnsafeRawPointer, _ type: ElementType, _ x: UnsafePointer<Float>, rows: Int = 1,
        into y: UnsafeMutablePointer<Float>, range: Range<Int>, depth: Int
    ) {
        let first = weight + range.lowerBound * depth * type.byteCount
        switch type {
        case .f32: Tiles<Stored32>(weight: first, x: x, y: y, outputs: range.count, depth: depth).fill(rows: rows)
        case .bf16: Tiles<StoredB16>(weight: first, x: x, y: y, outputs: range.count, depth: depth).fill(rows: rows)
        case .f16: Tiles<Stored16>(weight: first, x: x, y: y, outputs: range.count, depth: depth).fill(rows: rows)
        default: preconditionFailure("\(type.rawValue) weights are widened before they are used")
        }
    }

    /// y = x W for some columns of W, which is read once for all rows of x.
    ///
    /// - Parameters:
    ///   - weight: the first of the columns; [depth, stride] of `type`, of which `columns` are read.
    ///   - x: [rows, depth].
    ///   - y: [rows, columns]; overwritten. Each entry is one sum in the order of the depth.
    package static func multiplyColumns(
        _ weight: UnsafeRawPointer, _ type: ElementType, _ x: UnsafePointer<Float>, rows: Int = 1,
        into y: UnsafeMutablePointer<Float>, columns: Int, depth: Int, stride: Int
    ) {
        y.update(repeating: 0, count: rows * columns)
        for index in 0..<depth {
            let line = weight + index * stride * type.byteCount
            for row in 0..<rows {
                let factor = x[row * depth + index]
                let sums = y + row * columns
                switch type {
                case .f32:
                    VectorMath.add(
                        line.assumingMemoryBound(to: Float.self), times: factor, to: sums, count: columns)
                case .bf16:
                    let words = line.assumingMemoryBound(to: UInt16.self)
                    for column in 0..<columns {
                        sums[column] += factor * Float(bitPattern: UInt32(words[column]) << 16)
                    }
                case .f16:
                    let words = line.assumingMemoryBound(to: UInt16.self)
                    for column in 0..<columns { sums[column] += factor * Widening.float(half: words[column]) }
                default: preconditionFailure("\(type.rawValue) weights are widened before they are used")
                }
            }
        }
    }
}

/// The result in tiles of two weights by four rows, or four weights by one row: as many sums as the registers hold, enough
/// to hide the latency of their additions. All tiles make the same sums.
private struct Tiles<Element: StoredElement> {
    typealias Lanes = SIMD8<Float>

    let weight: UnsafeRawPointer  // [outputs, depth]
    let x: UnsafePointer<Float>  // [rows, depth]
    let y: UnsafeMutablePointer<Float>  // [rows, outputs]
    let outputs: Int
    let depth: Int

    /// Rows of the weight between what is read and what is fetched.
    private static var distance: Int { 8 }

    @inline(__always)
    func fill(rows: Int) {
        let blocked = rows / 4 * 4
        var output = 0
        while output + 4 <= outputs {
            for row in stride(from: 0, to: blocked, by: 4) {
                twoByFour(output, row)
                twoByFour(output + 2, row)
            }
            for row in blocked..<rows { fourByOne(output, row) }
            output += 4
        }
        while output < outputs {
            for row in 0..<rows { y[row * outputs + output] = finish(single(output, row), output, row) }
            output += 1
        }
    }

    @inline(__always)
    private func twoByFour(_ output: Int, _ row: Int) {
        let w0 = start(output)
        let w1 = start(output + 1)
        let x0 = x + row * depth
        let x1 = x0 + depth
        let x2 = x1 + depth
        let x3 = x2 + depth
        var a0 = Lanes(repeating: 0)
        var (a1, a2, a3, b0, b1, b2, b3) = (a0, a0, a0, a0, a0, a0, a0)
        var index = 0
        while index + 8 <= depth {
            let a = Element.load(w0, index)
            let b = Element.load(w1, index)
            let v0 = load(x0, index)
            a0.addProduct(a, v0)
            b0.addProduct(b, v0)
            let v1 = load(x1, index)
            a1.addProduct(a, v1)
            b1.addProduct(b, v1)
            let v2 = load(x2, index)
            a2.addProduct(a, v2)
            b2.addProduct(b, v2)
            let v3 = load(x3, index)
            a3.addProduct(a, v3)
            b3.addProduct(b, v3)
            index += 8
        }
        let place = y + row * outputs + output
        place[0] = finish(a0, output, row)
        place[1] = finish(b0, output + 1, row)
        place[outputs] = finish(a1, output, row + 1)
        place[outputs + 1] = finish(b1, output + 1, row + 1)
        place[2 * outputs] = finish(a2, output, row + 2)
        place[2 * outputs + 1] = finish(b2, output + 1, row + 2)
        place[3 * outputs] = finish(a3, output, row + 3)
        place[3 * outputs + 1] = finish(b3, output + 1, row + 3)
    }

    /// Rows of a weight follow each other in memory, so the next four are fetched while these are read: the processor does
    /// not foresee four streams that stop after a row.
    @inline(__always)
    private func fourByOne(_ output: Int, _ row: Int) {
        let ahead = start(output) + Self.distance * depth * Element.byteCount
        let w0 = start(output)
        let w1 = start(output + 1)
        let w2 = start(output + 2)
        let w3 = start(output + 3)
        let input = x + row * depth
        var a0 = Lanes(repeating: 0)
        var (a1, a2, a3) = (a0, a0, a0)
        var index = 0
        while index + 8 <= depth {
            prefetch_line(ahead + 4 * index * Element.byteCount)
            if Element.byteCount == 4 { prefetch_line(ahead + 4 * index * Element.byteCount + 64) }
            let v = load(input, index)
            a0.addProduct(Element.load(w0, index), v)
            a1.addProduct(Element.load(w1, index), v)
            a2.addProduct(Element.load(w2, index), v)
            a3.addProduct(Element.load(w3, index), v)
            index += 8
        }
        let place = y + row * outputs + output
        place[0] = finish(a0, output, row)
        place[1] = finish(a1, output + 1, row)
        place[2] = finish(a2, output + 2, row)
        place[3] = finish(a3, output + 3, row)
    }

    @inline(__always)
    private func single(_ output: Int, _ row: Int) -> Lanes {
        let w = start(output)
        let input = x + row * depth
        var sums = Lanes(repeating: 0)
        var index = 0
        while index + 8 <= depth {
            sums.addProduct(Element.load(w, index), load(input, index))
            index += 8
        }
        return sums
    }

    /// The partial sums, and what is left of the row beyond the last eight.
    @inline(__always)
    private func finish(_ sums: Lanes, _ output: Int, _ row: Int) -> Float {
        var rest: Float = 0
        for index in depth / 8 * 8..<depth {
            rest += Element.load(one: start(output), index) * x[row * depth + index]
        }
        return sums.sum() + rest
    }

    @inline(__always)
    private func start(_ output: Int) -> UnsafeRawPointer { weight + output * depth * Element.byteCount }

    @inline(__always)
    private func load(_ pointer: UnsafePointer<Float>, _ index: Int) -> Lanes {
        UnsafeRawPointer(pointer + index).loadUnaligned(as: Lanes.self)
    }
}

/// How one element type is read.
private protocol StoredElement {
    static var byteCount: Int { get }
    /// Eight elements from `index` on, widened.
    static func load(_ row: UnsafeRawPointer, _ index: Int) -> SIMD8<Float>
    static func load(one row: UnsafeRawPointer, _ index: Int) -> Float
}

private enum Stored32: StoredElement {
    static var byteCount: Int { 4 }

    @inline(__always)
    static func load(_ row: UnsafeRawPointer, _ index: Int) -> SIMD8<Float> {
        row.loadUnaligned(fromByteOffset: index * 4, as: SIMD8<Float>.self)
    }

    @inline(__always)
    static func load(one row: UnsafeRawPointer, _ index: Int) -> Float {
        row.loadUnaligned(fromByteOffset: index * 4, as: Float.self)
    }
}

private enum StoredB16: StoredElement {
    static var byteCount: Int { 2 }

    @inline(__always)
    static func load(_ row: UnsafeRawPointer, _ index: Int) -> SIMD8<Float> {
        let words = row.loadUnaligned(fromByteOffset: index * 2, as: SIMD8<UInt16>.self)
        return unsafeBitCast(SIMD8<UInt32>(truncatingIfNeeded: words) &<< 16, to: SIMD8<Float>.self)
    }

    @inline(__always)
    static func load(one row: UnsafeRawPointer, _ index: Int) -> Float {
        Float(bitPattern: UInt32(row.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self)) << 16)
    }
}

private enum Stored16: StoredElement {
    static var byteCount: Int { 2 }

    @inline(__always)
    static func load(_ row: UnsafeRawPointer, _ index: Int) -> SIMD8<Float> {
        Widening.floats(halves: row.loadUnaligned(fromByteOffset: index * 2, as: SIMD8<UInt16>.self))
    }

    @inline(__always)
    static func load(one row: UnsafeRawPointer, _ index: Int) -> Float {
        Widening.float(half: row.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self))
    }
}
