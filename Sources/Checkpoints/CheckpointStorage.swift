import Control
internal import HDF5
import Synchronization

/// Where a checkpoint's tensors and texts lie: an HDF5 file, or a folder of safetensors.
protocol CheckpointStorage: Sendable {
    var limits: Limits { get }
    /// Bytes of all files that hold tensors.
    var size: Int { get }
    /// Name, device, inode, size and time of writing of each file that holds tensors, as they were when it was opened.
    var fileStates: [String] { get }
    /// In order of name.
    var tensors: [TensorInfo] { get }
    /// Throws if a file was cut since it was opened, in which case its map must not be touched, or written to.
    ///
    /// - Parameter control: of the comparison of a file with its digests, which may be long.
    func checkUnchanged(control: RunControl?) throws
    /// A tensor's bytes where they lie in the map of their file; nil for what `decode` must be asked for.
    func mapped(_ index: Int) throws -> (bytes: UnsafeRawBufferPointer, owner: MappedFile)?
    /// A tensor's bytes in memory, little-endian and aligned.
    func decode(_ index: Int) throws -> DecodedBytes
    /// Names of the stored texts, such as "/config.json", with their recorded digests, in order of name.
    var textEntries: [(name: String, digest: String?)] { get }
    func text(_ name: String) throws -> [UInt8]?
}

/// An HDF5 file, mapped.
final class HDF5Storage: CheckpointStorage {
    let file: File
    let index: CheckpointIndex
    private let map: MappedFile
    /// The digests of texts that were read and of which the file records none.
    private let readTexts = Mutex<[String: String]>([:])

    init(_ path: String, limits: Limits) throws {
        file = try File(path, limits: limits)
        index = try CheckpointIndex(file.contents, path: path)
        map = try file.map()
    }

    var limits: Limits { file.limits }
    var size: Int { file.size }
    var fileStates: [String] { [file.state] }
    var tensors: [TensorInfo] { index.tensors.map(\.info) }

    func checkUnchanged(control: RunControl?) throws {
        try file.checkUnchanged { try compare(after: $0, control ?? RunControl()) }
    }

    func mapped(_ index: Int) throws -> (bytes: UnsafeRawBufferPointer, owner: MappedFile)? {
        try checkUnchanged(control: nil)
        let info = self.index.tensors[index].info
        guard let offset = info.offset else { return nil }
        return (UnsafeRawBufferPointer(rebasing: map.bytes[offset..<offset + info.byteCount]), map)
    }

    func decode(_ index: Int) throws -> DecodedBytes {
        try checkUnchanged(control: nil)
        return try file.decode(self.index.tensors[index].dataset)
    }

    var textEntries: [(name: String, digest: String?)] {
        index.texts.map { ($0.key, $0.value.attributes["sha256"]?.text) }.sorted { $0.0 < $1.0 }
    }

    func text(_ name: String) throws -> [UInt8]? {
        guard let dataset = index.texts[name] else { return nil }
        try checkUnchanged(control: nil)
        let bytes = try file.text(dataset)
        if dataset.attributes["sha256"]?.text == nil {
            readTexts.withLock { known in
                if known[name] == nil { known[name] = Digest.sha256(bytes) }
            }
        }
        return bytes
    }
}

extension HDF5Storage {
    /// Compares all tensors, and the texts that were read or have a digest, with their digests. It is asked where the
    /// file's times changed, which alone do not tell whether its contents did.
    ///
    /// Nothing was computed with a text that was not read. One without a digest leaves it open what a write was to; a
    /// change of status is not taken for a write to just such a text.
    /// - Returns: `.unknown` if a tensor has no digest, or can't be read from the map.
    /// - Throws: `CancellationError`.
    private func compare(after change: FileStamp.Change, _ control: RunControl) throws -> FileContents {
        var parts: [(name: String, range: Range<Int>, digest: String)] = []
        for (info, _) in index.tensors where info.byteCount > 0 {
            guard let digest = info.digest, let offset = info.offset else { return .unknown }
            parts.append((info.name, offset..<offset + info.byteCount, digest))
        }
        let known = readTexts.withLock { $0 }
        for (name, dataset) in index.texts where dataset.byteCount > 0 {
            guard let digest = dataset.attributes["sha256"]?.text ?? known[name] else {
                if change == .status { continue }
                return .unknown
            }
            guard let offset = dataset.mappableOffset else { return .unknown }
            parts.append((name, offset..<offset + dataset.byteCount, digest))
        }
        let total = parts.reduce(0) { $0 + $1.range.count }
        let done = Atomic<Int>(0)
        let other = Mutex<String?>(nil)
        // The largest first, so that no thread is left alone with one at the end.
        let order = parts.sorted { ($1.range.count, $0.name) < ($0.range.count, $1.name) }
        try forEachInParallel(order.count, threads: 2, control: control) { [map] number in
            // One part that is another is enough.
            if other.withLock({ $0 != nil }) { return }
            let part = order[number]
            var hash = SHA256()
            let slab = 1 << 20
            for start in stride(from: part.range.lowerBound, to: part.range.upperBound, by: slab) {
                try control.checkCancellation()
                let end = min(start + slab, part.range.upperBound)
                hash.update(UnsafeRawBufferPointer(rebasing: map.bytes[start..<end]))
                let sum = done.wrappingAdd(end - start, ordering: .relaxed).newValue
                control.report(done: sum, total: total, unit: "bytes compared with their digests")
            }
            if hash.finish() != part.digest.lowercased() { other.withLock { $0 = $0 ?? part.name } }
        }
        return other.withLock { $0.map { .other(part: $0) } ?? .same }
    }
}
