package import Control

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// How fast this machine multiplies, a tenth of a second of each kind of product. It is shown, and never used to choose a
/// kernel: bits would then depend on what else the machine was doing.
package struct ProductProbe: Sendable {
    /// "128 rows, f32 weights".
    package let what: String
    /// "avx2", "matrix unit".
    package let kernel: String
    /// Floating-point operations a second, on all threads of the pool.
    package let rate: Double
    /// Bytes of weights read a second; nil where the weights stay in the caches.
    package let reading: Double?

    private static let seconds = 0.1

    /// Products as runs compute them: of a prompt's rows with packed weights, and of one row with weights in memory.
    package static func measure(pool: ThreadPool, control: RunControl) throws -> [ProductProbe] {
        var result: [ProductProbe] = []
        for type in [ElementType.f32, .bf16] {
            result.append(try many(type, pool: pool, control: control))
            result.append(try one(type, pool: pool, control: control))
        }
        if pool.level.hasMatrixUnit { result.append(try words(pool: pool, control: control)) }
        return result
    }

    private static let (rows, inputs) = (128, 576)

    private static func many(_ type: ElementType, pool: ThreadPool, control: RunControl) throws -> ProductProbe {
        let outputs = 768
        let a = [Float](repeating: 0.5, count: rows * inputs)
        let (arena, panels) = try panels(type, outputs: outputs)
        let rate = try repeated(pool, control) { worker in
            let c = worker.scratch(0, count: rows * outputs)
            worker.products.multiply(
                a, rows: rows, by: ProductWeight(panels, type, .panels), outputs: outputs, inputs: inputs, into: c)
            return 2 * Double(rows * inputs * outputs)
        }
        withExtendedLifetime(arena) {}
        return ProductProbe(
            what: "\(rows) rows, \(type.rawValue) weights", kernel: pool.level.ofF32.rawValue, rate: rate, reading: nil)
    }

    private static func words(pool: ThreadPool, control: RunControl) throws -> ProductProbe {
        let outputs = 768
        let a = [UInt16](repeating: 0x3F00, count: rows * inputs)
        let (arena, panels) = try panels(.bf16, outputs: outputs)
        let rate = try repeated(pool, control) { worker in
            let c = worker.scratch(0, count: rows * outputs)
            worker.products.multiplyWords(
                a, rows: rows, by: ProductWeight(panels, .bf16, .panels), outputs: outputs, inputs: inputs, into: c)
            return 2 * Double(rows * inputs * outputs)
        }
        withExtendedLifetime(arena) {}
        return ProductProbe(what: "\(rows) rows, precision bf16", kernel: "matrix unit", rate: rate, reading: nil)
    }

    /// One row, with more weights than the caches hold, where they lie.
    private static func one(_ type: ElementType, pool: ThreadPool, control: RunControl) throws -> ProductProbe {
        let outputs = (64 << 20) / (inputs * type.byteCount) / 16 * 16
        let a = [Float](repeating: 0.5, count: inputs)
        let weight = PageArena.scratch(byteCount: outputs * inputs * type.byteCount)
        weight.initializeMemory(as: UInt8.self, repeating: 0x3C)
        defer { weight.deallocate() }
        let start = UnsafeRawPointer(weight.baseAddress!)
        let step = 192
        var c = [Float](repeating: 0, count: outputs)
        let began = now()
        var passes = 0
        repeat {
            try control.checkCancellation()
            try c.withUnsafeMutableBufferPointer { c in
                nonisolated(unsafe) let c = c.baseAddress!
                try pool.run(tasks: (outputs + step - 1) / step) { task, worker in
                    let first = task * step
                    let part = ProductWeight(
                        start + first * inputs * type.byteCount, type, .rows(stride: inputs))
                    worker.products.multiply(
                        a, rows: 1, by: part, outputs: min(step, outputs - first), inputs: inputs, into: c + first)
                }
            }
            passes += 1
        } while now() - began < seconds
        let elapsed = now() - began
        let numbers = Double(outputs * inputs * passes)
        return ProductProbe(
            what: "1 row, \(type.rawValue) weights", kernel: pool.level.ofF32.rawValue, rate: 2 * numbers / elapsed,
            reading: numbers * Double(type.byteCount) / elapsed)
    }

    private static func panels(_ type: ElementType, outputs: Int) throws -> (PageArena, UnsafeRawPointer) {
        let arena = PageArena()
        let bytes = Products.packedByteCount(outputs: outputs, inputs: inputs, type: type)
        let panels = try arena.allocate(byteCount: bytes)
        panels.initializeMemory(as: UInt8.self, repeating: 0x3C, count: bytes)
        return (arena, UnsafeRawPointer(panels))
    }

    /// Operations a second of a body that says how many it has done, on all threads.
    private static func repeated(
        _ pool: ThreadPool, _ control: RunControl, _ body: (Worker) -> Double
    ) throws -> Double {
        let tasks = 4 * pool.threadCount
        // Whatever is made on first use is made before the clock runs.
        try pool.run(tasks: tasks) { _, worker in _ = body(worker) }
        let each = body(Worker(index: 0, level: pool.level))
        let began = now()
        var operations = 0.0
        repeat {
            try control.checkCancellation()
            try pool.run(tasks: tasks) { _, worker in _ = body(worker) }
            operations += each * Double(tasks)
        } while now() - began < seconds
        return operations / (now() - began)
    }

    private static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
    }
}
