package import Control
package import HDF5
import JSON
package import LinearAlgebra
import Models
import Synchronization
internal import Tokenizers

/// A checkpoint, opened: an index of its tensors and maps of its files' bytes.
///
/// Opening reads headers only. Contiguous little-endian tensors are views into a map; anything else is decoded when
/// it is first used, within `Limits`.
package final class Checkpoint: WeightSource, Sendable {
    /// The path as it was given.
    package let path: String
    /// The file's name, or the folder's.
    package let label: String
    /// What kind of file it is: "nacre checkpoint 1", "plain HDF5 state dict", "safetensors, 3 shards".
    package let formatName: String
    /// Nil for anything but a nacre checkpoint.
    package let formatVersion: Int?
    /// Hugging Face `model_type`, as the file's attribute or a folder's config.json says; nil if neither does.
    package let architecture: String?
    package let createdBy: String?
    package let source: String?
    /// In order of name.
    package let tensors: [TensorInfo]
    /// The model's configuration, from the file or from the path that was given instead.
    package let configJSON: [UInt8]?
    /// How the file was made.
    package let recipeJSON: [UInt8]?

    package var recipeText: String? { recipeJSON.map { String(decoding: $0, as: UTF8.self) } }

    /// How a checkpoint in memory was made from another; nil for one that was opened.
    package let derivation: Derivation?

    let storage: any CheckpointStorage
    /// Index of each tensor by name.
    private let places: [String: Int]
    private let decoded = Mutex(Decoded())

    private struct Decoded {
        var tensors: [String: DecodedBytes] = [:]
        var byteCount = 0
    }

    /// Opens a nacre checkpoint, a plain HDF5 dump of a state dict, a Hugging Face folder of safetensors, or one
    /// safetensors file with what lies beside it.
    ///
    /// - Parameter configurationPath: a `config.json` to use instead of the file's own; a plain dump needs one.
    /// Throws `HDF5Error` or `CheckpointError`.
    package static func open(
        _ path: String, configurationPath: String? = nil, limits: Limits = Limits()
    ) throws -> Checkpoint {
        if ModelFolder.isOne(path) {
            return try Checkpoint(ModelFolder(path, limits: limits), path, configurationPath)
        }
        do {
            return try Checkpoint(HDF5Storage(path, limits: limits), path, configurationPath)
        } catch let error as HDF5Error where error.kind == .notHDF5 {
            throw ModelFolder.refusal(ofFile: path) ?? error
        }
    }

    private convenience init(_ storage: HDF5Storage, _ path: String, _ configurationPath: String?) throws {
        let attributes = storage.file.contents.attributes
        let version = storage.index.formatVersion
        try self.init(
            storage, path: path, formatName: version.map { "nacre checkpoint \($0)" } ?? "plain HDF5 state dict",
            formatVersion: version, architecture: attributes["architecture"]?.text,
            createdBy: attributes["created_by"]?.text, source: attributes["source"]?.text, configurationPath)
        if configJSON == nil, version == nil {
            throw CheckpointError(
                .configuration, file: path, problem: "this is a plain dump of tensors, without a configuration",
                remedy: "give the model's: --config config.json")
        }
    }

    private convenience init(_ folder: ModelFolder, _ path: String, _ configurationPath: String?) throws {
        try self.init(
            folder, path: path, formatName: folder.formatName, formatVersion: nil, architecture: nil, createdBy: nil,
            source: nil, configurationPath)
        if configJSON == nil {
            throw CheckpointError(
                .configuration, file: folder.folder.path, problem: "there is no config.json in this folder",
                remedy: "give the model's: --config config.json")
        }
    }

    /// A checkpoint in memory made from another, some of whose tensors are replaced or added. It stays usable when the
    /// original's name is gone.
    ///
    /// - Parameter label: what messages and recipes call it.
    package convenience init(_ derivation: Derivation, label: String) throws {
        let original = derivation.original
        try self.init(
            DerivedStorage(derivation), path: original.path, label: label,
            formatName: "in memory, from \(original.label)", formatVersion: nil, architecture: original.architecture,
            createdBy: nil, source: original.source ?? original.label, nil)
    }

    private init(
        _ storage: some CheckpointStorage, path: String, label: String? = nil, formatName: String, formatVersion: Int?,
        architecture: String?, createdBy: String?, source: String?, _ configurationPath: String?
    ) throws {
        self.storage = storage
        derivation = (storage as? DerivedStorage)?.derivation
        self.path = path
        self.label = label ?? Self.label(of: path)
        self.formatName = formatName
        self.formatVersion = formatVersion
        self.createdBy = createdBy
        self.source = source
        tensors = storage.tensors
        places = Dictionary(uniqueKeysWithValues: tensors.enumerated().map { ($1.name, $0) })
        if let configurationPath {
            configJSON = try readFile(
                configurationPath, limit: ModelFolder.configurationLimit, remedy: "name the model's config.json")
        } else {
            configJSON = try storage.text("/config.json")
        }
        recipeJSON = try storage.text("/recipe.json")
        let json = configJSON.flatMap { try? JSONValue(parsing: $0, file: path) }
        self.architecture = architecture ?? (storage is ModelFolder ? json?["model_type"]?.string : nil)
    }

    /// What a checkpoint is called by its path: the file's name; the folder's, too for its model.safetensors.
    package static func label(of path: String) -> String {
        if ModelFolder.isOne(path) { return ModelFolder.label(of: path) }
        return path.split(separator: "/").last.map(String.init) ?? path
    }

    /// Bytes of the file, or of all files that hold tensors.
    package var fileSize: Int { storage.size }

    /// Name, device, inode, size and time of change of the HDF5 file, or of every shard in order of name, as they were
    /// when it was opened.
    package var fileStates: [String] { storage.fileStates }

    /// The files of a folder with their SHA-256, in order of name; none for an HDF5 file, whose tensors have theirs.
    ///
    /// Reads all of them. Throws if a file was cut, or if cancelled.
    package func fileDigests(control: RunControl, threads: Int = 2) throws -> [(name: String, sha256: String)] {
        if let derivation { return try derivation.original.fileDigests(control: control, threads: threads) }
        return try (storage as? ModelFolder)?.digests(control: control, threads: threads) ?? []
    }

    package func tokenizerJSON() throws -> [UInt8]? { try text("/tokenizer/tokenizer.json") }
    package func generationConfigJSON() throws -> [UInt8]? { try text("/generation_config.json") }
    package func tokenizerConfigJSON() throws -> [UInt8]? { try text("/tokenizer/tokenizer_config.json") }
    package func chatJSON() throws -> [UInt8]? { try text("/tokenizer/chat.json") }

    /// Throws if a file was cut since it was opened, in which case its map must not be touched, or written to, in which
    /// case its digests belong to other bytes. It takes a microsecond or two for each file.
    ///
    /// Other files under the names of those that are open change nothing of them. Where a file's times alone changed, as
    /// by chmod or touch, its contents are compared with the digests that it records, once; one that records none is
    /// refused, because its contents may have changed, too.
    /// - Parameter control: of that comparison, which reads the whole file.
    package func checkUnchanged(control: RunControl? = nil) throws { try storage.checkUnchanged(control: control) }

    func index(of name: String) -> Int? { places[name] }

    package func info(_ name: String) -> TensorInfo? { places[name].map { tensors[$0] } }

    package func describe(_ name: String) -> (type: ElementType, shape: [Int])? {
        info(name).map { ($0.type, $0.shape) }
    }

    package func tensor(_ name: String) throws -> TensorView? {
        guard let index = places[name] else { return nil }
        let info = tensors[index]
        if let type = info.unreadableType {
            throw CheckpointError(
                .type, file: path, object: name,
                problem: "its elements are of type \(type), which is listed but can't be read",
                remedy: "save the model as BF16 or F32")
        }
        if let (bytes, map) = try storage.mapped(index) {
            return TensorView(
                name: name, type: info.type, shape: info.shape, bytes: bytes, owner: map, isFileMapping: true)
        }
        let memory = try decode(index)
        return TensorView(name: name, type: info.type, shape: info.shape, bytes: memory.bytes, owner: memory)
    }

    /// Decoded tensors are kept up to the limit on decoded bytes; beyond it each use decodes again.
    func decode(_ index: Int) throws -> DecodedBytes {
        // What a derivation has is in memory already, its own or the original's.
        if derivation != nil { return try storage.decode(index) }
        let (name, byteCount) = (tensors[index].name, tensors[index].byteCount)
        if let known = decoded.withLock({ $0.tensors[name] }) { return known }
        let memory = try storage.decode(index)
        decoded.withLock { state in
            let (total, overflow) = state.byteCount.addingReportingOverflow(byteCount)
            if overflow || total > storage.limits.decodedBytes || state.tensors[name] != nil { return }
            state.byteCount = total
            state.tensors[name] = memory
        }
        return memory
    }

    func text(_ name: String) throws -> [UInt8]? { try storage.text(name) }

    /// Names and recorded digests of the stored texts.
    var textEntries: [(name: String, digest: String?)] { storage.textEntries }

    func textBytes(_ name: String) throws -> [UInt8] { try text(name) ?? [] }
}
