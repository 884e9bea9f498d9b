import LinearAlgebra

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// Memory that a pass over a pack of prompts works in, allocated once for the largest pack.
final class Workspace {
    private var buffers: [Slot: UnsafeMutableBufferPointer<Float>] = [:]

    enum Slot: Hashable {
        case normed, q, k, v, headQ, headK, headV, z, out, gate, up, post, gathered, logits, stream
    }

    deinit {
        for buffer in buffers.values { buffer.deallocate() }
    }

    /// Uninitialised memory for at least `count` floats, 64-byte aligned.
    func buffer(_ slot: Slot, _ count: Int) -> UnsafeMutablePointer<Float> {
        if let buffer = buffers[slot], buffer.count >= count { return buffer.baseAddress! }
        buffers[slot]?.deallocate()
        let raw = UnsafeMutableRawBufferPointer.allocate(byteCount: max(count, 16) * 4, alignment: 64)
        let buffer = raw.bindMemory(to: Float.self)
        buffers[slot] = buffer
        return buffer.baseAddress!
    }
}

/// Prompts that are run through a layer together, and the operations a layer is made of.
///
/// An architecture composes these operations; each runs on all threads of the pool and checks for cancellation first.
/// What each computes for a row does not depend on the other rows of the pack or on the number of threads.
package final class Pass {
    let pool: ThreadPool
    let workspace: Workspace
    let control: RunControl
    let taps: [any Tap]
    let edits: [any Edit]
    let patterns: [any PatternTap]
    let sequences: TokenSequences
    /// Whether weights are packed once and kept: see `Runner.packsWeights`.
    let packs: Bool
    /// Keys and values of a generation in progress.
    let cache: KeyValueCache?

    /// The pack: whole prompts `prompts`, rows `firstRow..<firstRow + rows` of all tokens.
    private(set) var prompts: Range<Int> = 0..<0
    private(set) var firstRow = 0
    private(set) var rows = 0
    /// [rows, hidden]: the pack's rows of the residual stream.
    private(set) var residual: UnsafeMutablePointer<Float>!

    /// Floating-point operations of the products so far.
    private(set) var operations = 0.0

    init(
        pool: ThreadPool, workspace: Workspace, control: RunControl, sequences: TokenSequences, taps: [any Tap],
        edits: [any Edit], patterns: [any PatternTap] = [], packs: Bool, cache: KeyValueCache? = nil
    ) {
        self.pool = pool
        self.workspace = workspace
        self.control = control
        self.sequences = sequences
        self.taps = taps
        self.edits = edits
        self.patterns = patterns
        self.packs = packs
        self.cache = cache
    }

    func select(prompts: Range<Int>, residual: UnsafeMutablePointer<Float>) {
        self.prompts = prompts
        firstRow = sequences.starts[prompts.lowerBound]
        rows = sequences.starts[prompts.upperBound] - firstRow
        self.residual = residual
    }

    /// Tokens that stand in the cache before this pack's first.
    var past: Int { cache?.count ?? 0 }

    // MARK: Sites

    func isWatched(_ site: Site) -> Bool {
        edits.contains { $0.applies(to: site) } || taps.contains { $0.wants(site) }
    }

    /// Gives the site's rows to every edit that applies, then to every tap that wants them.
    func visit(_ site: Site, _ values: UnsafeMutablePointer<Float>, width: Int) throws {
        guard isWatched(site) else { return }
        try control.checkCancellation()
        let block = ActivationBlock(firstRow: firstRow, rows: rows, width: width, values: values, sequences: sequences)
        for edit in edits where edit.applies(to: site) { edit.apply(at: site, to: block) }
        for tap in taps where tap.wants(site) { try tap.receive(site, block) }
    }

    // MARK: Rows

    /// Runs `body` over all rows of the pack, in chunks on all threads.
    func forRows(_ body: (Range<Int>) -> Void) throws {
        try control.checkCancellation()
        let chunk = rows >= 128 ? 32 : 8
        let rows = rows
        try pool.run(tasks: (rows + chunk - 1) / chunk) { task, _ in
            body(task * chunk..<min(rows, (task + 1) * chunk))
        }
    }

    /// Root-mean-square norm of every row. [rows, width] -> [rows, width]
    func rmsNorm(
        _ x: UnsafePointer<Float>, weight: [Float], epsilon: Float, into result: UnsafeMutablePointer<Float>
    ) throws {
        let width = weight.count
        try weight.withUnsafeBufferPointer { weight in
            let weight = weight.baseAddress!
            try forRows { range in
                for row in range {
                    VectorMath.rmsNorm(
                        x + row * width, weight: weight, epsilon: epsilon, into: result + row * width, count: width)
                }
            }
        }
    }

    // MARK: Products

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

    /// x W' + b for several weights with the same input. x: [rows, inputs], dense.
    func linear(_ x: UnsafePointer<Float>, rows: Int? = nil, _ products: [(Weight, Destination)]) throws {
        try control.checkCancellation()
        let rows = rows ?? self.rows
        let isDecoding = cache != nil && rows == 1
        var tasks: [(product: Int, columns: Range<Int>)] = []
        for (index, (weight, _)) in products.enumerated() {
            let step = Self.tile(weight.outputs)
            for start in stride(from: 0, to: weight.outputs, by: step) {
                tasks.append((index, start..<min(start + step, weight.outputs)))
            }
            operations += 2 * Double(rows) * Double(weight.outputs) * Double(weight.inputs)
        }
        try pool.run(tasks: tasks.count) { task, worker in
            let (weight, destination) = products[tasks[task].product]
            let columns = tasks[task].columns
            if isDecoding, weight.elementType != .f64 {
                let result = worker.scratch(0, count: weight.outputs)
                VectorProduct.multiply(
                    weight.view.bytes.baseAddress!, weight.elementType, x, into: result, range: columns,
                    depth: weight.inputs)
                finish(
                    result + columns.lowerBound, stride: columns.count, rows: 0..<1, columns: columns, weight: weight,
                    destination)
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
                finish(
                    result, stride: columns.count, rows: start..<start + count, columns: columns, weight: weight,
                    destination)
            }
        }
    }

    /// silu(x Wg' + bg) · (x Wu' + bu) -> [rows, outputs], without storing either factor.
    func gatedLinear(
        _ x: UnsafePointer<Float>, gate: Weight, up: Weight, into post: UnsafeMutablePointer<Float>
    ) throws {
        try control.checkCancellation()
        let step = Self.tile(gate.outputs)
        let rows = rows
        let isDecoding = cache != nil && rows == 1
        operations += 4 * Double(rows) * Double(gate.outputs) * Double(gate.inputs)
        try pool.run(tasks: (gate.outputs + step - 1) / step) { task, worker in
            let columns = task * step..<min((task + 1) * step, gate.outputs)
            let count = columns.count
            if isDecoding, gate.elementType != .f64, up.elementType != .f64 {
                let factors = [gate, up].enumerated().map { index, weight in
                    let result = worker.scratch(index, count: weight.outputs)
                    VectorProduct.multiply(
                        weight.view.bytes.baseAddress!, weight.elementType, x, into: result, range: columns,
                        depth: weight.inputs)
                    Self.addBias(result + columns.lowerBound, rows: 1, columns: columns, weight)
                    return result + columns.lowerBound
                }
                VectorMath.siluProduct(factors[0], factors[1], into: post + columns.lowerBound, count: count)
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
                    VectorMath.siluProduct(
                        gated + row * count, lifted + row * count,
                        into: post + (start + row) * gate.outputs + columns.lowerBound, count: count)
                }
            }
        }
    }

    /// The second operand of a product.
    private enum Operand {
        case stored(UnsafePointer<Float>)
        case packed(UnsafeRawPointer)

        func multiply(
            _ a: UnsafePointer<Float>, into c: UnsafeMutablePointer<Float>, rows: Int, columns: Int, depth: Int,
            _ products: ProductCache
        ) throws {
            switch self {
            case .stored(let b):
                try products.multiplyTransposed(a, b, into: c, rows: rows, columns: columns, depth: depth)
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
        guard packs, weight.packed.isWorthPacking(tile, rows: rows) else {
            return .stored(widened(weight, columns, worker, slot: slot))
        }
        let packed = try worker.products.pack(
            widened(weight, columns, worker, slot: slot), columns: columns.count, depth: weight.inputs)
        weight.packed[tile] = packed
        giveBack(weight, columns)
        return .packed(packed.baseAddress!)
    }

    /// Lets the system take back the pages of a file that were read to pack them.
    private func giveBack(_ weight: Weight, _ columns: Range<Int>) {
        guard weight.view.isFileMapping else { return }
        let size = weight.inputs * weight.elementType.byteCount
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let start = Int(bitPattern: weight.view.bytes.baseAddress!)
        let first = (start + columns.lowerBound * size + page - 1) / page * page
        let last = (start + columns.upperBound * size) / page * page
        if last > first { madvise(UnsafeMutableRawPointer(bitPattern: first), last - first, MADV_DONTNEED) }
    }

    /// A weight's rows as f32: the mapped bytes themselves, or a widened copy in the worker's scratch.
    private func widened(
        _ weight: Weight, _ columns: Range<Int>, _ worker: Worker, slot: Int = 2
    ) -> UnsafePointer<Float> {
        let offset = columns.lowerBound * weight.inputs
        let bytes = weight.view.bytes.baseAddress!
        if weight.elementType == .f32 { return bytes.assumingMemoryBound(to: Float.self) + offset }
        let count = columns.count * weight.inputs
        let copy = worker.scratch(slot, count: count)
        Widening.widen(
            bytes + offset * weight.elementType.byteCount, weight.elementType, into: copy, count: count)
        return UnsafePointer(copy)
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

    private func finish(
        _ result: UnsafeMutablePointer<Float>, stride: Int, rows: Range<Int>, columns: Range<Int>, weight: Weight,
        _ destination: Destination
    ) {
        Self.addBias(result, rows: rows.count, columns: columns, weight)
        let target = destination.pointer
        for (index, row) in rows.enumerated() {
            let source = result + index * stride
            let place = target + row * weight.outputs + columns.lowerBound
            switch destination {
            case .store: place.update(from: source, count: columns.count)
            case .add: VectorMath.add(source, to: place, count: columns.count)
            }
        }
    }
}
