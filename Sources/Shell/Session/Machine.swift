#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// What the results depend on: the same bits are promised on one type of processor.
enum Machine {
    /// The processor's name, as far as the system says it.
    static let processor: String = {
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
