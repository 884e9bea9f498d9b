import Synchronization

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// Memory for large tables that live as long as the arena, in huge pages where the system has them: packing a model
/// then takes a fault for each 2 MiB instead of each 4 KiB, and products miss the address cache less often.
package final class PageArena: Sendable {
    private struct Chunks {
        var mapped: [UnsafeMutableRawBufferPointer] = []
        var used = 0
    }

    private static let chunk = 32 << 20
    private static let page = 2 << 20
    private let chunks = Mutex(Chunks())

    package init() {}

    /// Uninitialised memory that its caller deallocates: in huge pages if it fills one.
    package static func scratch(byteCount: Int) -> UnsafeMutableRawBufferPointer {
        guard byteCount >= page / 2 else { return .allocate(byteCount: byteCount, alignment: 64) }
        let size = (byteCount + page - 1) / page * page
        let region = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: page)
        #if canImport(Glibc)
            madvise(region.baseAddress!, size, MADV_HUGEPAGE)
        #endif
        return region
    }

    deinit {
        chunks.withLock { for region in $0.mapped { munmap(region.baseAddress!, region.count) } }
    }

    /// Bytes that have been taken from the system.
    package var mappedBytes: Int { chunks.withLock { $0.mapped.reduce(0) { $0 + $1.count } } }

    /// Uninitialised memory, 64-byte aligned.
    ///
    /// - Throws: `LinearAlgebraError.noMemory` if the system has none left.
    package func allocate(byteCount: Int) throws -> UnsafeMutableRawPointer {
        try chunks.withLock { chunks in
            let size = (byteCount + 63) / 64 * 64
            if let last = chunks.mapped.last, chunks.used + size <= last.count {
                defer { chunks.used += size }
                return last.baseAddress! + chunks.used
            }
            // One page more than needed, so that a whole number of huge pages lies within.
            let length = max(Self.chunk, (size + Self.page - 1) / Self.page * Self.page) + Self.page
            guard let start = mmap(nil, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0),
                start != MAP_FAILED
            else { throw LinearAlgebraError.noMemory(byteCount: length) }
            #if canImport(Glibc)
                madvise(start, length, MADV_HUGEPAGE)
            #endif
            let region = UnsafeMutableRawBufferPointer(start: start, count: length)
            chunks.mapped.append(region)
            let offset = (Self.page - Int(bitPattern: start) % Self.page) % Self.page
            chunks.used = offset + size
            return start + offset
        }
    }
}
