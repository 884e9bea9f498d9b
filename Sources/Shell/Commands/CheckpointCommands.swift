package import ArgumentParser
import Checkpoints
import Models
import Reports
import Tokenizers
import TerminalText
import LinearAlgebra

package struct OpenCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "open", abstract: "Open a checkpoint and use it.",
        discussion: """
            Opening reads the file's index and maps it: it costs milliseconds at any size, and no weight is read.
            The checkpoint takes the file's name (pearl-base.h5 opens as pearl-base) unless the line says NAME = open FILE.
            Also opens a plain h5py dump of a state dict, flat or nested, when --config names its config.json.
            """)
    package static let traits = CommandTraits(
        .files, changesState: true, makesValue: true, kinds: ["file": .file, "config": .file],
        examples: ["open $checkpoint"])

    @Argument(help: "An HDF5 checkpoint.") var file: String
    @Option(help: "A config.json to use instead of the file's own.") var config: String?

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let name = session.target ?? Self.name(of: file)
        let remedy = "write: NAME = open \(Quoting.quote(file))"
        guard Name.isValid(name), name != "it" else {
            throw CommandError("\(name.escapedForTerminal) can't be a name", remedy: remedy)
        }
        let path = expandTilde(file)
        if session.target == nil {
            switch session.value(named: name) {
            case .checkpoint(let other)? where other.file.path != path:
                throw CommandError("\(name) is already open, from \(other.file.path)", remedy: remedy)
            case .checkpoint?, nil: break
            default: throw CommandError("\(name) already stands for something", remedy: remedy)
            }
        }
        let checkpoint = LoadedCheckpoint(
            try Checkpoint.open(path, configurationPath: config.map(expandTilde)),
            openOptions: config.map { ["--config", $0] } ?? [])
        session.define(name, .checkpoint(checkpoint))
        try session.use(name)
        return Outcome(
            .checkpoint(checkpoint), report: Report(text: "\(name.escapedForTerminal): \(checkpoint.summary)"))
    }

    /// `pearl-base` for `Checkpoints/pearl-base.h5`.
    static func name(of path: String) -> String {
        var name = path.split(separator: "/").last.map(String.init) ?? path
        for ending in [".hdf5", ".h5"] where name.hasSuffix(ending) { name.removeLast(ending.count) }
        // Characters that a name can't have, such as blanks, become _.
        return String(name.map { Name.isValid("a\($0)") ? $0 : "_" })
    }
}

package struct CloseCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "close", abstract: "Close checkpoints; the one in use when none is named.")
    package static let traits = CommandTraits(
        .files, needsCheckpoint: true, changesState: true, kinds: ["names": .checkpoint], examples: ["close"])

    @Argument(help: "Open checkpoints.") var names: [String] = []

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let all = names.isEmpty ? [session.current].compactMap(\.self) : names
        for name in all { _ = try session.checkpoint(named: name) }
        for name in Set(all) { try session.remove(name) }
        return .none
    }
}

package struct UseCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "use", abstract: "Choose the checkpoint that commands use.")
    package static let traits = CommandTraits(
        .files, needsCheckpoint: true, changesState: true, kinds: ["name": .checkpoint])

    @Argument(help: "An open checkpoint.") var name: String

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        try session.use(name)
        return .none
    }
}

package struct InfoCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "info", abstract: "What a checkpoint is: configuration, size, tokenizer, origin.",
        discussion: "Works on any file that opens, whether or not its architecture can be run.")
    package static let traits = CommandTraits(
        .files, needsCheckpoint: true, makesValue: true, kinds: ["name": .checkpoint], examples: ["info"])

    @Argument(help: "An open checkpoint; the one in use when left out.") var name: String?

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let checkpoint = try session.checkpoint(named: name)
        let file = checkpoint.file
        var table = Table("checkpoint", columns: ["property", "value"])
        func add(_ name: String, _ value: String?) {
            if let value { table.append([.text(name), .text(value)]) }
        }
        add("file", file.path)
        add("size", NumberFormat.bytes(file.fileSize))
        add("format", file.formatVersion.map { "nacre checkpoint \($0)" } ?? "plain HDF5 state dict")
        add("created by", file.createdBy)
        add("source", file.source)
        add("architecture", file.architecture)
        let types = Dictionary(grouping: file.tensors, by: \.type.rawValue)
        let counts = types.sorted { $0.key < $1.key }.map { "\($0.value.count) \($0.key)" }
        add("tensors", "\(file.tensors.count) (\(counts.joined(separator: ", ")))")
        add("parameters", NumberFormat.count(checkpoint.parameterCount))
        var notes: [String] = []
        do {
            let c = try checkpoint.configuration()
            add("layers", String(c.layers))
            add("width", String(c.hiddenSize))
            add("heads", "\(c.heads) of \(c.headDimension), \(c.keyValueHeads) for keys and values")
            add("MLP", String(c.intermediateSize))
            add("vocabulary", String(c.vocabularySize))
            add("positions", String(c.maxPositions))
            for (property, value) in c.details { add(property, value) }
            add("embeddings", c.tiedEmbeddings ? "tied" : "untied")
        } catch {
            notes.append("It can't be run: \(error)")
        }
        if let chat = try? file.chatJSON() {
            do {
                _ = try ChatTemplate(json: chat, label: checkpoint.label)
                add("chat template", "yes")
            } catch {
                add("chat template", "can't be used: \(error)")
            }
        } else {
            add("chat template", "none")
        }
        if let digest = checkpoint.digest { add("digest", "sha256 \(digest.prefix(16))...") }
        return Outcome(
            Report(title: checkpoint.label, tables: [table], notes: notes, recipe: session.recipe(checkpoint)))
    }
}
