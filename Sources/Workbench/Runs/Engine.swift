package import Control
package import LinearAlgebra

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// The instructions that matrix products are computed with.
package struct Kernel: Hashable, Sendable {
    let level: KernelLevel

    /// `portable`, `avx2`, `avx512`, `amx`, `neon`.
    package var name: String { level.rawValue }
    /// Whether this processor, and the system that it runs, can execute them.
    package var isAvailable: Bool { level.isAvailable }

    package static let all = KernelLevel.allCases.map { Kernel(level: $0) }
    /// Those that this processor has, the fastest last.
    package static let available = KernelLevel.available.map { Kernel(level: $0) }
    /// The fastest that this processor has.
    package static let fastest = Kernel(level: .fastest)

    init(level: KernelLevel) { self.level = level }

    /// Nil for a name that no kernel has.
    package init?(_ name: String) {
        guard let level = KernelLevel(rawValue: name) else { return nil }
        self.level = level
    }

    /// The environment's variable that names one, and its value where it has one.
    package static let variable = (name: KernelLevel.environmentName, value: KernelLevel.environment)
}

/// The threads that a session computes with, remade when their number or their kernel changes.
package final class Engine {
    /// How fast a kind of product is.
    package struct Rate {
        /// The product, in words.
        package let what: String
        package let kernel: String
        /// Floating-point operations per second.
        package let operations: Double
        /// Bytes of weights per second, where the product is bound by reading them.
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

    /// Ends the threads.
    package func stop() {
        current?.stop()
        current = nil
    }

    /// Measures each kind of product for about a tenth of a second.
    package func rates(threads: Int, kernel: Kernel, control: RunControl) throws -> [Rate] {
        try ProductProbe.measure(pool: pool(threads: threads, kernel: kernel), control: control).map {
            Rate(what: $0.what, kernel: $0.kernel, operations: $0.rate, reading: $0.reading)
        }
    }

    /// Bytes of memory that can still be had; nil where nobody says.
    package static var availableMemory: Int? { MachineMemory.available() }

    /// The processor's name, as far as the system says it.
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
