package import ArgumentParser
import Checkpoints
import HDF5
import LinearAlgebra
import Models
import Reports
import TerminalText

package struct SaveCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "save", abstract: "Write a checkpoint or a capture to an HDF5 file, whole or not at all.",
        discussion: """
            The file is written beside its final name, read back, compared with its digests and only then renamed. Tensors
            that were not edited stay the same bits. What was opened from a folder of safetensors is saved with a digest for
            each tensor, and its recipe has those of the folder's files.
            """)
    package static let traits = CommandTraits(
        .files, kinds: ["name": .anyName, "file": .file], examples: ["save pearl-base copy.h5"])

    @Argument(help: "A checkpoint or a capture.") var name: String
    @Argument(help: "The file to write.") var file: String
    @Flag(help: "Replace an existing file.") var overwrite = false

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let path = expandTilde(file)
        guard !overwrite || session.isInteractive || session.allowsOverwrite else {
            throw CommandError("a script overwrites nothing", remedy: "start nacre with --overwrite", exitCode: 2)
        }
        switch session.value(named: name) {
        case .checkpoint(let checkpoint)?:
            var recipe = session.recipe(checkpoint)
            recipe.inputs += try checkpoint.file.fileDigests(
                control: session.control, threads: session.settings.threads
            ).map { Recipe.Input(name: $0.name, sha256: $0.sha256) }
            let contents = try CheckpointContents(
                copying: checkpoint.file, createdBy: "nacre \(Session.version)",
                recipeJSON: Array(RecipeText.json(recipe).utf8))
            try CheckpointWriter.write(to: path, overwrite: overwrite, source: contents, control: session.control)
        case .capture(let capture)?:
            guard capture.patterns.isEmpty else {
                throw CommandError(
                    "\(name) holds attention patterns, which stay in their file", remedy: "copy the file instead")
            }
            let widths = Dictionary(uniqueKeysWithValues: capture.sites.map { ($0, capture.width(of: $0) ?? 0) })
            let writer = try CaptureWriter(
                path, overwrite: overwrite, sites: widths, rows: capture.rows, prompts: capture.prompts,
                recipeJSON: Array(capture.recipe.utf8), createdBy: "nacre \(Session.version)")
            do {
                for (index, site) in capture.sites.enumerated() {
                    try session.control.checkCancellation()
                    session.control.report(done: index, total: capture.sites.count, unit: "sites")
                    try capture.matrix(site).values.withUnsafeBufferPointer {
                        try writer.write(site: site, firstRow: 0, values: $0)
                    }
                }
                try writer.finish()
            } catch {
                writer.abandon()
                throw error
            }
        case .points?:
            throw CommandError("\(name) was read from a file", remedy: "copy that file instead")
        case let other?:
            throw CommandError(
                "\(other.kind.phrase) can't be saved as HDF5 yet",
                remedy: "print it to a file: mode json, then print \(name) > FILE")
        case nil: throw session.unknown(name)
        }
        let notes = Leftovers.notes(beside: path)
        return .message(Report(text: "saved \(name.escapedForTerminal) to \(path.escapedForTerminal)", notes: notes))
    }
}

package struct LoadCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "load", abstract: "Load a capture from an HDF5 file.",
        discussion: "Its sites are read when they are needed. A checkpoint is opened with open.")
    package static let traits = CommandTraits(
        .activations, changesState: true, makesValue: true, kinds: ["file": .file],
        examples: [
            "corpus = prompts Scripts/prompts/open.txt --limit 50",
            "capture resid_post[*] --prompts corpus --to acts.h5", "again = load acts.h5",
        ])

    @Argument(help: "A file written by capture --to or save.") var file: String

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let capture = Capture(try CaptureFile.open(expandTilde(file)))
        return Outcome(.capture(capture), report: Report(text: capture.summary))
    }
}
