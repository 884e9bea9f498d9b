import LinearAlgebra
import Sites

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// The first operand of a product: activations as they are, or rounded to bf16.
struct ProductInput {
    /// f32; bf16 for the processor's matrix unit.
    let type: ElementType
    let width: Int
    private let start: UnsafeRawPointer

    init(_ start: UnsafeRawPointer, _ type: ElementType, width: Int) {
        self.start = start
        self.type = type
        self.width = width
    }

    /// Some of the rows, as one thread's products read them, until its next call of this.
    func rows(_ rows: Range<Int>, _ products: Products) -> Rows {
        let first = start + rows.lowerBound * width * type.byteCount
        if type == .bf16 { return .words(first.assumingMemoryBound(to: UInt16.self), rows.count, width) }
        return .floats(products.arrange(first.assumingMemoryBound(to: Float.self), rows: rows.count, inputs: width))
    }

    enum Rows {
        case floats(ProductRows)
        case words(UnsafePointer<UInt16>, Int, Int)

        /// c = a W'. c: [rows, outputs], rows `stride` apart
        func multiply(
            by weight: ProductWeight, outputs: Int, into c: UnsafeMutablePointer<Float>, stride: Int,
            _ products: Products
        ) {
            switch self {
            case .floats(let rows): products.multiply(rows, by: weight, outputs: outputs, into: c, stride: stride)
            case .words(let words, let count, let width):
                products.multiplyWords(
                    words, rows: count, by: weight, outputs: outputs, inputs: width, into: c, stride: stride)
            }
        }
    }
}

extension Pass {
    /// Activations as the products of this pass want them. x: [rows, width]
    func input(_ x: UnsafePointer<Float>, rows: Int, width: Int) throws -> ProductInput {
        guard precision == .bf16 else { return ProductInput(x, .f32, width: width) }
        let type: ElementType = pool.level.hasMatrixUnit ? .bf16 : .f32
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

    /// A weight as the products of this pass read it.
    struct Operand {
        let weight: Weight
        /// Whether values are rounded to bf16 first.
        let isRounded: Bool
        /// The panels of all outputs, and their type.
        let packed: (start: UnsafeRawPointer, type: ElementType)?

        /// Whether a part of it is read where it lies, in panels or in the file; others are copied for each task.
        var isInPlace: Bool { packed != nil || !isRounded && ProductWeight.reads(weight.elementType) }
    }

    /// Packs a weight that is worth it, and keeps the copy. Every product begins with this, on one thread.
    func operand(_ weight: Weight, rows: Int) throws -> Operand {
        let isRounded = precision == .bf16 && weight.elementType != .bf16
        let type = isRounded ? .bf16 : ProductWeight.reads(weight.elementType) ? weight.elementType : .f32
        let copy = weight.packed(isRounded: isRounded)
        // Rounding a weight for every product would cost more than the product of a few rows.
        if packs, copy.panels == nil, copy.isWorthPacking(rows: rows) || isRounded {
            copy.panels = try pack(weight, type, isRounded: isRounded)
        }
        let panels = packs ? copy.panels.map { (UnsafeRawPointer($0), type) } : nil
        return Operand(weight: weight, isRounded: isRounded, packed: panels)
    }

    private func pack(_ weight: Weight, _ type: ElementType, isRounded: Bool) throws -> UnsafeMutableRawPointer {
        func bytes(_ outputs: Int) -> Int {
            Products.packedByteCount(outputs: outputs, inputs: weight.inputs, type: type)
        }
        let panels = try weight.arena.allocate(byteCount: bytes(weight.outputs))
        let step = 192
        try pool.run(tasks: (weight.outputs + step - 1) / step) { task, worker in
            let outputs = task * step..<min((task + 1) * step, weight.outputs)
            let source = stored(weight, outputs, isRounded: isRounded, worker, slot: 2)
            worker.products.pack(
                source, outputs: outputs.count, inputs: weight.inputs, into: panels + bytes(outputs.lowerBound))
            giveBack(weight, outputs)
        }
        return panels
    }

    /// Some outputs of a weight, from a multiple of 16 on, ready to be multiplied.
    func part(_ operand: Operand, _ outputs: Range<Int>, _ worker: Worker, slot: Int = 2) -> ProductWeight {
        guard let packed = operand.packed else {
            return stored(operand.weight, outputs, isRounded: operand.isRounded, worker, slot: slot)
        }
        let offset = Products.packedByteCount(
            outputs: outputs.lowerBound, inputs: operand.weight.inputs, type: packed.type)
        return ProductWeight(packed.start + offset, packed.type, .panels)
    }

    /// A tile of a weight in a type that products read: the mapped bytes themselves, or a copy in the worker's scratch.
    private func stored(
        _ weight: Weight, _ outputs: Range<Int>, isRounded: Bool, _ worker: Worker, slot: Int
    ) -> ProductWeight {
        let bytes = weight.view.bytes.baseAddress!
        let type = weight.elementType
        let count = outputs.count * weight.inputs
        let layout: ProductWeight.Layout
        var pieces: [(source: UnsafeRawPointer, count: Int)] = []
        switch weight.layout {
        case .rows:
            let start = bytes + outputs.lowerBound * weight.inputs * type.byteCount
            layout = .rows(stride: weight.inputs)
            if !isRounded, ProductWeight.reads(type) { return ProductWeight(start, type, layout) }
            pieces = [(start, count)]
        case .columns(let first, let stride):
            let start = bytes + (first + outputs.lowerBound) * type.byteCount
            if !isRounded, ProductWeight.reads(type) { return ProductWeight(start, type, .columns(stride: stride)) }
            layout = .columns(stride: outputs.count)
            pieces = (0..<weight.inputs).map { (start + $0 * stride * type.byteCount, outputs.count) }
        }
        let copy = worker.scratch(slot, count: count)
        var place = 0
        for piece in pieces {
            Widening.widen(piece.source, type, into: copy + place, count: piece.count)
            place += piece.count
        }
        guard isRounded else { return ProductWeight(copy, .f32, layout) }
        let words = UnsafeMutableRawPointer(worker.scratch(slot + 2, count: (count + 1) / 2))
            .assumingMemoryBound(to: UInt16.self)
        Narrowing.bf16(copy, into: words, count: count)
        return ProductWeight(words, .bf16, layout)
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
}
