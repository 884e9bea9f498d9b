package import Checkpoints
import Control
import HDF5
package import JSON
package import LinearAlgebra
package import Models
import Provenance
import TerminalText
package import Tokenizers

/// An opened checkpoint, with its tokenizer, architecture and model, each of which is made when it is first needed.
package final class LoadedCheckpoint {
    package let file: Checkpoint
    private var loadedTokenizer: Tokenizer?
    private var loadedArchitecture: (any Architecture)?
    private var loadedModel: Decoder?
    private var loadedRunner: (runner: Runner, shape: RunnerShape)?
    private var separatedFile: Checkpoint?

    /// The edits that are applied in every run of the checkpoint.
    package var edits = EditStack()

    /// The options that the command `open` needs to open the checkpoint again.
    package let openOptions: [String]

    package init(_ file: Checkpoint, openOptions: [String] = []) {
        self.file = file
        self.openOptions = openOptions
    }

    package var label: String { file.label }

    /// The command that made the checkpoint in memory, as its recipe has it; nil for one that was opened.
    package var madeBy: String? { file.derivation.map { _ in RecipeText.command(file.recipeText ?? "") ?? "" } }

    /// Parses the config.json that the checkpoint's file holds.
    package func configurationJSON() throws -> JSONValue {
        guard let bytes = file.configJSON else { throw ModelError.noConfiguration(file: label) }
        return try JSONValue(parsing: bytes, file: "\(label): config.json")
    }

    /// Parses the generation_config.json that the checkpoint's file holds; nil if there is none.
    func generationJSON() throws -> JSONValue? {
        try file.generationConfigJSON().map { try JSONValue(parsing: $0, file: "\(label): generation_config.json") }
    }

    package func configuration() throws -> ModelConfiguration { try architecture().configuration }

    /// Returns the settings that change what the model computes, with the values in force.
    ///
    /// - Throws: `ModelError` and `JSONError` for a configuration that can't be read.
    func settings() throws -> [ModelSetting] { try architecture().settings }

    /// Returns the names of the model's output matrix and of the embedding, which takes the output matrix's place if the
    /// two are tied.
    ///
    /// - Returns: nil for a configuration that can't be read, and if the file has no such embedding.
    func ends() -> ModelEnds? {
        guard let architecture = try? self.architecture() else { return nil }
        let names = architecture.endNames
        let embedding = [names.bodyPrefix + names.embedding, names.embedding].first { file.info($0) != nil }
        return embedding.map {
            ModelEnds(
                head: names.head, embedding: $0, bodyPrefix: names.bodyPrefix,
                isTied: architecture.configuration.tiedEmbeddings)
        }
    }

    /// Returns the checkpoint's file, in which the output matrix of a tied model is a tensor of its own with the
    /// embedding's bytes, and `tie_word_embeddings` is false. That of any other model is returned as it is.
    ///
    /// - Throws: `CheckpointError`.
    package func fileWithOwnHead() throws -> Checkpoint {
        guard let ends = self.ends(), ends.isTied else { return file }
        if let separatedFile { return separatedFile }
        var derivation = Derivation(of: file, recipeJSON: file.recipeJSON ?? [])
        try derivation.separate(ends.head, from: ends.embedding, bodyPrefix: ends.bodyPrefix)
        let separated = try Checkpoint(derivation, label: label)
        separatedFile = separated
        return separated
    }

    /// Returns the model's architecture, which config.json describes; it is read on the first call and then kept.
    private func architecture() throws -> any Architecture {
        if let loadedArchitecture { return loadedArchitecture }
        let json = try configurationJSON()
        let name = json["model_type"]?.string ?? file.architecture ?? "none named"
        guard Architectures.modelTypes.contains(name) else {
            throw ModelError.unknownArchitecture(file: label, name: name, known: Architectures.modelTypes)
        }
        let architecture = try Architectures.read(json, generation: generationJSON(), file: label)
        loadedArchitecture = architecture
        return architecture
    }

    package func tokenizer() throws -> Tokenizer {
        if let loadedTokenizer { return loadedTokenizer }
        guard let json = try file.tokenizerJSON() else {
            throw WorkbenchError.noTokenizer(checkpoint: label)
        }
        let tokenizer = try Tokenizer(json: json, label: "\(label): tokenizer.json")
        loadedTokenizer = tokenizer
        return tokenizer
    }

    package func chatTemplate() throws -> ChatTemplate {
        guard let json = try file.chatJSON() else {
            throw WorkbenchError.noChatTemplate(checkpoint: label)
        }
        return try ChatTemplate(json: json, label: "\(label): chat.json")
    }

    /// Returns the checkpoint's model; its weights are bound to the file's tensors and checked on the first call.
    package func model() throws -> Decoder {
        try file.checkUnchanged()
        if let loadedModel { return loadedModel }
        let model = try architecture().decoder(WeightBinder(file))
        loadedModel = model
        return model
    }

    /// Returns the runner that runs the checkpoint's model on the threads of a pool.
    ///
    /// - Parameter shape: how the runner divides its work. If it is nil, the last runner is returned again if it is of
    ///   this pool; otherwise a new runner is made, which divides its work in the default way.
    package func runner(pool: ThreadPool, shape: RunnerShape?) throws -> Runner {
        var model = try model()
        if let loadedRunner, loadedRunner.runner.pool === pool, shape == nil || loadedRunner.shape == shape {
            return loadedRunner.runner
        }
        if hasPackedWeights, shape?.packsWeights == false {
            // Packed weights belong to the model, so the model is bound anew without them.
            (loadedModel, loadedRunner) = (nil, nil)
            model = try self.model()
        }
        let shape = shape ?? RunnerShape()
        let runner = Runner(
            model: model, pool: pool, memoryBudget: shape.sweepBytes, packTokens: shape.packTokens,
            packsWeights: shape.packsWeights)
        loadedRunner = (runner, shape)
        return runner
    }

    /// Whether the current runner may have packed weights (copied them into a faster layout), which the model then
    /// keeps.
    private var hasPackedWeights: Bool { loadedRunner?.runner.packsWeights ?? false }

    /// The number of bytes of memory that packed weights take. Earlier runs packed them, which means that they copied
    /// them into a faster layout.
    package var packedBytes: Int { loadedModel?.embedding.arena.mappedBytes ?? 0 }

    /// Returns the number of leading tokens of a prompt that the positions `all` and `mean` leave out: 1 if the prompt
    /// begins with the BOS token that the tokenizer adds, else 0.
    package func leadingTokens(of ids: [Int32]) throws -> Int {
        guard let bos = try tokenizer().bosID, ids.first == bos else { return 0 }
        return 1
    }

    /// The SHA-256 over all tensors' names and digests, as the checkpoint's file gives them; nil if a tensor has no
    /// digest.
    package private(set) lazy var digest: String? = {
        let parts = file.tensors.map { tensor in tensor.digest.map { "\(tensor.name) \($0)\n" } }
        guard !parts.isEmpty, !parts.contains(where: { $0 == nil }) else { return nil }
        return Digest.sha256(parts.compactMap(\.self).joined())
    }()

    /// An identity of the checkpoint's contents: the digest of its tensors if there is one, else the state of its files
    /// when they were opened.
    package var identity: String {
        if let digest { return digest }
        let states = file.fileStates
        return states.count == 1 ? states[0] : Digest.sha256(states.joined(separator: "\n"))
    }

    /// Runs `body`; if it fails because the model's answer is NaN or infinite, throws an error that names the cause,
    /// such as a tensor with NaN.
    ///
    /// - Throws: `WorkbenchError` for an answer that is not finite: a tensor holds NaN or infinity, edits are in force,
    ///   or the computation overflows. Other errors of `body` pass through.
    package func namingBadTensors<Result>(_ context: RunContext, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as ModelError {
            guard case .notFinite = error else { throw error }
            for tensor in file.tensors where tensor.type.isFloatingPoint {
                try context.control.checkCancellation()
                guard let view = try file.tensor(tensor.name) else { continue }
                let found = try TensorStatistics(of: view, control: context.control, threads: context.pool.threadCount)
                if found.nanCount + found.infiniteCount > 0 {
                    throw WorkbenchError.badTensor(
                        problem: "\(error)", tensor: tensor.name, nans: found.nanCount, infinities: found.infiniteCount)
                }
            }
            if !edits.active.isEmpty {
                throw WorkbenchError.notFiniteWithEdits(problem: "\(error)", edits: edits.label)
            }
            throw WorkbenchError.overflow(problem: "\(error)")
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

/// The way in which a runner divides its work.
package struct RunnerShape: Equatable {
    /// The bytes that the residual streams of a sweep (the prompts that go through all layers together) may take.
    package var sweepBytes = Runner.defaultSweepBytes
    /// The number of tokens that a run takes through a layer together.
    package var packTokens = Runner.packTokens
    /// Whether a run packs weights (copies them into a faster layout) and keeps them; nil packs them if they take at
    /// most an eighth of the machine's memory.
    package var packsWeights: Bool?
}
