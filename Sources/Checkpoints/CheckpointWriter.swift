package import Control
internal import HDF5
package import LinearAlgebra
import Models

/// Everything that goes into a checkpoint file.
package struct CheckpointContents: Sendable {
    /// One tensor to write, its bytes fetched when its turn comes.
    package struct Tensor: Sendable {
        package let name: String
        package let type: ElementType
        package let shape: [Int]
        /// The digest its bytes must have; nil if nothing is known of them.
        package let digest: String?
        package let load: @Sendable () throws -> TensorView

        package init(
            name: String, type: ElementType, shape: [Int], digest: String? = nil,
            load: @escaping @Sendable () throws -> TensorView
        ) {
            self.name = name
            self.type = type
            self.shape = shape
            self.digest = digest
            self.load = load
        }
    }

    /// Hugging Face `model_type`.
    package var architecture: String
    /// Program and version.
    package var createdBy: String
    package var source: String?
    package var configJSON: [UInt8]
    package var generationConfigJSON: [UInt8]?
    package var recipeJSON: [UInt8]
    package var tokenizerJSON: [UInt8]?
    package var tokenizerConfigJSON: [UInt8]?
    package var chatJSON: [UInt8]?
    package var tensors: [Tensor]

    package init(
        architecture: String, createdBy: String, source: String? = nil, configJSON: [UInt8],
        generationConfigJSON: [UInt8]? = nil, recipeJSON: [UInt8], tokenizerJSON: [UInt8]? = nil,
        tokenizerConfigJSON: [UInt8]? = nil, chatJSON: [UInt8]? = nil,
        tensors: [Tensor]
    ) {
        self.architecture = architecture
        self.createdBy = createdBy
        self.source = source
        self.configJSON = configJSON
        self.generationConfigJSON = generationConfigJSON
        self.recipeJSON = recipeJSON
        self.tokenizerJSON = tokenizerJSON
        self.tokenizerConfigJSON = tokenizerConfigJSON
        self.chatJSON = chatJSON
        self.tensors = tensors
    }

    /// All of an open checkpoint, to be written again or edited first with `replace`.
    package init(copying checkpoint: Checkpoint, createdBy: String, recipeJSON: [UInt8]) throws {
        self.init(
            architecture: checkpoint.architecture ?? "", createdBy: createdBy,
            source: checkpoint.source ?? checkpoint.label, configJSON: checkpoint.configJSON ?? [],
            generationConfigJSON: try checkpoint.generationConfigJSON(), recipeJSON: recipeJSON,
            tokenizerJSON: try checkpoint.tokenizerJSON(),
            tokenizerConfigJSON: try checkpoint.tokenizerConfigJSON(), chatJSON: try checkpoint.chatJSON(),
            tensors: checkpoint.tensors.map { info in
                Tensor(name: info.name, type: info.type, shape: info.shape, digest: info.digest) {
                    guard let view = try checkpoint.tensor(info.name) else {
                        throw CheckpointError(
                            .name, file: checkpoint.path, object: info.name, problem: "the tensor is gone",
                            remedy: "open the file again")
                    }
                    return view
                }
            })
    }

    /// Puts other values in a tensor's place, or adds it.
    package mutating func replace(_ view: TensorView) {
        let tensor = Tensor(name: view.name, type: view.type, shape: view.shape) { view }
        if let index = tensors.firstIndex(where: { $0.name == view.name }) {
            tensors[index] = tensor
        } else {
            tensors.append(tensor)
        }
    }
}

/// Writes checkpoint files: whole or not at all.
package enum CheckpointWriter {
    /// Writes, verifies and puts in place one checkpoint.
    ///
    /// Each tensor gets the SHA-256 of its bytes; after closing, the file is opened again and every byte is compared
    /// with it. On any error, or if `control` is cancelled, what was at `path` before stays and nothing is left over.
    package static func write(
        to path: String, overwrite: Bool, source: CheckpointContents, control: RunControl
    ) throws {
        let texts = [
            ("/config.json", Optional(source.configJSON)),
            ("/generation_config.json", source.generationConfigJSON), ("/recipe.json", source.recipeJSON),
            ("/tokenizer/tokenizer.json", source.tokenizerJSON),
            ("/tokenizer/tokenizer_config.json", source.tokenizerConfigJSON),
            ("/tokenizer/chat.json", source.chatJSON),
        ].compactMap { name, text in text.flatMap { $0.isEmpty ? nil : (name: name, text: $0) } }
        let total = try byteCount(source, texts.map(\.text), path)
        let writer = try FileWriter(path, overwrite: overwrite, expectedBytes: total)
        do {
            try writer.setAttribute("format", CheckpointIndex.format)
            try writer.setAttribute("format_version", CheckpointIndex.version)
            try writer.setAttribute("architecture", source.architecture)
            try writer.setAttribute("created_by", source.createdBy)
            if let origin = source.source { try writer.setAttribute("source", origin) }
            var digests: [String: String] = [:]
            try writer.createGroup("/weights")
            try writer.createGroup("/tokenizer")
            for (name, text) in texts {
                try writer.createText(name, text)
                let digest = Digest.sha256(text)
                try writer.setAttribute("sha256", digest, on: name)
                digests[name] = digest
            }
            var done = 0
            for tensor in source.tensors {
                let dataset = "/weights/" + tensor.name
                digests[dataset] = try write(tensor, dataset, writer, control, done, total)
                done += checkedProduct(tensor.shape + [tensor.type.byteCount]) ?? 0
            }
            try writer.commit { try verify($0, source, digests, control) }
        } catch {
            writer.abandon()
            throw error
        }
    }

    private static func byteCount(_ source: CheckpointContents, _ texts: [[UInt8]], _ path: String) throws -> Int {
        var total = texts.reduce(0) { $0 + $1.count + 512 }
        var names: Set<String> = []
        for tensor in source.tensors {
            func failure(_ kind: CheckpointError.Kind, _ problem: String) -> CheckpointError {
                CheckpointError(
                    kind, file: path, object: tensor.name, problem: problem, remedy: "rename or leave out the tensor")
            }
            guard isStorable(tensor.name) else { throw failure(.name, "this name cannot be stored") }
            guard names.insert(tensor.name).inserted else { throw failure(.name, "there are two tensors of this name") }
            guard (1...8).contains(tensor.shape.count),
                let count = checkedProduct(tensor.shape + [tensor.type.byteCount])
            else { throw failure(.inconsistent, "the shape \(tensor.shape) cannot be stored") }
            // Header, digest and alignment besides the values.
            let (sum, overflow) = total.addingReportingOverflow(count)
            guard !overflow, sum < Int.max / 2 else { throw failure(.inconsistent, "the sizes overflow") }
            total = sum + 1024
        }
        return total
    }

    /// Bytes written, and hashed, between two looks at `control`.
    private static let slab = 4 << 20

    private static func write(
        _ tensor: CheckpointContents.Tensor, _ dataset: String, _ writer: FileWriter, _ control: RunControl,
        _ done: Int, _ total: Int
    ) throws -> String {
        let view = try tensor.load()
        defer { withExtendedLifetime(view) {} }
        guard view.type == tensor.type, view.shape == tensor.shape,
            view.bytes.count == checkedProduct(tensor.shape + [tensor.type.byteCount])
        else {
            throw CheckpointError(
                .inconsistent, file: writer.path, object: tensor.name,
                problem: "\(view.type) \(view.shape) came where \(tensor.type) \(tensor.shape) was announced",
                remedy: "report this")
        }
        try writer.createDataset(dataset, type: tensor.type.storage, shape: tensor.shape)
        var hash = SHA256()
        let rows = tensor.shape[0]
        if !view.bytes.isEmpty {
            let width = view.bytes.count / rows
            let step = max(1, slab / width)
            for first in stride(from: 0, to: rows, by: step) {
                try control.checkCancellation()
                let count = min(step, rows - first)
                let bytes = UnsafeRawBufferPointer(rebasing: view.bytes[first * width..<(first + count) * width])
                try writer.writeRows(dataset, first: first, count: count, bytes)
                hash.update(bytes)
                control.report(done: done + (first + count) * width, total: total, unit: "bytes written")
            }
        }
        let digest = hash.finish()
        if let expected = tensor.digest, expected != digest {
            throw CheckpointError(
                .digest, file: writer.path, object: tensor.name,
                problem: "its bytes are not what the digest in the source file says",
                remedy: "run verify on the source, and copy it again from where it came")
        }
        try writer.setAttribute("sha256", digest, on: dataset)
        return digest
    }

    private static func verify(
        _ file: File, _ source: CheckpointContents, _ digests: [String: String], _ control: RunControl
    ) throws {
        let contents = file.contents
        let map = try file.map()
        defer { withExtendedLifetime(map) {} }
        func failure(_ name: String, _ problem: String) -> CheckpointError {
            CheckpointError(
                .digest, file: file.path, object: name, problem: "after writing, \(problem)",
                remedy: "check the disk; nothing was replaced")
        }
        let found = Dictionary(uniqueKeysWithValues: contents.datasets.map { ($0.name, $0) })
        guard found.count == digests.count else { throw failure("/", "the number of datasets is wrong") }
        for tensor in source.tensors {
            let dataset = found["/weights/" + tensor.name]
            guard dataset?.type == tensor.type.storage, dataset?.shape == tensor.shape else {
                throw failure(tensor.name, "its type or shape is wrong")
            }
        }
        for (name, digest) in digests {
            guard let dataset = found[name], dataset.attributes["sha256"]?.text == digest else {
                throw failure(name, "its digest is missing")
            }
            var hash = SHA256()
            if dataset.byteCount > 0 {
                guard let offset = dataset.mappableOffset, offset % 64 == 0 else {
                    throw failure(name, "it is not aligned")
                }
                for start in stride(from: 0, to: dataset.byteCount, by: slab) {
                    try control.checkCancellation()
                    let end = min(start + slab, dataset.byteCount)
                    hash.update(UnsafeRawBufferPointer(rebasing: map.bytes[offset + start..<offset + end]))
                }
            }
            guard hash.finish() == digest else { throw failure(name, "its bytes differ from what was written") }
        }
    }
}

/// Whether HDF5 can hold a link of this name, and this program would read it back.
func isStorable(_ name: String) -> Bool {
    !name.isEmpty && name != "." && name.utf8.count <= 1024 && !name.utf8.contains { $0 == 0x2F || $0 == 0 }
}
