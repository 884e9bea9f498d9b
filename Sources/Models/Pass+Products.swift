import LinearAlgebra

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

extension Pass {
    /// What becomes of a product's result.
    enum Destination {
        /// [rows, outputs], overwritten.
        case store(UnsafeMutablePointer<Float>)
        /// [rows, outputs], added to.
        case add(UnsafeMutablePointer<Float>)

        var pointer: UnsafeMutablePointer<Float> {
            switch self {
            case .store(let pointer), .add(let pointer): pointer
            }
        }
    }

    /// Columns of a weight that one task multiplies; the choice does not change the bits.
    static func tile(_ outputs: Int) -> Int {
        // An even number of tasks of at most 192 columns, so that two or four threads finish together.
        let tasks = 2 * ((outputs + 383) / 384)
        return ((outputs + tasks - 1) / tasks + 15) / 16 * 16
    }

    /// Rows of a product's tile: as many as keep its result within a core's cache.
    private static let tileRows = 512

    /// Whether rows go one by one through products that are limited by bandwidth.
    private func decodes(_ weight: Weight, rows: Int) -> Bool {
        cache != nil && rows == 1 && weight.elementType != .f64
    }

    /// x W' + b for several weights with the same input. x: [rows, inputs], dense.
    func linear(_ x: UnsafePointer<Float>, rows: Int? = nil, _ products: [(Weight, Destination)]) throws {
        try control.checkCancellation()
        let rows = rows ?? self.rows
        var tasks: [(product: Int, columns: Range<Int>)] = []
        for (index, (weight, _)) in products.enumerated() {
            let step = Self.tile(weight.outputs)
            for start in stride(from: 0, to: weight.outputs, by: step) {
                tasks.append((index, start..<min(start + step, weight.outputs)))
            }
            count(operations: 2 * Double(rows) * Double(weight.outputs) * Double(weight.inputs))
        }
        try pool.run(tasks: tasks.count) { task, worker in
            let (weight, destination) = products[tasks[task].product]
            let columns = tasks[task].columns
            if decodes(weight, rows: rows) {
                let result = worker.scratch(0, count: columns.count)
                multiplyRow(x, weight, columns, into: result)
                finish(result, rows: 0..<1, columns: columns, weight: weight, destination)
                return
            }
            let b = try operand(weight, columns, worker, rows: rows)
            let result = worker.scratch(0, count: Self.tileRows * columns.count)
            for start in stride(from: 0, to: rows, by: Self.tileRows) {
                try control.checkCancellation()
                let count = min(Self.tileRows, rows - start)
                try b.multiply(
                    x + start * weight.inputs, into: result, rows: count, columns: columns.count,
                    depth: weight.inputs, worker.products)
                finish(result, rows: start..<start + count, columns: columns, weight: weight, destination)
            }
        }
    }

    /// f(x Wg' + bg) · (x Wu' + bu) -> [rows, outputs], without storing either factor.
    func gatedLinear(
        _ x: UnsafePointer<Float>, gate: Weight, up: Weight, _ activation: Activation,
        into post: UnsafeMutablePointer<Float>
    ) throws {
        try control.checkCancellation()
        let step = Self.tile(gate.outputs)
        let rows = rows
        count(operations: 4 * Double(rows) * Double(gate.outputs) * Double(gate.inputs))
        try pool.run(tasks: (gate.outputs + step - 1) / step) { task, worker in
            let columns = task * step..<min((task + 1) * step, gate.outputs)
            let count = columns.count
            if decodes(gate, rows: rows), decodes(up, rows: rows) {
                let gated = worker.scratch(0, count: count)
                let lifted = worker.scratch(1, count: count)
                for (weight, result) in [(gate, gated), (up, lifted)] {
                    multiplyRow(x, weight, columns, into: result)
                    Self.addBias(result, rows: 1, columns: columns, weight)
                }
                activation.apply(gated, times: lifted, into: post + columns.lowerBound, count: count)
                return
            }
            let gateColumns = try operand(gate, columns, worker, rows: rows, slot: 2)
            let upColumns = try operand(up, columns, worker, rows: rows, slot: 3)
            let gated = worker.scratch(0, count: Self.tileRows * count)
            let lifted = worker.scratch(1, count: Self.tileRows * count)
            for start in stride(from: 0, to: rows, by: Self.tileRows) {
                try control.checkCancellation()
                let tile = min(Self.tileRows, rows - start)
                let input = x + start * gate.inputs
                try gateColumns.multiply(
                    input, into: gated, rows: tile, columns: count, depth: gate.inputs, worker.products)
                try upColumns.multiply(
                    input, into: lifted, rows: tile, columns: count, depth: up.inputs, worker.products)
                Self.addBias(gated, rows: tile, columns: columns, gate)
                Self.addBias(lifted, rows: tile, columns: columns, up)
                for row in 0..<tile {
                    activation.apply(
                        gated + row * count, times: lifted + row * count,
                        into: post + (start + row) * gate.outputs + columns.lowerBound, count: count)
                }
            }
        }
    }

    /// The second operand of a product.
    private enum Operand {
        /// [columns, depth]
        case rows(UnsafePointer<Float>)
        /// [depth, columns]
        case columns(UnsafePointer<Float>)
        case packed(UnsafeRawPointer)

        func multiply(
            _ a: UnsafePointer<Float>, into c: UnsafeMutablePointer<Float>, rows: Int, columns: Int, depth: Int,
            _ products: ProductCache
        ) throws {
            switch self {
            case .rows(let b):
                try products.multiplyTransposed(a, b, into: c, rows: rows, columns: columns, depth: depth)
            case .columns(let b):
                try products.multiply(a, b, into: c, rows: rows, columns: columns, depth: depth)
            case .packed(let b):
                try products.multiplyPacked(a, b, into: c, rows: rows, columns: columns, depth: depth)
            }
        }
    }

    /// One tile of a weight, ready to be multiplied: packed and kept if weights are, else as it is stored.
    private func operand(
        _ weight: Weight, _ columns: Range<Int>, _ worker: Worker, rows: Int, slot: Int = 2
    ) throws -> Operand {
        let tile = columns.lowerBound / Self.tile(weight.outputs)
        if packs, let packed = weight.packed[tile] { return .packed(packed.baseAddress!) }
        let stored = dense(weight, columns, worker, slot: slot)
        guard packs, weight.packed.isWorthPacking(tile, rows: rows) else { return stored }
        let packed: UnsafeMutableRawBufferPointer
        switch stored {
        case .rows(let b): packed = try worker.products.pack(b, columns: columns.count, depth: weight.inputs)
        case .columns(let b):
            packed = try worker.products.pack(b, columns: columns.count, depth: weight.inputs, isTransposed: false)
        case .packed: return stored
        }
        weight.packed[tile] = packed
        giveBack(weight, columns)
        return .packed(packed.baseAddress!)
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

    /// A tile of a weight as dense f32: the mapped bytes themselves, or a copy in the worker's scratch.
    private func dense(_ weight: Weight, _ columns: Range<Int>, _ worker: Worker, slot: Int) -> Operand {
        let bytes = weight.view.bytes.baseAddress!
        let size = weight.elementType.byteCount
        switch weight.layout {
        case .rows:
            let start = bytes + columns.lowerBound * weight.inputs * size
            if weight.elementType == .f32 { return .rows(start.assumingMemoryBound(to: Float.self)) }
            let count = columns.count * weight.inputs
            let copy = worker.scratch(slot, count: count)
            Widening.widen(start, weight.elementType, into: copy, count: count)
            return .rows(copy)
        case .columns(let first, let stride):
            let copy = worker.scratch(slot, count: columns.count * weight.inputs)
            for input in 0..<weight.inputs {
                Widening.widen(
                    bytes + (input * stride + first + columns.lowerBound) * size, weight.elementType,
                    into: copy + input * columns.count, count: columns.count)
            }
            return .columns(copy)
        }
    }

    /// One row times some columns of a weight, without widening it first. result: [columns]
    private func multiplyRow(
        _ x: UnsafePointer<Float>, _ weight: Weight, _ columns: Range<Int>, into result: UnsafeMutablePointer<Float>
    ) {
        let bytes = weight.view.bytes.baseAddress!
        let size = weight.elementType.byteCount
        switch weight.layout {
        case .rows:
            VectorProduct.multiply(
                bytes + columns.lowerBound * weight.inputs * size, weight.elementType, x, into: result,
                range: 0..<columns.count, depth: weight.inputs)
        case .columns(let first, let stride):
            VectorProduct.multiplyColumns(
                bytes + (first + columns.lowerBound) * size, weight.elementType, x, into: result,
                columns: columns.count, depth: weight.inputs, stride: stride)
        }
    }

    private static func addBias(
        _ result: UnsafeMutablePointer<Float>, rows: Int, columns: Range<Int>, _ weight: Weight
    ) {
        guard let bias = weight.bias else { return }
        bias.withUnsafeBufferPointer { bias in
            for row in 0..<rows {
                VectorMath.add(
                    bias.baseAddress! + columns.lowerBound, to: result + row * columns.count, count: columns.count)
            }
        }
    }

    /// Adds the bias to a tile [rows, columns] and puts it where it belongs.
    private func finish(
        _ result: UnsafeMutablePointer<Float>, rows: Range<Int>, columns: Range<Int>, weight: Weight,
        _ destination: Destination
    ) {
        Self.addBias(result, rows: rows.count, columns: columns, weight)
        let target = destination.pointer
        for (index, row) in rows.enumerated() {
            let source = result + index * columns.count
            let place = target + row * weight.outputs + columns.lowerBound
            switch destination {
            case .store: place.update(from: source, count: columns.count)
            case .add: VectorMath.add(source, to: place, count: columns.count)
            }
        }
    }
}
