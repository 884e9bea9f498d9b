internal import HDF5

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
    func checkUnchanged() throws
    /// A tensor's bytes where they lie in the map of their file; nil for what `decode` must be asked for.
    func mapped(_ index: Int) throws -> (bytes: UnsafeRawBufferPointer, owner: MappedFile)?
    /// A tensor's bytes in memory, little-endian and aligned.
    func decode(_ index: Int) throws -> DecodedBytes
    /// Names of the stored texts, such as "/config.json", with their recorded digests, in order of name.
    var textEntries: [(name: String, digest: String?)] { get }
    func text(_ name: String) throws -> [UInt8]?
}

/// An HDF5 file, mapped.
struct HDF5Storage: CheckpointStorage {
    let file: File
    let index: CheckpointIndex
    private let map: MappedFile

    init(_ path: String, limits: Limits) throws {
        file = try File(path, limits: limits)
        index = try CheckpointIndex(file.contents, path: path)
        map = try file.map()
    }

    var limits: Limits { file.limits }
    var size: Int { file.size }
    var fileStates: [String] { [file.state] }
    var tensors: [TensorInfo] { index.tensors.map(\.info) }

    func checkUnchanged() throws { try file.checkUnchanged() }

    func mapped(_ index: Int) throws -> (bytes: UnsafeRawBufferPointer, owner: MappedFile)? {
        try file.checkUnchanged()
        let info = self.index.tensors[index].info
        guard let offset = info.offset else { return nil }
        return (UnsafeRawBufferPointer(rebasing: map.bytes[offset..<offset + info.byteCount]), map)
    }

    func decode(_ index: Int) throws -> DecodedBytes { try file.decode(self.index.tensors[index].dataset) }

    var textEntries: [(name: String, digest: String?)] {
        index.texts.map { ($0.key, $0.value.attributes["sha256"]?.text) }.sorted { $0.0 < $1.0 }
    }

    func text(_ name: String) throws -> [UInt8]? { try index.texts[name].map { try file.text($0) } }
}
