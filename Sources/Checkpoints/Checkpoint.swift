package import HDF5
package import LinearAlgebra
package import Models
import Synchronization

/// A checkpoint file, opened: an index of its tensors and a map of its bytes.
///
/// Opening reads headers only. Contiguous little-endian tensors are views into the map; anything else is decoded when
/// it is first used, within `Limits`.
package final class Checkpoint: WeightSource, Sendable {
    /// The path as it was given.
    package let path: String
    /// The file's name.
    package let label: String
    package let fileSize: Int
    /// Nil for a plain dump of a state dict.
    package let formatVersion: Int?
    /// Hugging Face `model_type`, as the file's attribute says; nil if it says nothing.
    package let architecture: String?
    package let createdBy: String?
    package let source: String?
    /// In order of name.
    package let tensors: [TensorInfo]
    /// The model's configuration, from the file or from the path that was given instead.
    package let configJSON: [UInt8]?
    /// How the file was made.
    package let recipeJSON: [UInt8]?

    private let file: File
    private let map: MappedFile
    private let places: [String: (index: Int, dataset: Dataset)]
    private let texts: [String: Dataset]
    private let decoded = Mutex(Decoded())

    private struct Decoded {
        var tensors: [String: DecodedBytes] = [:]
        var byteCount = 0
    }

    /// Opens a nacre checkpoint, or a plain HDF5 dump of a state dict.
    ///
    /// - Parameter configurationPath: a `config.json` to use instead of the file's own; a plain dump needs one.
    /// Throws `HDF5Error` or `CheckpointError`.
    package static func open(
        _ path: String, configurationPath: String? = nil, limits: Limits = Limits()
    ) throws -> Checkpoint {
        try Checkpoint(path, configurationPath, limits)
    }

    private init(_ path: String, _ configurationPath: String?, _ limits: Limits) throws {
        let file = try File(path, limits: limits)
        let contents = file.contents
        let index = try CheckpointIndex(contents, path: path)
        self.file = file
        self.map = try file.map()
        self.path = path
        label = path.split(separator: "/").last.map(String.init) ?? path
        fileSize = file.size
        formatVersion = index.formatVersion
        architecture = contents.attributes["architecture"]?.text
        createdBy = contents.attributes["created_by"]?.text
        source = contents.attributes["source"]?.text
        tensors = index.tensors.map { $0.info }
        places = Dictionary(
            uniqueKeysWithValues: index.tensors.enumerated().map { ($1.info.name, ($0, $1.dataset)) })
        texts = index.texts
        if let configurationPath {
            configJSON = try readFile(configurationPath, limit: 16 << 20)
        } else {
            configJSON = try index.texts["/config.json"].map { try file.text($0) }
        }
        recipeJSON = try index.texts["/recipe.json"].map { try file.text($0) }
        if configJSON == nil, formatVersion == nil {
            throw CheckpointError(
                .configuration, file: path, problem: "this is a plain dump of tensors, without a configuration",
                remedy: "give the model's: --config config.json")
        }
    }

    package func tokenizerJSON() throws -> [UInt8]? { try text("/tokenizer/tokenizer.json") }
    package func tokenizerConfigJSON() throws -> [UInt8]? { try text("/tokenizer/tokenizer_config.json") }
    package func chatJSON() throws -> [UInt8]? { try text("/tokenizer/chat.json") }

    /// Throws if the file was cut since it was opened, in which case its map must not be touched.
    package func checkUnchanged() throws { try file.checkUnchanged() }

    package func info(_ name: String) -> TensorInfo? { places[name].map { tensors[$0.index] } }

    package func describe(_ name: String) -> (type: ElementType, shape: [Int])? {
        info(name).map { ($0.type, $0.shape) }
    }

    package func tensor(_ name: String) throws -> TensorView? {
        guard let (index, dataset) = places[name] else { return nil }
        let info = tensors[index]
        try file.checkUnchanged()
        if let offset = info.offset {
            let bytes = UnsafeRawBufferPointer(rebasing: map.bytes[offset..<offset + info.byteCount])
            return TensorView(
                name: name, type: info.type, shape: info.shape, bytes: bytes, owner: map,
                isFileMapping: true)
        }
        let memory = try decode(name, dataset)
        return TensorView(name: name, type: info.type, shape: info.shape, bytes: memory.bytes, owner: memory)
    }

    /// Decoded tensors are kept up to the limit on decoded bytes; beyond it each use decodes again.
    private func decode(_ name: String, _ dataset: Dataset) throws -> DecodedBytes {
        if let known = decoded.withLock({ $0.tensors[name] }) { return known }
        let memory = try file.decode(dataset)
        decoded.withLock { state in
            let (total, overflow) = state.byteCount.addingReportingOverflow(dataset.byteCount)
            if overflow || total > file.limits.decodedBytes || state.tensors[name] != nil { return }
            state.byteCount = total
            state.tensors[name] = memory
        }
        return memory
    }

    private func text(_ name: String) throws -> [UInt8]? { try texts[name].map { try file.text($0) } }

    /// Names, datasets and recorded digests of the text datasets.
    var textEntries: [(name: String, digest: String?)] {
        texts.map { ($0.key, $0.value.attributes["sha256"]?.text) }.sorted { $0.0 < $1.0 }
    }

    func textBytes(_ name: String) throws -> [UInt8] { try text(name) ?? [] }
}
