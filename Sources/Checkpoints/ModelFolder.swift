import Control
internal import HDF5
internal import LinearAlgebra
import Synchronization

/// A Hugging Face folder: safetensors, one file or several, and the model's texts beside them.
final class ModelFolder: CheckpointStorage {
    let folder: Folder
    let limits: Limits
    let size: Int
    let tensors: [TensorInfo]
    private let label: String
    private let shards: [SafetensorsFile]
    /// The texts beside the weights, by name: the files that stood there when the folder was opened, or why one can't be
    /// opened. They are read when they are needed, whatever stands under their names by then.
    private let texts: [String: Result<RegularFile, any Error>]
    /// Shard, and bytes in it, of each tensor.
    private let places: [(shard: Int, range: Range<Int>)]

    /// The texts beside the weights that decide what a model computes and how its prompts are read.
    private static let textFiles = files.values + ["chat_template.jinja", "special_tokens_map.json"]
    /// Bytes of config.json and the like.
    static let configurationLimit = 16 << 20

    /// - Parameter path: the folder, a `.safetensors` file in it, or its `.safetensors.index.json`.
    /// Throws `CheckpointError`.
    init(_ path: String, limits: Limits) throws {
        folder = Folder(path)
        let chosen = try folder.weights(limits: limits)
        self.limits = limits
        label = Self.label(of: path)
        texts = Dictionary(
            uniqueKeysWithValues: Self.textFiles.compactMap {
                [folder] name -> (String, Result<RegularFile, any Error>)? in
                let path = folder.join(name)
                return Folder.exists(path) ? (name, Result { try RegularFile(path, remedy: Self.remedy(name)) }) : nil
            })
        let remedy = chosen.index == nil ? "check the path" : "the index names it: get it, too"
        shards = try chosen.files.map { [folder] in
            try SafetensorsFile(folder.join($0), limits: limits, remedy: remedy)
        }
        size = try shards.reduce(0) { total, shard in
            let (sum, overflow) = total.addingReportingOverflow(shard.size)
            // Elements may be smaller than bytes, and there must be no overflow in counting them.
            guard !overflow, sum < 1 << 56 else {
                throw CheckpointError(
                    .limit, file: shard.path, problem: "with it, the weights have more than 2^56 bytes",
                    remedy: "such files are forged; copy them again from where they came")
            }
            return sum
        }
        var found: [(info: TensorInfo, shard: Int, range: Range<Int>)] = []
        for (number, shard) in shards.enumerated() {
            let file = shards.count == 1 ? "contiguous" : chosen.files[number]
            found += shard.tensors.map { (TensorInfo($0, in: file), number, $0.range) }
        }
        found.sort { $0.info.name < $1.info.name }
        for (first, second) in zip(found, found.dropFirst()) where first.info.name == second.info.name {
            throw CheckpointError(
                .name, file: shards[second.shard].path, object: second.info.name,
                problem: first.shard == second.shard
                    ? "two tensors have this name" : "\(chosen.files[first.shard]) has this tensor, too",
                remedy: "remove one of them")
        }
        if found.isEmpty {
            throw CheckpointError(
                .format, file: shards.first?.path ?? path, problem: "there are no tensors in it",
                remedy: "copy it again from where it came")
        }
        tensors = found.map(\.info)
        places = found.map { ($0.shard, $0.range) }
        try checkIndex(chosen)
    }

    /// Each tensor that the index names is in the file that it names.
    private func checkIndex(_ chosen: Folder.Weights) throws {
        guard let index = chosen.index, !chosen.map.isEmpty else { return }
        let shardOf = Dictionary(uniqueKeysWithValues: zip(tensors, places).map { ($0.name, $1.shard) })
        for (name, file) in chosen.map where shardOf[name].map({ chosen.files[$0] }) != file {
            throw CheckpointError(
                .inconsistent, file: index, object: name,
                problem: "the index says that it is in \(file), which does not have it",
                remedy: "the shards and the index are not of one model; copy them again from where they came")
        }
    }

    /// For `info`.
    var formatName: String { shards.count == 1 ? "safetensors" : "safetensors, \(shards.count) shards" }

    func checkUnchanged(control: RunControl?) throws {
        for shard in shards { try shard.checkUnchanged() }
        for (_, text) in texts.sorted(by: { $0.key < $1.key }) {
            if case .success(let file) = text { try file.checkUnchanged() }
        }
    }

    func mapped(_ index: Int) throws -> (bytes: UnsafeRawBufferPointer, owner: MappedFile)? {
        let info = tensors[index]
        let (shard, range) = places[index]
        guard range.lowerBound % info.type.byteCount == 0 else { return nil }
        let map = try shards[shard].map()
        return (UnsafeRawBufferPointer(rebasing: map.bytes[range]), map)
    }

    /// A copy at an aligned address: the format promises no more than that the header's length is a multiple of 8.
    func decode(_ index: Int) throws -> DecodedBytes {
        let (shard, range) = places[index]
        guard range.count <= limits.decodedBytes else {
            throw CheckpointError(
                .limit, file: shards[shard].path, object: tensors[index].name,
                problem: "it is not aligned, and \(range.count) bytes are more than \(limits.decodedBytes) to copy",
                remedy: "it is beyond the limit `decodedBytes`, see show limits")
        }
        let map = try shards[shard].map()
        return try withExtendedLifetime(map) {
            let copy = try DecodedBytes(byteCount: range.count, path: shards[shard].path)
            copy.mutable.copyMemory(from: UnsafeRawBufferPointer(rebasing: map.bytes[range]))
            return copy
        }
    }
}

// MARK: Texts

extension ModelFolder {
    var fileStates: [String] { shards.map(\.state) }

    private static let files = [
        "/config.json": "config.json", "/generation_config.json": "generation_config.json",
        "/tokenizer/tokenizer.json": "tokenizer.json", "/tokenizer/tokenizer_config.json": "tokenizer_config.json",
    ]

    var textEntries: [(name: String, digest: String?)] {
        Self.files.filter { has($0.value) }.map { ($0.key, nil) }.sorted { $0.0 < $1.0 }
    }

    func text(_ name: String) throws -> [UInt8]? {
        switch name {
        case "/tokenizer/tokenizer_config.json": return try tokenizerConfiguration()
        case "/tokenizer/chat.json": return try chat()
        default:
            guard let file = Self.files[name] else { return nil }
            return try bytes(of: file)
        }
    }

    /// Whether there was a text of that name beside the weights when the folder was opened.
    func has(_ name: String) -> Bool { texts[name] != nil }

    /// A text beside the weights; nil if there was none of that name.
    func bytes(of name: String) throws -> [UInt8]? {
        let limit = name == "tokenizer.json" ? limits.textBytes : Self.configurationLimit
        return try texts[name]?.get().whole(limit: limit, remedy: Self.remedy(name))
    }

    private static func remedy(_ name: String) -> String { "put the model's \(name) there" }

    /// SHA-256 of each file that the checkpoint is made of, by `folder/file`.
    func digests(control: RunControl, threads: Int) throws -> [(name: String, sha256: String)] {
        let texts = try Self.textFiles.compactMap { name in
            try bytes(of: name).map { (name: "\(label)/\(name)", sha256: Digest.sha256($0)) }
        }
        let found = Mutex<[String?]>(Array(repeating: nil, count: shards.count))
        let done = Atomic<Int>(0)
        let total = size
        try forEachInParallel(shards.count, threads: threads, control: control) { number in
            let map = try shards[number].map()
            var hash = SHA256()
            let slab = 1 << 20
            for start in stride(from: 0, to: map.bytes.count, by: slab) {
                try control.checkCancellation()
                let end = min(start + slab, map.bytes.count)
                hash.update(UnsafeRawBufferPointer(rebasing: map.bytes[start..<end]))
                let sum = done.wrappingAdd(end - start, ordering: .relaxed).newValue
                control.report(done: sum, total: total, unit: "bytes hashed")
            }
            let digest = hash.finish()
            withExtendedLifetime(map) { found.withLock { $0[number] = digest } }
        }
        let weights = found.withLock { digests in
            zip(shards, digests).map { (name: "\(label)/\(Folder.name(of: $0.path))", sha256: $1 ?? "") }
        }
        return (texts + weights).sorted { $0.name < $1.name }
    }
}

extension TensorInfo {
    /// - Parameter storage: where it lies, for a listing.
    init(_ tensor: SafetensorsHeader.Tensor, in storage: String) {
        let element = SafetensorsHeader.types[tensor.type]?.element
        let type = element ?? .u8
        let isAligned = tensor.range.lowerBound % type.byteCount == 0
        self.init(
            name: tensor.name, type: type, shape: tensor.shape, byteCount: tensor.range.count,
            offset: isAligned ? tensor.range.lowerBound : nil, storage: isAligned ? storage : "\(storage), misaligned",
            digest: nil, unreadableType: element == nil ? tensor.type : nil)
    }
}
