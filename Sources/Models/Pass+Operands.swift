import LinearAlgebra

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// The first operand of a product: activations as they are, or rounded to bf16.
struct ProductInput {
    /// f32 or bf16.
    let type: ElementType
    let width: Int
    private let start: UnsafeRawPointer

    init(_ start: UnsafeRawPointer, _ type: ElementType, width: Int) {
        self.start = start
        self.type = type
        self.width = width
    }

    func pointer(_ row: Int) -> UnsafeRawPointer { start + row * width * type.byteCount }

    /// The rows in f32; only for inputs of that type.
    var floats: UnsafePointer<Float> {
        precondition(type == .f32, "products row by row are in f32")
        return start.assumingMemoryBound(to: Float.self)
    }
}

/// The second operand of a product: one tile of a weight.
struct ProductOperand {
    enum Layout {
        /// [columns, depth]
        case rows
        /// [depth, columns]
        case columns
        case packed
    }

    let layout: Layout
    /// f32 or bf16.
    let type: ElementType
    let pointer: UnsafeRawPointer

    /// c = a b. a: [rows, depth] of the same type; c: [rows, columns]
    func multiply(
        _ a: UnsafeRawPointer, into c: UnsafeMutablePointer<Float>, rows: Int, columns: Int, depth: Int,
        _ products: ProductCache
    ) throws {
        switch layout {
        case .rows:
            try products.multiplyTransposed(a, pointer, into: c, rows: rows, columns: columns, depth: depth, type: type)
        case .columns:
            try products.multiply(a, pointer, into: c, rows: rows, columns: columns, depth: depth, type: type)
        case .packed:
            try products.multiplyPacked(a, pointer, into: c, rows: rows, columns: columns, depth: depth, type: type)
        }
    }
}

extension Pass {
    /// The type that products of many rows are computed on.
    private var productType: ElementType {
        precision == .bf16 && ProductCache.hasFastBF16 ? .bf16 : .f32
    }

    /// Activations as the products of this pass want them. x: [rows, width]
    func input(_ x: UnsafePointer<Float>, rows: Int, width: Int, byRow: Bool) throws -> ProductInput {
        guard precision == .bf16 else { return ProductInput(x, .f32, width: width) }
        let type = byRow ? .f32 : productType
        let rounded = workspace.buffer(.rounded, rows * width)
        let words = UnsafeMutableRawPointer(rounded).assumingMemoryBound(to: UInt16.self)
        let chunk = 64
        try pool.run(tasks: (rows + chunk - 1) / chunk) { task, _ in
            let range = task * chunk * width..<min(rows, (task + 1) * chunk) * width
            if type == .bf16 {
                Narrowing.bf16(x + range.lowerBound, into: words + range.lowerBound, count: range.count)
            } else {
                Narrowing.roundToBF16(x + range.lowerBound, into: rounded + range.lowerBound, count: range.count)
            }
        }
        return ProductInput(rounded, type, width: width)
    }

    /// One tile of a weight, ready to be multiplied: packed and kept if weights are, else as it is stored.
    func operand(
        _ weight: Weight, _ columns: Range<Int>, _ worker: Worker, rows: Int, slot: Int = 2
    ) throws -> ProductOperand {
        let tile = columns.lowerBound / Self.tile(weight.outputs)
        let type = productType
        let copies = weight.packed(type, isRounded: precision == .bf16)
        if packs, let packed = copies[tile] {
            return ProductOperand(layout: .packed, type: type, pointer: packed)
        }
        let stored = dense(weight, columns, type, worker, slot: slot)
        guard packs, copies.isWorthPacking(tile, rows: rows) else { return stored }
        let packed = try weight.arena.allocate(
            byteCount: worker.products.packedByteCount(columns: columns.count, depth: weight.inputs, type: type))
        try worker.products.pack(
            stored.pointer, columns: columns.count, depth: weight.inputs, isTransposed: stored.layout == .rows,
            type: type, into: packed)
        copies[tile] = packed
        giveBack(weight, columns)
        return ProductOperand(layout: .packed, type: type, pointer: packed)
    }

    /// A tile of a weight as dense f32 or bf16: the mapped bytes themselves, or a copy in the worker's scratch.
    private func dense(
        _ weight: Weight, _ columns: Range<Int>, _ type: ElementType, _ worker: Worker, slot: Int
    ) -> ProductOperand {
        let bytes = weight.view.bytes.baseAddress!
        let stored = weight.elementType
        let count = columns.count * weight.inputs
        let isRounded = precision == .bf16 && stored != .bf16
        let layout: ProductOperand.Layout
        var pieces: [(source: UnsafeRawPointer, target: Int, count: Int)] = []
        switch weight.layout {
        case .rows:
            layout = .rows
            let start = bytes + columns.lowerBound * weight.inputs * stored.byteCount
            if stored == type, !isRounded { return ProductOperand(layout: layout, type: type, pointer: start) }
            pieces = [(start, 0, count)]
        case .columns(let first, let stride):
            layout = .columns
            pieces = (0..<weight.inputs).map {
                (
                    bytes + ($0 * stride + first + columns.lowerBound) * stored.byteCount, $0 * columns.count,
                    columns.count
                )
            }
        }
        let copy = worker.scratch(slot, count: count)
        if type == .bf16, stored == .bf16 {
            for piece in pieces {
                (UnsafeMutableRawPointer(copy) + piece.target * 2).copyMemory(
                    from: piece.source, byteCount: piece.count * 2)
            }
            return ProductOperand(layout: layout, type: type, pointer: copy)
        }
        for piece in pieces { Widening.widen(piece.source, stored, into: copy + piece.target, count: piece.count) }
        if type == .bf16 {
            let words = worker.scratch(slot + 2, count: (count + 1) / 2)
            Narrowing.bf16(
                copy, into: UnsafeMutableRawPointer(words).assumingMemoryBound(to: UInt16.self), count: count)
            return ProductOperand(layout: layout, type: type, pointer: words)
        }
        if isRounded { Narrowing.roundToBF16(copy, into: copy, count: count) }
        return ProductOperand(layout: layout, type: type, pointer: copy)
    }

    /// Lets the system take back the pages of a file that were read to pack them.
    private func giveBack(_ weight: Weight, _ columns: Range<Int>) {
        guard weight.view.isFileMapping, case .rows = weight.layout else { return }
        let size = weight.inputs * weight.elementType.byteCount
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let start = Int(bitPattern: weight.view.bytes.baseAddress!)
        let first = (start + columns.lowerBound * size + page - 1) / page * page
        let last = (start + columns.upperBound * size) / page * page
        if last > first { madvise(UnsafeMutableRawPointer(bitPattern: first), last - first, MADV_DONTNEED) }
    }

    /// A few rows times some columns of a weight, each sum as if its row were alone. result: [rows, columns]
    ///
    /// The weight is read as it is stored, once for all rows. In bf16 a weight of another type is
    /// narrowed first: all of it, and kept, where weights are packed; else this tile. The values, and so the bits, are the
    /// same.
    func multiplyRows(
        _ input: ProductInput, rows: Int, _ weight: Weight, _ columns: Range<Int>, _ worker: Worker,
        into result: UnsafeMutablePointer<Float>
    ) {
        var bytes = weight.view.bytes.baseAddress!
        var type = weight.elementType
        if precision == .bf16, type != .bf16 {
            guard packs else {
                let tile = dense(weight, columns, .f32, worker, slot: 4)
                let values = tile.pointer
                if tile.layout == .columns {
                    VectorProduct.multiplyColumns(
                        values, .f32, input.floats, rows: rows, into: result, columns: columns.count,
                        depth: weight.inputs, stride: columns.count)
                } else {
                    VectorProduct.multiply(
                        values, .f32, input.floats, rows: rows, into: result, range: 0..<columns.count,
                        depth: weight.inputs)
                }
                return
            }
            bytes = weight.narrowed()
            type = .bf16
        }
        switch weight.layout {
        case .rows:
            VectorProduct.multiply(
                bytes, type, input.floats, rows: rows, into: result, range: columns, depth: weight.inputs)
        case .columns(let first, let stride):
            VectorProduct.multiplyColumns(
                bytes + (first + columns.lowerBound) * type.byteCount, type, input.floats, rows: rows, into: result,
                columns: columns.count, depth: weight.inputs, stride: stride)
        }
    }
}
