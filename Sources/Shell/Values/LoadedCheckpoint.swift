package import Checkpoints
package import LinearAlgebra
package import Models
package import Tokenizers

import Reports

/// An opened checkpoint with what is made from it when first needed: tokenizer, model, chat template.
package final class LoadedCheckpoint {
    package let file: Checkpoint
    private var loadedTokenizer: Tokenizer?
    private var loadedRunner: (runner: Runner, memory: Int)?

    /// Options that `open` needs to open it again.
    package let openOptions: [String]

    package init(_ file: Checkpoint, openOptions: [String] = []) {
        self.file = file
        self.openOptions = openOptions
    }

    package var label: String { file.label }

    /// config.json as it stands in the file.
    package func configurationJSON() throws -> JSONValue {
        guard let bytes = file.configJSON else { throw ModelError.noConfiguration(file: label) }
        return try JSONValue(parsing: bytes, file: "\(label): config.json")
    }

    package func configuration() throws -> ModelConfiguration { try architecture().configuration }

    private func architecture() throws -> any Architecture {
        let json = try configurationJSON()
        let name = json["model_type"]?.string ?? file.architecture ?? "none named"
        guard Architectures.modelTypes.contains(name) else {
            throw ModelError.unknownArchitecture(file: label, name: name, known: Architectures.modelTypes)
        }
        let generation = try file.generationConfigJSON().map {
            try JSONValue(parsing: $0, file: "\(label): generation_config.json")
        }
        return try Architectures.read(json, generation: generation, file: label)
    }

    package func tokenizer() throws -> Tokenizer {
        if let loadedTokenizer { return loadedTokenizer }
        guard let json = try file.tokenizerJSON() else {
            throw CommandError(
                "\(label) has no tokenizer inside",
                remedy: "put the model's tokenizer.json into the folder, or convert one that has it")
        }
        let tokenizer = try Tokenizer(json: json, label: "\(label): tokenizer.json")
        loadedTokenizer = tokenizer
        return tokenizer
    }

    package func chatTemplate() throws -> ChatTemplate {
        guard let json = try file.chatJSON() else {
            throw CommandError("\(label) has no chat template", remedy: "leave out --chat")
        }
        return try ChatTemplate(json: json, label: "\(label): chat.json")
    }

    /// The model, ready to run; its weights are bound and checked on the first call.
    package func runner(pool: ThreadPool, memory: Int) throws -> Runner {
        try file.checkUnchanged()
        if let loadedRunner, loadedRunner.memory == memory, loadedRunner.runner.pool === pool {
            return loadedRunner.runner
        }
        let model =
            try loadedRunner?.runner.model ?? architecture().decoder(WeightBinder(file))
        let runner = Runner(model: model, pool: pool, memoryBudget: memory)
        loadedRunner = (runner, memory)
        return runner
    }

    /// Token ids of a text as the model is meant to see it.
    package func encode(_ text: String, isRendered: Bool = false) throws -> [Int32] {
        let ids = try tokenizer().encode(text, addSpecialTokens: !isRendered)
        guard !ids.isEmpty else {
            throw CommandError("the text has no tokens", remedy: "write at least one character")
        }
        return ids
    }

    /// Leading tokens that `all` and `mean` leave out: the BOS that the tokenizer puts there.
    package func leadingTokens(of ids: [Int32]) throws -> Int {
        guard let bos = try tokenizer().bosID, ids.first == bos else { return 0 }
        return 1
    }

    /// A digest of all tensors, from the digests in the file; nil if it has none.
    package var digest: String? {
        let parts = file.tensors.map { tensor in tensor.digest.map { "\(tensor.name) \($0)\n" } }
        guard !parts.isEmpty, !parts.contains(where: { $0 == nil }) else { return nil }
        return Digest.sha256(parts.compactMap(\.self).joined())
    }

    /// Runs a model, and says which tensor is to blame when the answer is NaN or infinite.
    package func namingBadTensors<Result>(
        _ session: Session, _ body: () throws -> Result
    ) throws -> Result {
        do {
            return try body()
        } catch let error as ModelError {
            guard case .notFinite = error else { throw error }
            let threads = session.settings.threads
            for tensor in file.tensors where tensor.type.isFloatingPoint {
                try session.control.checkCancellation()
                guard let view = try file.tensor(tensor.name) else { continue }
                let found = try TensorStatistics(of: view, control: session.control, threads: threads)
                if found.nanCount + found.infiniteCount > 0 {
                    throw CommandError(
                        "\(error): \(tensor.name) holds \(found.nanCount) NaN and \(found.infiniteCount) infinite values",
                        remedy: "verify lists all such tensors")
                }
            }
            throw CommandError(
                "\(error), although every tensor is finite: the computation overflows",
                remedy: "is this checkpoint meant to run?")
        }
    }

    package var parameterCount: Int { file.tensors.reduce(0) { $0 + $1.count } }

    package var summary: String {
        let parameters = NumberFormat.count(parameterCount)
        return
            "\(file.architecture ?? "unknown architecture"), \(parameters) parameters in \(counted(file.tensors.count, "tensor")),"
            + " \(NumberFormat.bytes(file.fileSize))"
    }
}
