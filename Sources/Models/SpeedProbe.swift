package import Control
package import LinearAlgebra

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// How fast this machine multiplies and reads, from a tenth of a second of each.
package enum SpeedProbe {
    private static let seconds = 0.1

    /// Floating-point operations a second of products of the model's shape, on all threads of the pool.
    package static func product(_ c: ModelConfiguration, pool: ThreadPool, control: RunControl) throws -> Double {
        let (rows, depth) = (512, c.hiddenSize)
        let columns = min(192, c.intermediateSize)
        let a = [Float](repeating: 0.5, count: rows * depth)
        let b = [Float](repeating: 0.25, count: columns * depth)
        func multiply(tasks: Int) throws {
            try a.withUnsafeBufferPointer { a in
                try b.withUnsafeBufferPointer { b in
                    try pool.run(tasks: tasks) { _, worker in
                        try control.checkCancellation()
                        let result = worker.scratch(0, count: rows * columns)
                        worker.products.multiply(
                            a.baseAddress!, rows: rows,
                            by: ProductWeight(b.baseAddress!, .f32, .rows(stride: depth)), outputs: columns,
                            inputs: depth, into: result)
                    }
                }
            }
        }
        // Whatever is made on first use is made before the clock runs.
        try multiply(tasks: 4 * pool.threadCount)
        let start = now()
        var tasks = 0
        while now() - start < seconds {
            try multiply(tasks: 4 * pool.threadCount)
            tasks += 4 * pool.threadCount
        }
        return 2 * Double(rows * columns) * Double(depth) * Double(tasks) / (now() - start)
    }

    /// Bytes a second at which mapped tensors are read, the first 4 MiB of each; nil if they are too small to tell.
    package static func read(_ tensors: some Sequence<TensorView>, control: RunControl) throws -> Double? {
        let start = now()
        var bytes = 0
        var sum = 0
        for tensor in tensors where now() - start < seconds {
            try control.checkCancellation()
            let count = min(4 << 20, tensor.bytes.count)
            // One byte a page: what takes time is bringing them in.
            for offset in stride(from: 0, to: count, by: 4096) { sum &+= Int(tensor.bytes[offset]) }
            bytes += count
        }
        let elapsed = now() - start
        // The sum is used, or the compiler would leave the reads out.
        return bytes > 1 << 20 && elapsed > 0 && sum >= 0 ? Double(bytes) / elapsed : nil
    }

    private static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
    }
}
