import Control
internal import HDF5
import JSON
package import LinearAlgebra
import Models
internal import Tokenizers

/// A tensor whose values are in memory.
package struct MemoryTensor: Sendable {
    package let name: String
    package let type: ElementType
    package let shape: [Int]
    let memory: DecodedBytes

    /// - Parameters:
    ///   - file: what an error calls the checkpoint.
    ///   - fill: gets zeros, `shape` product × element size bytes, aligned to a page.
    /// - Throws: `HDF5Error` where there is no memory, `CheckpointError` for a size that overflows, or what `fill` threw.
    package init(
        name: String, type: ElementType, shape: [Int], file: String,
        fill: (UnsafeMutableRawBufferPointer) throws -> Void
    ) throws {
        guard let byteCount = checkedProduct(shape + [type.byteCount]) else {
            throw CheckpointError(
                .inconsistent, file: file, object: name, problem: "the size of the shape \(shape) overflows",
                remedy: "copy the file again from where it came")
        }
        self.name = name
        self.type = type
        self.shape = shape
        memory = try DecodedBytes(byteCount: byteCount, path: file)
        try fill(memory.mutable)
    }

    package var view: TensorView {
        TensorView(name: name, type: type, shape: shape, bytes: memory.bytes, owner: memory)
    }
}

/// How a checkpoint in memory differs from the one that it was made from.
package struct Derivation: Sendable {
    package let original: Checkpoint
    /// Tensors with values of their own.
    package var tensors: [MemoryTensor] = []
    /// Tensors that have the bytes of a tensor of the original under another name: name, and the original's name.
    package var copies: [String: String] = [:]
    /// Put before the original's names.
    package var prefix = ""
    package var configJSON: [UInt8]?
    package var recipeJSON: [UInt8]

    package init(of original: Checkpoint, recipeJSON: [UInt8]) {
        self.original = original
        self.recipeJSON = recipeJSON
        configJSON = original.configJSON
    }

    /// Sets a flag of config.json.
    ///
    /// - Throws: where config.json can't be read.
    package mutating func configure(_ key: String, _ value: Bool) throws {
        let json = try JSONValue(parsing: configJSON ?? [], file: "\(original.label): config.json")
        let members = (json.object?.members ?? []).filter { $0.key != key }
        let changed = JSONObject(members: members + [.init(key: key, value: .bool(value))])
        configJSON = Array((JSONValue.object(changed).text + "\n").utf8)
    }

    /// Gives a checkpoint whose output matrix is its embedding an output matrix of its own, which has the embedding's
    /// bytes.
    ///
    /// - Parameters:
    ///   - head: the output matrix's name.
    ///   - embedding: the embedding's name in the original.
    ///   - bodyPrefix: what stands before the names of all other tensors, unless a bare model was saved.
    /// - Throws: where config.json can't be read.
    package mutating func separate(_ head: String, from embedding: String, bodyPrefix: String) throws {
        copies[head] = embedding
        try configure("tie_word_embeddings", false)
        // `transformers` puts the prefix before all names of a bare model, but not if the output matrix is among them.
        if !embedding.hasPrefix(bodyPrefix) { prefix = bodyPrefix }
    }

    /// The type that a tensor has in the file that all this began with; nil for one that no file has.
    package func fileType(_ name: String) -> ElementType? {
        let source = copies[name] ?? (name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : name)
        if let earlier = original.derivation { return earlier.fileType(source) }
        return original.info(source)?.type
    }
}

/// The tensors and texts of a derivation: its own from memory, all others from where the original has them.
struct DerivedStorage: CheckpointStorage {
    private enum Place {
        case memory(DecodedBytes)
        /// Index among the original's tensors.
        case original(Int)
    }

    let derivation: Derivation
    let tensors: [TensorInfo]
    private let places: [Place]
    private let texts: [String: [UInt8]]

    private var original: Checkpoint { derivation.original }

    init(_ derivation: Derivation) {
        self.derivation = derivation
        let original = derivation.original
        var found: [String: (info: TensorInfo, place: Place)] = [:]
        // A copy stands in the place of a tensor of its name.
        for (index, info) in original.tensors.enumerated() where derivation.copies[info.name] == nil {
            found[derivation.prefix + info.name] = (info.named(derivation.prefix + info.name), .original(index))
        }
        for (name, source) in derivation.copies {
            guard let index = original.index(of: source) else { preconditionFailure("there is no tensor \(source)") }
            found[name] = (original.tensors[index].named(name), .original(index))
        }
        for tensor in derivation.tensors {
            found[tensor.name] = (TensorInfo(tensor), .memory(tensor.memory))
        }
        let sorted = found.values.sorted { $0.info.name < $1.info.name }
        tensors = sorted.map(\.info)
        places = sorted.map(\.place)
        texts = ["/config.json": derivation.configJSON, "/recipe.json": derivation.recipeJSON]
            .compactMapValues { $0 }.filter { !$0.value.isEmpty }
    }

    var limits: Limits { original.storage.limits }
    var size: Int { tensors.reduce(0) { $0 + $1.byteCount } }

    var fileStates: [String] {
        let own = tensors.indices.compactMap { index in
            if case .memory = places[index] { "\(tensors[index].name) \(tensors[index].digest ?? "")" } else { nil }
        }
        let copies = derivation.copies.sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value)" }
        return original.fileStates + ["in memory: " + Digest.sha256((own + copies).joined(separator: "\n"))]
    }

    func checkUnchanged(control: RunControl?) throws { try original.checkUnchanged(control: control) }

    func mapped(_ index: Int) throws -> (bytes: UnsafeRawBufferPointer, owner: MappedFile)? {
        switch places[index] {
        case .memory: nil
        case .original(let index): try original.storage.mapped(index)
        }
    }

    func decode(_ index: Int) throws -> DecodedBytes {
        switch places[index] {
        case .memory(let memory): memory
        // Through the original, which keeps what it has decoded: one copy serves both.
        case .original(let index): try original.decode(index)
        }
    }

    var textEntries: [(name: String, digest: String?)] {
        let others = original.textEntries.filter { $0.name != "/config.json" && $0.name != "/recipe.json" }
        return (others + texts.map { ($0.key, Digest.sha256($0.value)) }).sorted { $0.name < $1.name }
    }

    func text(_ name: String) throws -> [UInt8]? {
        if name == "/config.json" || name == "/recipe.json" { return texts[name] }
        return try original.text(name)
    }
}

extension TensorInfo {
    fileprivate init(_ tensor: MemoryTensor) {
        self.init(
            name: tensor.name, type: tensor.type, shape: tensor.shape, byteCount: tensor.memory.bytes.count,
            offset: nil, storage: "in memory", digest: Digest.sha256(tensor.memory.bytes), unreadableType: nil)
    }

    fileprivate func named(_ name: String) -> TensorInfo {
        TensorInfo(
            name: name, type: type, shape: shape, byteCount: byteCount, offset: offset, storage: storage,
            digest: digest, unreadableType: unreadableType)
    }
}
