internal import HDF5
internal import LinearAlgebra
import TerminalText

/// Which of a file's datasets are tensors, under which names, and which are texts.
struct CheckpointIndex {
    /// Nil for a plain dump.
    let formatVersion: Int?
    /// In order of name.
    let tensors: [(info: TensorInfo, dataset: Dataset)]
    /// By path, e.g. "/config.json".
    let texts: [String: Dataset]

    static let format = "nacre-checkpoint"
    static let version = 1
    static let textPaths: Set<String> = [
        "/config.json", "/generation_config.json", "/recipe.json", "/tokenizer/tokenizer.json",
        "/tokenizer/tokenizer_config.json", "/tokenizer/chat.json",
    ]

    init(_ contents: Contents, path: String) throws {
        formatVersion = try Self.version(contents.attributes, path)
        var texts: [String: Dataset] = [:]
        var tensors: [(info: TensorInfo, dataset: Dataset)] = []
        for dataset in contents.datasets {
            if Self.textPaths.contains(dataset.name) {
                guard dataset.type == .uint8, dataset.shape.count == 1 else {
                    throw CheckpointError(
                        .inconsistent, file: path, object: dataset.name,
                        problem: "text must be 1-D uint8, but this is \(dataset.type) \(dataset.shape)",
                        remedy: "store its UTF-8 bytes: numpy.frombuffer(text.encode(), numpy.uint8)")
                }
                texts[dataset.name] = dataset
                continue
            }
            guard let name = try Self.tensorName(dataset, isNative: formatVersion != nil, path) else { continue }
            tensors.append((TensorInfo(name, dataset), dataset))
        }
        tensors.sort { $0.info.name < $1.info.name }
        for (first, second) in zip(tensors, tensors.dropFirst()) where first.info.name == second.info.name {
            throw CheckpointError(
                .name, file: path, object: first.info.name,
                problem: "\(first.dataset.name) and \(second.dataset.name) both stand for this tensor",
                remedy: "remove one of them")
        }
        if tensors.isEmpty {
            throw CheckpointError(
                .format, file: path, problem: "there are no tensors in it",
                remedy: "store them under /weights, or convert the model with Scripts/convert.py")
        }
        self.texts = texts
        self.tensors = tensors
    }

    private static func version(_ attributes: [String: Attribute], _ path: String) throws -> Int? {
        guard let attribute = attributes["format"] else { return nil }
        guard case .text(let format) = attribute, format == Self.format else {
            let found = attribute.text.map { "\"\($0.escapedForTerminal(limit: 60))\"" } ?? "not a text"
            throw CheckpointError(
                .format, file: path, object: "/",
                problem: "the attribute `format` is \(found), not \"\(Self.format)\"",
                remedy: found == "\"nacre-capture\""
                    ? "this is a capture; try: load FILE" : "convert it with Scripts/convert.py")
        }
        guard let version = attributes["format_version"]?.integer, version >= 1 else {
            throw CheckpointError(
                .version, file: path, object: "/", problem: "the attribute `format_version` is no positive integer",
                remedy: "set it to \(Self.version), or convert the model again")
        }
        guard version <= Self.version else {
            throw CheckpointError(
                .version, file: path, object: "/",
                problem: "it has format version \(version), and this program knows \(Self.version)",
                remedy: "update nacre")
        }
        return version
    }

    /// Groups are joined with dots; `weights` at the top is left out. What stands outside it in a nacre checkpoint
    /// is no tensor.
    private static func tensorName(_ dataset: Dataset, isNative: Bool, _ path: String) throws -> String? {
        var components = dataset.path[...]
        if components.count > 1, components.first == "weights" {
            components.removeFirst()
        } else if isNative || components.first == "tokenizer" {
            return nil
        }
        return components.joined(separator: ".")
    }
}

extension TensorInfo {
    init(_ name: String, _ dataset: Dataset) {
        self.init(
            name: name, type: ElementType(dataset.type), shape: dataset.shape, byteCount: dataset.byteCount,
            offset: dataset.mappableOffset, storage: dataset.storage, digest: dataset.attributes["sha256"]?.text,
            unreadableType: nil)
    }
}
