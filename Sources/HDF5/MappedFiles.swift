import Synchronization
internal import TerminalText

#if canImport(Glibc)
    @preconcurrency internal import Glibc
#else
    internal import Darwin
#endif

/// Which file is mapped where, so that a handler of SIGBUS can name the one that was cut.
package enum MappedFiles {
    private struct Place {
        var start: UInt
        var end: UInt
        /// Escaped, ready to be written.
        var path: UnsafeMutablePointer<CChar>
    }

    /// Maps beyond these go unnamed.
    private static let capacity = 4096
    /// Written under `lock`; a signal handler reads it without, since it may have interrupted whoever holds it.
    private nonisolated(unsafe) static let places: UnsafeMutablePointer<Place?> = {
        let places = UnsafeMutablePointer<Place?>.allocate(capacity: capacity)
        places.initialize(repeating: nil, count: capacity)
        return places
    }()
    private static let lock = Mutex(())

    /// Statics are made on first use, which must not be in a signal handler.
    package static func prepare() { lock.withLock { _ in _ = places.pointee } }

    static func add(_ bytes: UnsafeRawBufferPointer, path: String) {
        let start = UInt(bitPattern: bytes.baseAddress)
        guard let name = strdup(path.escapedForTerminal(limit: 400)) else { return }
        let isKept = lock.withLock { _ in
            guard let free = (0..<capacity).first(where: { places[$0] == nil }) else { return false }
            places[free] = Place(start: start, end: start + UInt(bytes.count), path: name)
            return true
        }
        if !isKept { free(name) }
    }

    static func remove(_ bytes: UnsafeRawBufferPointer) {
        let start = UInt(bitPattern: bytes.baseAddress)
        let name = lock.withLock { _ -> UnsafeMutablePointer<CChar>? in
            guard let index = (0..<capacity).first(where: { places[$0]?.start == start }) else { return nil }
            defer { places[index] = nil }
            return places[index]?.path
        }
        free(name)
    }

    /// The path of the file whose map holds an address; nil if there is none. May be called from a signal handler.
    package static func path(at address: UInt) -> UnsafePointer<CChar>? {
        for index in 0..<capacity {
            if let place = places[index], address >= place.start, address < place.end {
                return UnsafePointer(place.path)
            }
        }
        return nil
    }
}
