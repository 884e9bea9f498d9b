package import ArgumentParser
import Checkpoints
import Language
import Reports
import TerminalText
import Workbench

package struct OpenCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "open", abstract: "Open a checkpoint and use it.",
        discussion: """
            Opening reads the file's index and maps it: it costs milliseconds at any size, and no weight is read.
            The checkpoint takes the file's name (pearl-base.h5 opens as pearl-base) unless the line says NAME = open FILE.
            Also opens a plain h5py dump of a state dict, flat or nested, when --config names its config.json.

            A Hugging Face folder opens as it is: model.safetensors, or the shards that model.safetensors.index.json names,
            with the config.json, tokenizer.json and generation_config.json that lie there. open FOLDER/model.safetensors
            does the same; open FOLDER/OTHER.safetensors takes the weights from that file alone. The files may be links to
            files elsewhere, as in download caches. Such files record no digests (save NAME FILE.h5 computes them), and a
            folder's chat template is not run: for --chat, convert the folder with Scripts/convert.py.

            An open checkpoint stays what it was when its files are removed or replaced, and is refused once one is written
            into; help files has the rule.
            """)
    package static let traits = CommandTraits(
        .files, changesState: true, makesValue: true, kinds: ["file": .file, "config": .file],
        examples: ["open Checkpoints/pearl-tuned.h5", "hub = open Tests/Fixtures/folders/tiny-chat"])

    @Argument(help: "An HDF5 checkpoint, a Hugging Face folder, or a .safetensors file.") var file: String
    @Option(help: "A config.json to use instead of the file's own.") var config: String?

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let name = session.target ?? CheckpointName.of(file)
        let remedy = "write: NAME = open \(Quoting.quote(file))"
        guard Name.isValid(name), name != "it" else {
            throw CommandError("\(name.escapedForTerminal) can't be a name", remedy: remedy)
        }
        var path = expandTilde(file)
        // Completion leaves a slash after the name of a folder.
        while path.utf8.count > 1, path.hasSuffix("/") { path.removeLast() }
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
        var notes: [String] = []
        if case .checkpoint(let before)? = session.value(named: name), !before.edits.isEmpty {
            notes.append("The edits of \(name.escapedForTerminal)\(before.edits.label) are gone: it was opened again.")
        }
        session.define(name, .checkpoint(checkpoint))
        try session.use(name)
        return Outcome(
            .checkpoint(checkpoint),
            report: Report(text: "\(name.escapedForTerminal): \(checkpoint.summary)", notes: notes))
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
        for name in all { _ = try session.openCheckpoint(named: name) }
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
        add("format", file.formatName)
        add("created by", file.createdBy)
        add("source", file.source)
        add("architecture", file.architecture)
        let types = Dictionary(grouping: file.tensors, by: \.typeName)
        let counts = types.sorted { $0.key < $1.key }.map { "\($0.value.count) \($0.key)" }
        add("tensors", "\(file.tensors.count) (\(counts.joined(separator: ", ")))")
        add("parameters", NumberFormat.count(checkpoint.parameterCount))
        var notes: [String] = []
        do {
            let c = try checkpoint.facts()
            add("layers", String(c.layers))
            add("width", String(c.width))
            add("heads", "\(c.heads) of \(c.headWidth), \(c.keyValueHeads) for keys and values")
            add("MLP", String(c.hiddenWidth))
            add("vocabulary", String(c.vocabularySize))
            add("positions", String(c.maxPositions))
            for (property, value) in c.details { add(property, value) }
            add("embeddings", c.hasTiedEmbeddings ? "tied" : "untied")
        } catch {
            notes.append("It can't be run: \(CommandError.words(error))")
        }
        do {
            add("chat template", try checkpoint.hasChatTemplate() ? "yes" : "none")
        } catch {
            add("chat template", "can't be used: \(CommandError.words(error))")
        }
        if let digest = checkpoint.digest { add("digest", "sha256 \(digest.prefix(16))...") }
        return Outcome(
            Report(title: checkpoint.label, tables: [table], notes: notes, recipe: session.recipe(checkpoint)))
    }
}
