internal import HDF5
import JSON
import TerminalText
internal import Tokenizers

extension Folder {
    /// Files that hold a model's weights.
    struct Weights {
        /// In order of name, without a folder.
        let files: [String]
        /// Path of the index; nil if there is none.
        var index: String?
        /// What the index says: the file of each tensor.
        var map: [(name: String, file: String)] = []
    }

    /// Which files hold the weights: the one that was named, else `model.safetensors`, else what
    /// `model.safetensors.index.json` names, else the only safetensors file there is.
    func weights(limits: Limits) throws -> Weights {
        if let file {
            return file.hasSuffix(Self.indexEnding) ? try indexed(by: file, limits) : Weights(files: [file])
        }
        let hasSingle = Self.exists(join(Self.single))
        let hasIndex = Self.exists(join(Self.index))
        if hasSingle, hasIndex {
            throw failure(
                .name, "there are both \(Self.single) and \(Self.index)",
                "name the one that is meant: open \(Self.shown(join(Self.index)))")
        }
        if hasSingle { return Weights(files: [Self.single]) }
        if hasIndex { return try indexed(by: Self.index, limits) }
        let names = try names()
        let found = names.filter { $0.hasSuffix(Self.ending) }
        if found.count == 1 { return Weights(files: found) }
        throw withoutWeights(names, found)
    }

    private func withoutWeights(_ names: [String], _ found: [String]) -> CheckpointError {
        if !found.isEmpty {
            return failure(
                .name, "there are \(found.count) safetensors files, but neither \(Self.single) nor \(Self.index)",
                "name the one that is meant: open \(Self.shown(join(found[0])))")
        }
        func first(_ endings: String...) -> String? {
            names.first { name in endings.contains { name.hasSuffix($0) } }
        }
        if let file = first(".bin", ".pt", ".pth") {
            return failure(
                .format,
                "it has no safetensors, only \(Self.shown(file)), a pickle, which can run code when it is read;"
                    + " it is not opened",
                Self.convertPickle)
        }
        if let file = first(".gguf") {
            return failure(
                .format, "it has no safetensors; \(Self.shown(file)) is a GGUF file", Self.convertGGUF)
        }
        if let file = first(".h5", ".hdf5") {
            return failure(.format, "it has no safetensors", "open \(Self.shown(join(file)))")
        }
        if names.contains("snapshots") {
            return failure(.format, "it has no safetensors", "open the folder of one snapshot, in snapshots")
        }
        return failure(
            .format, "it has no safetensors",
            "name a Hugging Face folder: config.json, tokenizer.json and model.safetensors, or shards and their index")
    }

    /// Reads an index: `{"weight_map": {"TENSOR": "FILE", …}, …}`.
    private func indexed(by name: String, _ limits: Limits) throws -> Weights {
        let path = join(name)
        func problem(_ kind: CheckpointError.Kind, _ object: String?, _ problem: String) -> CheckpointError {
            CheckpointError(
                kind, file: path, object: object, problem: problem, remedy: "copy the index again from where it came")
        }
        let bytes = try readFile(path, limit: SafetensorsHeader.byteLimit, remedy: "check the path")
        let json = try parseTensorList(bytes, subject: "this", path: path, limits: limits)
        guard let map = json["weight_map"]?.object else {
            throw problem(.format, nil, "it has no weight_map, or one that is no object")
        }
        if let key = json.object?.duplicateKeys.first ?? map.duplicateKeys.first {
            throw problem(.name, nil, "it has the key \"\(Self.shown(key))\" twice")
        }
        guard map.count <= limits.objects else {
            throw problem(.limit, nil, "it has \(map.count) tensors, more than \(limits.objects)")
        }
        let entries = try map.map { member in
            guard let file = member.value.string else {
                throw problem(.format, member.key, "its file is \(member.value.kind), no text")
            }
            guard Self.isPlain(file), file.hasSuffix(Self.ending) else {
                throw problem(
                    .name, member.key, "\"\(Self.shown(file))\" is not the name of a safetensors file in this folder")
            }
            return (name: member.key, file: file)
        }
        guard !entries.isEmpty else { throw problem(.format, nil, "its weight_map is empty") }
        let files = Set(entries.map(\.file)).sorted()
        guard files.count <= Self.shardLimit else {
            throw problem(.limit, nil, "it names \(files.count) files, more than \(Self.shardLimit)")
        }
        return Weights(files: files, index: path, map: entries)
    }

    /// Files that may hold the weights of one model.
    private static let shardLimit = 4096

    /// Whether a name stands for something in this very folder.
    private static func isPlain(_ name: String) -> Bool {
        !name.isEmpty && name != "." && name != ".." && name.utf8.count <= 255
            && !name.utf8.contains { $0 == UInt8(ascii: "/") || $0 == 0 }
    }

    private static func shown(_ text: String) -> String { text.escapedForTerminal(limit: 200) }

    private func failure(_ kind: CheckpointError.Kind, _ problem: String, _ remedy: String) -> CheckpointError {
        CheckpointError(kind, file: path, problem: problem, remedy: remedy)
    }
}
