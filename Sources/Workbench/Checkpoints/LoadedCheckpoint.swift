package import Checkpoints
import Control
import HDF5
package import JSON
package import LinearAlgebra
package import Models
import TerminalText
package import Tokenizers

/// An opened checkpoint with what is made from it when first needed: tokenizer, model, chat template.
package final class LoadedCheckpoint {
    package let file: Checkpoint
    private var loadedTokenizer: Tokenizer?
    private var loadedArchitecture: (any Architecture)?
    private var loadedModel: Decoder?
    private var loadedRunner: (runner: Runner, shape: RunnerShape)?

    /// What is changed in every run of it.
    package var edits = EditStack()

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

    /// What config.json says, read on the first call.
    private func architecture() throws -> any Architecture {
        if let loadedArchitecture { return loadedArchitecture }
        let json = try configurationJSON()
        let name = json["model_type"]?.string ?? file.architecture ?? "none named"
        guard Architectures.modelTypes.contains(name) else {
            throw ModelError.unknownArchitecture(file: label, name: name, known: Architectures.modelTypes)
        }
        let generation = try file.generationConfigJSON().map {
            try JSONValue(parsing: $0, file: "\(label): generation_config.json")
        }
        let architecture = try Architectures.read(json, generation: generation, file: label)
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

    /// The model, its weights bound and checked on the first call.
    package func model() throws -> Decoder {
        try file.checkUnchanged()
        if let loadedModel { return loadedModel }
        let model = try architecture().decoder(WeightBinder(file))
        loadedModel = model
        return model
    }

    /// What runs the model.
    ///
    /// - Parameter shape: how it divides its work; nil: as before, or as it does by itself.
    package func runner(pool: ThreadPool, shape: RunnerShape?) throws -> Runner {
        var model = try model()
        if let loadedRunner, loadedRunner.runner.pool === pool, shape == nil || loadedRunner.shape == shape {
            return loadedRunner.runner
        }
        if hasPackedWeights, shape?.packsWeights == false {
            // Packed weights belong to the model: another one is bound, and they go with this one.
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

    /// Whether earlier runs may have packed weights, which are then kept.
    private var hasPackedWeights: Bool { loadedRunner?.runner.packsWeights ?? false }

    /// Bytes of weights that earlier runs have packed.
    package var packedBytes: Int { loadedModel?.embedding.arena.mappedBytes ?? 0 }

    /// Token ids of a text as the model is meant to see it.
    package func encode(_ text: String, isRendered: Bool = false) throws -> [Int32] {
        let ids = try tokenizer().encode(text, addSpecialTokens: !isRendered)
        guard !ids.isEmpty else {
            throw WorkbenchError.emptyText
        }
        return ids
    }

    /// Leading tokens that `all` and `mean` leave out: the BOS that the tokenizer puts there.
    package func leadingTokens(of ids: [Int32]) throws -> Int {
        guard let bos = try tokenizer().bosID, ids.first == bos else { return 0 }
        return 1
    }

    /// A digest of all tensors, from the digests in the file; nil if it has none.
    package private(set) lazy var digest: String? = {
        let parts = file.tensors.map { tensor in tensor.digest.map { "\(tensor.name) \($0)\n" } }
        guard !parts.isEmpty, !parts.contains(where: { $0 == nil }) else { return nil }
        return Digest.sha256(parts.compactMap(\.self).joined())
    }()

    /// What tells this checkpoint from others: the digest of its tensors, else its files as they were when opened.
    package var identity: String {
        if let digest { return digest }
        let states = file.fileStates
        return states.count == 1 ? states[0] : Digest.sha256(states.joined(separator: "\n"))
    }

    /// Runs a model, and says which tensor is to blame when the answer is NaN or infinite.
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

/// How a runner divides its work.
package struct RunnerShape: Equatable {
    /// Bytes of the residual streams of a sweep.
    package var sweepBytes = Runner.defaultSweepBytes
    package var packTokens = Runner.packTokens
    /// Nil: where they take at most an eighth of the machine's memory.
    package var packsWeights: Bool?
}
