internal import CKernels

/// The second operand of a product: a weight, or a part of its outputs, as it lies in memory.
package struct ProductWeight {
    package enum Layout: Sendable {
        /// [outputs, stride], as a linear layer stores it.
        case rows(stride: Int)
        /// [inputs, stride], as GPT-2's `Conv1D` stores it.
        case columns(stride: Int)
        /// As `Products.pack` lays it out.
        case panels
    }

    package let start: UnsafeRawPointer
    /// f32, bf16 or f16. Elements of 16 bits are widened as they are read.
    package let type: ElementType
    package let layout: Layout

    package init(_ start: UnsafeRawPointer, _ type: ElementType = .f32, _ layout: Layout) {
        self.start = start
        self.type = type
        self.layout = layout
    }

    /// Whether products read elements of a type as they are stored; others are converted first.
    package static func reads(_ type: ElementType) -> Bool { type == .f32 || type == .bf16 || type == .f16 }

    fileprivate var stored: kernel_weight {
        var result = kernel_weight(start: start, stride: 0, element: Self.element(type), layout: 0)
        switch layout {
        case .rows(let stride):
            result.layout = Int32(KERNEL_ROWS.rawValue)
            result.stride = stride
        case .columns(let stride):
            result.layout = Int32(KERNEL_COLUMNS.rawValue)
            result.stride = stride
        case .panels: result.layout = Int32(KERNEL_PANELS.rawValue)
        }
        return result
    }

    fileprivate static func element(_ type: ElementType) -> Int32 {
        switch type {
        case .f32: Int32(KERNEL_F32.rawValue)
        case .bf16: Int32(KERNEL_BF16.rawValue)
        case .f16: Int32(KERNEL_F16.rawValue)
        default: preconditionFailure("\(type.rawValue) weights are converted before they are used")
        }
    }
}

/// The first operand of products: rows of activations, laid out as the kernels read them, for any number of weights.
package struct ProductRows {
    fileprivate let start: UnsafePointer<Float>
    package let count: Int
    package let inputs: Int
}

/// Matrix products c = a W' of one thread, with the scratch memory that they work in.
///
/// Each element of c is one sum whose order depends on the number of inputs alone: chains of fused multiply-adds over
/// 256 inputs each, added up in their order. So a row has the same bits alone and among others, an output alone and
/// among others, and a weight the same in any layout, packed or not, and in 16 bits or widened: on every `KernelLevel`.
package final class Products {
    package let level: KernelLevel
    private var scratch = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private var arranged = UnsafeMutableRawBufferPointer(start: nil, count: 0)

    package init(level: KernelLevel = .standard) {
        precondition(level.isAvailable, "this processor has no \(level.rawValue)")
        self.level = level
    }

    deinit {
        scratch.deallocate()
        arranged.deallocate()
    }

    /// Lays rows out for products, until the next call of this.
    ///
    /// - Parameter a: [rows, inputs], dense; it must last as long as the result, which may be the rows themselves.
    package func arrange(_ a: UnsafePointer<Float>, rows: Int, inputs: Int) -> ProductRows {
        if rows == 1 { return ProductRows(start: a, count: 1, inputs: inputs) }
        let place = Self.room(&arranged, kernel_arranged_bytes(rows, inputs)).assumingMemoryBound(to: Float.self)
        kernel_arrange(a, inputs, rows, inputs, place)
        return ProductRows(start: place, count: rows, inputs: inputs)
    }

    /// c = a W'.
    ///
    /// - Parameters:
    ///   - a: [rows, inputs], dense.
    ///   - c: [rows, outputs], rows `stride` apart; overwritten.
    ///   - stride: of c; nil: dense.
    /// - Returns: the level whose kernel ran.
    @discardableResult
    package func multiply(
        _ a: UnsafePointer<Float>, rows: Int, by weight: ProductWeight, outputs: Int, inputs: Int,
        into c: UnsafeMutablePointer<Float>, stride: Int? = nil
    ) -> KernelLevel {
        multiply(arrange(a, rows: rows, inputs: inputs), by: weight, outputs: outputs, into: c, stride: stride)
    }

    /// c = a W' for arranged rows; else as above.
    @discardableResult
    package func multiply(
        _ a: ProductRows, by weight: ProductWeight, outputs: Int, into c: UnsafeMutablePointer<Float>,
        stride: Int? = nil
    ) -> KernelLevel {
        var stored = weight.stored
        let room = Self.room(&scratch, kernel_scratch_bytes(a.count, a.inputs))
        return KernelLevel(
            number: kernel_product(
                level.number, a.start, a.count, &stored, outputs, a.inputs, c, stride ?? outputs, room))
    }

    /// c = a W' of operands that are both bf16, by the processor's matrix unit: sums in f32, in an order that depends on
    /// the number of inputs alone, but is another one than that of `multiply`.
    ///
    /// - Parameters:
    ///   - a: [rows, inputs], dense, bf16 words.
    ///   - weight: of bf16.
    ///   - c: [rows, outputs], rows `stride` apart; overwritten.
    package func multiplyWords(
        _ a: UnsafePointer<UInt16>, rows: Int, by weight: ProductWeight, outputs: Int, inputs: Int,
        into c: UnsafeMutablePointer<Float>, stride: Int? = nil
    ) {
        precondition(level.hasMatrixUnit && weight.type == .bf16, "words are multiplied by the matrix unit alone")
        var stored = weight.stored
        let room = Self.room(&scratch, kernel_scratch_bytes(rows, inputs))
        kernel_product_amx(a, inputs, rows, &stored, outputs, inputs, c, stride ?? outputs, room)
    }

    /// Bytes of a weight in panels: those of its elements, outputs rounded up to 16.
    package static func packedByteCount(outputs: Int, inputs: Int, type: ElementType) -> Int {
        kernel_panel_bytes(outputs, inputs, ProductWeight.element(type))
    }

    /// Bytes of scratch that products of at most this size take.
    package static func scratchByteCount(rows: Int, inputs: Int) -> Int {
        kernel_scratch_bytes(rows, inputs) + kernel_arranged_bytes(rows, inputs)
    }

    /// Lays a weight out in the panels that the kernels read, which a product would otherwise make each time.
    ///
    /// - Parameter result: `packedByteCount` bytes, 64-byte aligned.
    package func pack(_ weight: ProductWeight, outputs: Int, inputs: Int, into result: UnsafeMutableRawPointer) {
        var stored = weight.stored
        kernel_pack(level.number, &stored, outputs, inputs, result)
    }

    private static func room(_ buffer: inout UnsafeMutableRawBufferPointer, _ needed: Int) -> UnsafeMutableRawPointer {
        if buffer.count < needed || buffer.baseAddress == nil {
            buffer.deallocate()
            buffer = PageArena.scratch(byteCount: max(needed, 64))
        }
        return buffer.baseAddress!
    }
}
