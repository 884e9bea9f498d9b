internal import COneDNN

/// Matrix products in f32, or of bf16 operands with sums in f32, through oneDNN, one cache of prepared primitives for each thread.
///
/// Both operands and the result are dense: with dense operands oneDNN's blocked kernels add up each element of the
/// result in the same order whatever the number of rows and columns, so a row has the same bits alone or in a batch,
/// and a column alone or among others. With strided operands oneDNN takes another kernel that does not promise this.
package final class ProductCache {
    private struct Key: Hashable {
        let rows: Int32
        let columns: Int32
        let depth: Int32
        let layout: Layout
        /// Of both operands: f32 or bf16.
        let type: ElementType
    }

    /// Whether products of bf16 are faster here than those of f32: with matrix units, not with AVX-512 alone.
    package static let hasFastBF16 = {
        // A set of features, one bit each.
        let needed = dnnl_cpu_isa_avx512_core_amx.rawValue
        return dnnl_get_effective_cpu_isa().rawValue & needed == needed
    }()

    /// The library's version and the instructions that it uses here, on which the bits of products depend.
    package static let library: String = {
        let version = dnnl_version().pointee
        return
            "oneDNN \(version.major).\(version.minor).\(version.patch), instructions \(dnnl_get_effective_cpu_isa().rawValue)"
    }()

    /// How the second operand lies in memory.
    private enum Layout {
        /// [depth, columns]
        case plain
        /// [columns, depth]
        case transposed
        /// In the blocks that oneDNN's kernel reads.
        case packed
    }

    private struct Prepared {
        let primitive: dnnl_primitive_t
        let a: dnnl_memory_t
        let b: dnnl_memory_t
        let c: dnnl_memory_t

        func destroy() {
            dnnl_memory_destroy(a)
            dnnl_memory_destroy(b)
            dnnl_memory_destroy(c)
            dnnl_primitive_destroy(primitive)
        }
    }

    /// Creating a primitive costs about 20 microseconds; a set of prompts of every length needs a few hundred.
    private static let capacity = 1024

    private var engine: dnnl_engine_t?
    private var stream: dnnl_stream_t?
    private var prepared: [Key: Prepared] = [:]
    private var packedDescriptors: [PackedShape: dnnl_memory_desc_t] = [:]

    private struct PackedShape: Hashable {
        let columns: Int
        let depth: Int
        let type: ElementType
    }

    package init() {}

    deinit {
        for entry in prepared.values { entry.destroy() }
        if let stream { dnnl_stream_destroy(stream) }
        if let engine { dnnl_engine_destroy(engine) }
    }

    /// c = a b', the product with a weight stored as [out, in].
    ///
    /// - Parameters:
    ///   - a: [rows, depth], dense.
    ///   - b: [columns, depth], dense.
    ///   - c: [rows, columns], dense; overwritten.
    package func multiplyTransposed(
        _ a: UnsafeRawPointer, _ b: UnsafeRawPointer, into c: UnsafeMutablePointer<Float>, rows: Int,
        columns: Int, depth: Int, type: ElementType = .f32
    ) throws {
        try execute(
            Key(rows: Int32(rows), columns: Int32(columns), depth: Int32(depth), layout: .transposed, type: type), a, b,
            c)
    }

    /// c = a b.
    ///
    /// - Parameters:
    ///   - a: [rows, depth], dense.
    ///   - b: [depth, columns], dense.
    ///   - c: [rows, columns], dense; overwritten.
    package func multiply(
        _ a: UnsafeRawPointer, _ b: UnsafeRawPointer, into c: UnsafeMutablePointer<Float>, rows: Int,
        columns: Int, depth: Int, type: ElementType = .f32
    ) throws {
        try execute(
            Key(rows: Int32(rows), columns: Int32(columns), depth: Int32(depth), layout: .plain, type: type), a, b, c)
    }

    /// Bytes that a weight takes in the blocks that the kernel reads.
    package func packedByteCount(columns: Int, depth: Int, type: ElementType = .f32) throws -> Int {
        var packed = try packedDescriptor(columns: columns, depth: depth, type)
        return dnnl_memory_desc_get_size(&packed)
    }

    /// Lays a weight out in the blocks that the kernel reads, which a product would otherwise do each time.
    ///
    /// - Parameters:
    ///   - b: [columns, depth], dense; [depth, columns] if not transposed.
    ///   - result: `packedByteCount` bytes, 64-byte aligned, for `multiplyPacked`.
    package func pack(
        _ b: UnsafeRawPointer, columns: Int, depth: Int, isTransposed: Bool = true, type: ElementType = .f32,
        into result: UnsafeMutableRawPointer
    ) throws {
        var packed = try packedDescriptor(columns: columns, depth: depth, type)
        var plain = try descriptor([depth, columns], strides: isTransposed ? [1, depth] : [columns, 1], type)
        var description: dnnl_primitive_desc_t?
        try check(
            "reorder_primitive_desc_create",
            dnnl_reorder_primitive_desc_create(&description, &plain, engine, &packed, engine, nil))
        defer { dnnl_primitive_desc_destroy(description) }
        var reorder: dnnl_primitive_t?
        try check("primitive_create", dnnl_primitive_create(&reorder, description))
        defer { dnnl_primitive_destroy(reorder) }
        let source = try memory(&plain)
        defer { dnnl_memory_destroy(source) }
        let target = try memory(&packed)
        defer { dnnl_memory_destroy(target) }
        try check("set_data_handle", dnnl_memory_set_data_handle(source, UnsafeMutableRawPointer(mutating: b)))
        try check("set_data_handle", dnnl_memory_set_data_handle(target, result))
        let arguments = [
            dnnl_exec_arg_t(arg: DNNL_ARG_SRC_0, memory: source), dnnl_exec_arg_t(arg: DNNL_ARG_DST_0, memory: target),
        ]
        try check("primitive_execute", dnnl_primitive_execute(reorder, stream, 2, arguments))
        try check("stream_wait", dnnl_stream_wait(stream))
    }

    /// c = a b', with b packed by `pack`; the same bits as `multiplyTransposed`.
    package func multiplyPacked(
        _ a: UnsafeRawPointer, _ b: UnsafeRawPointer, into c: UnsafeMutablePointer<Float>, rows: Int,
        columns: Int, depth: Int, type: ElementType = .f32
    ) throws {
        try execute(
            Key(rows: Int32(rows), columns: Int32(columns), depth: Int32(depth), layout: .packed, type: type), a, b, c)
    }

    private func execute(
        _ key: Key, _ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ c: UnsafeMutablePointer<Float>
    ) throws {
        let entry = try prepared[key] ?? prepare(key)
        try check(
            "set_data_handle", dnnl_memory_set_data_handle(entry.a, UnsafeMutableRawPointer(mutating: a)))
        try check(
            "set_data_handle", dnnl_memory_set_data_handle(entry.b, UnsafeMutableRawPointer(mutating: b)))
        try check("set_data_handle", dnnl_memory_set_data_handle(entry.c, c))
        let arguments = (
            dnnl_exec_arg_t(arg: DNNL_ARG_SRC_0, memory: entry.a),
            dnnl_exec_arg_t(arg: DNNL_ARG_WEIGHTS_0, memory: entry.b),
            dnnl_exec_arg_t(arg: DNNL_ARG_DST_0, memory: entry.c)
        )
        try withUnsafeBytes(of: arguments) { bytes in
            let list = bytes.baseAddress!.assumingMemoryBound(to: dnnl_exec_arg_t.self)
            try check("primitive_execute", dnnl_primitive_execute(entry.primitive, stream, 3, list))
        }
        try check("stream_wait", dnnl_stream_wait(stream))
    }

    private func prepare(_ key: Key) throws -> Prepared {
        try start()
        if prepared.count >= Self.capacity {
            for entry in prepared.values { entry.destroy() }
            prepared.removeAll(keepingCapacity: true)
        }
        let rows = Int(key.rows)
        let columns = Int(key.columns)
        let depth = Int(key.depth)
        var a = try descriptor([rows, depth], strides: [depth, 1], key.type)
        var b: dnnl_memory_desc_t
        switch key.layout {
        case .plain: b = try descriptor([depth, columns], strides: [columns, 1], key.type)
        case .transposed: b = try descriptor([depth, columns], strides: [1, depth], key.type)
        case .packed: b = try packedDescriptor(columns: columns, depth: depth, key.type)
        }
        var c = try descriptor([rows, columns], strides: [columns, 1])
        let description = try matmul(&a, &b, &c)
        defer { dnnl_primitive_desc_destroy(description) }
        var primitive: dnnl_primitive_t?
        try check("primitive_create", dnnl_primitive_create(&primitive, description))
        let entry = Prepared(
            primitive: primitive!, a: try memory(&a), b: try memory(&b), c: try memory(&c))
        prepared[key] = entry
        return entry
    }

    private func start() throws {
        guard engine == nil else { return }
        try check("engine_create", dnnl_engine_create(&engine, dnnl_cpu, 0))
        try check("stream_create", dnnl_stream_create(&stream, engine, dnnl_stream_default_flags.rawValue))
    }

    /// The blocks that oneDNN prefers for a weight; the same for any number of rows.
    private func packedDescriptor(columns: Int, depth: Int, _ type: ElementType) throws -> dnnl_memory_desc_t {
        try start()
        let shape = PackedShape(columns: columns, depth: depth, type: type)
        if let known = packedDescriptors[shape] { return known }
        let rows = 512
        var a = try descriptor([rows, depth], strides: [depth, 1], type)
        var c = try descriptor([rows, columns], strides: [columns, 1])
        var b = dnnl_memory_desc_t()
        var dimensions = [dnnl_dim_t](repeating: 0, count: Int(DNNL_MAX_NDIMS))
        dimensions[0] = dnnl_dim_t(depth)
        dimensions[1] = dnnl_dim_t(columns)
        try check(
            "memory_desc_init_by_tag",
            dnnl_memory_desc_init_by_tag(&b, 2, &dimensions, Self.dataType(type), dnnl_format_tag_any))
        let description = try matmul(&a, &b, &c)
        defer { dnnl_primitive_desc_destroy(description) }
        let chosen = dnnl_primitive_desc_query_md(description, dnnl_query_weights_md, 0)!.pointee
        packedDescriptors[shape] = chosen
        return chosen
    }

    /// What oneDNN would do for c = a b; the caller destroys it.
    private func matmul(
        _ a: inout dnnl_memory_desc_t, _ b: inout dnnl_memory_desc_t, _ c: inout dnnl_memory_desc_t
    ) throws -> dnnl_primitive_desc_t {
        var operation = dnnl_matmul_desc_t()
        try check("matmul_desc_init", dnnl_matmul_desc_init(&operation, &a, &b, nil, &c))
        var description: dnnl_primitive_desc_t?
        try check(
            "primitive_desc_create", dnnl_primitive_desc_create(&description, &operation, nil, engine, nil))
        return description!
    }

    private func descriptor(
        _ shape: [Int], strides: [Int], _ type: ElementType = .f32
    ) throws -> dnnl_memory_desc_t {
        var result = dnnl_memory_desc_t()
        var dimensions = [dnnl_dim_t](repeating: 0, count: Int(DNNL_MAX_NDIMS))
        var steps = dimensions
        for (axis, size) in shape.enumerated() {
            dimensions[axis] = dnnl_dim_t(size)
            steps[axis] = dnnl_dim_t(strides[axis])
        }
        try check(
            "memory_desc_init_by_strides",
            dnnl_memory_desc_init_by_strides(&result, Int32(shape.count), &dimensions, Self.dataType(type), &steps))
        return result
    }

    private static func dataType(_ type: ElementType) -> dnnl_data_type_t { type == .bf16 ? dnnl_bf16 : dnnl_f32 }

    private func memory(_ descriptor: inout dnnl_memory_desc_t) throws -> dnnl_memory_t {
        var result: dnnl_memory_t?
        try check("memory_create", dnnl_memory_create(&result, &descriptor, engine, nil))
        return result!
    }

    private func check(_ call: String, _ status: dnnl_status_t) throws {
        guard status == dnnl_success else {
            throw LinearAlgebraError.oneDNN(call: "dnnl_\(call)", status: UInt32(status.rawValue))
        }
    }
}
