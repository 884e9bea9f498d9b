package import Control
package import LinearAlgebra

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// A kernel of matrix products, which is named after the instructions that it uses.
package struct Kernel: Hashable, Sendable {
    let level: KernelLevel

    /// The name of the kernel of matrix products: `portable`, `avx2`, `avx512`, `amx` or `neon`.
    package var name: String { level.rawValue }
    /// Whether this processor, and the system that runs on it, can execute the kernel's instructions.
    package var isAvailable: Bool { level.isAvailable }

    package static let all = KernelLevel.allCases.map { Kernel(level: $0) }
    /// The kernels of matrix products that this processor can execute, the fastest last.
    package static let available = KernelLevel.available.map { Kernel(level: $0) }
    /// The fastest kernel of matrix products that this processor can execute.
    package static let fastest = Kernel(level: .fastest)

    init(level: KernelLevel) { self.level = level }

    /// Finds a kernel of matrix products by its name. The result is nil if no kernel has that name.
    package init?(_ name: String) {
        guard let level = KernelLevel(rawValue: name) else { return nil }
        self.level = level
    }

    /// The name of the environment variable that chooses the kernel of matrix products, and its value if it is set.
    package static let variable = (name: KernelLevel.environmentName, value: KernelLevel.environment)
}

/// The threads that compute for a session. They are made again when their number or their kernel changes.
package final class Engine {
    /// The measured speed of one kind of matrix product.
    package struct Rate {
        /// The kind of matrix product that was measured, in words.
        package let what: String
        package let kernel: String
        /// The number of floating-point operations per second.
        package let operations: Double
        /// The number of bytes of weights that are read per second, for a product whose speed is limited by reading
        /// them.
        package let reading: Double?
    }

    private var current: ThreadPool?

    package init() {}

    package func pool(threads: Int, kernel: Kernel) throws -> ThreadPool {
        if let current, current.threadCount == threads, current.level == kernel.level { return current }
        let pool = try ThreadPool(threadCount: threads, level: kernel.level)
        current?.stop()
        current = pool
        return pool
    }

    /// Ends the threads that compute for the session.
    package func stop() {
        current?.stop()
        current = nil
    }

    /// Measures the speed of each kind of matrix product for about a tenth of a second.
    ///
    /// - Returns: The speed of each kind of product.
    package func rates(threads: Int, kernel: Kernel, control: RunControl) throws -> [Rate] {
        try ProductProbe.measure(pool: pool(threads: threads, kernel: kernel), control: control).map {
            Rate(what: $0.what, kernel: $0.kernel, operations: $0.rate, reading: $0.reading)
        }
    }

    /// The number of bytes of the machine's memory that are still available, or nil if the system does not report it.
    package static var availableMemory: Int? { MachineMemory.available() }

    /// The name of the processor, or "unknown" if the system does not report it.
    package static let processor: String = {
        #if canImport(Glibc)
            guard let file = fopen("/proc/cpuinfo", "re") else { return "unknown" }
            defer { fclose(file) }
            var line = [CChar](repeating: 0, count: 1024)
            while fgets(&line, Int32(line.count), file) != nil {
                let text = String(
                    decoding: line.prefix { $0 != 0 && $0 != 10 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
                guard text.hasPrefix("model name"), let colon = text.firstIndex(of: ":") else { continue }
                return text[text.index(after: colon)...].drop { $0 == " " }.description
            }
            return "unknown"
        #else
            return "unknown"
        #endif
    }()
}
