#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// The machine's memory, within whatever limits stand on this process.
package enum MachineMemory {
    /// Bytes that can still be allocated without pushing anything out that is in use; nil where nobody says.
    ///
    /// The least of what the kernel calls available, what the control groups above this process leave, and what the
    /// limit on its address space leaves.
    package static func available() -> Int? {
        var answers: [Int] = []
        #if canImport(Glibc)
            if let free = kilobytes("MemAvailable:", in: "/proc/meminfo") { answers.append(free) }
            answers += controlGroups()
            var limit = rlimit()
            if getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0, limit.rlim_cur != rlim_t.max,
                let used = kilobytes("VmSize:", in: "/proc/self/status")
            {
                answers.append(max(0, Int(clamping: limit.rlim_cur) - used))
            }
        #else
            answers.append(total)
        #endif
        return answers.min()
    }

    package static var total: Int { PhysicalMemory.byteCount }

    #if canImport(Glibc)
        private static func kilobytes(_ key: String, in path: String) -> Int? {
            lines(path).first { $0.hasPrefix(key) }.flatMap { Int($0.filter(\.isNumber)) }.map { $0 * 1024 }
        }

        /// What each control group (version 2) that this process is in leaves; file pages count as free.
        private static func controlGroups() -> [Int] {
            guard let own = lines("/proc/self/cgroup").first(where: { $0.hasPrefix("0::/") }) else { return [] }
            var path = Substring(own.dropFirst(3))
            var answers: [Int] = []
            while true {
                let folder = "/sys/fs/cgroup\(path)"
                if let limit = lines("\(folder)/memory.max").first.flatMap({ Int($0) }),
                    let used = lines("\(folder)/memory.current").first.flatMap({ Int($0) })
                {
                    let statistics = lines("\(folder)/memory.stat")
                    let files = statistics.first { $0.hasPrefix("file ") }.flatMap { Int($0.dropFirst(5)) } ?? 0
                    answers.append(max(0, limit - used + files))
                }
                guard let slash = path.lastIndex(of: "/"), path.count > 1 else { return answers }
                path = path[..<slash]
            }
        }

        /// Files that the kernel makes up as they are read have no size.
        private static func lines(_ path: String) -> [String] {
            guard let file = fopen(path, "re") else { return [] }
            defer { fclose(file) }
            var result: [String] = []
            var line = [CChar](repeating: 0, count: 1024)
            while result.count < 1000, fgets(&line, Int32(line.count), file) != nil {
                let text = String(
                    decoding: line.prefix { $0 != 0 && $0 != 10 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
                result.append(text)
            }
            return result
        }
    #endif
}
