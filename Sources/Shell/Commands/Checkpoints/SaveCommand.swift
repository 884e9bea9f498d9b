package import ArgumentParser
import Checkpoints
import Directions
import Language
import Provenance
import Reports
import Sites
import TerminalText
import Workbench

package struct SaveCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "save", abstract: "Write a checkpoint, a capture or directions to a file, whole or not at all.",
        discussion: """
            The file is written beside its final name, read back, compared with its digests and only then renamed. Tensors
            that were not edited stay the same bits. What was opened from a folder of safetensors is saved with a digest for
            each tensor, and its recipe has those of the folder's files.

            Directions go to an HDF5 file with their site, their basis and their vectors, or to a .npy file of the vectors
            alone, [k, width] f32, which has no place for the site.

            A checkpoint made in memory (fold) is written in the types that the file it was made from has: the report says
            what rounding to them changed, in weights and in logits of a few texts. --type f32 keeps its f32 instead.

            A checkpoint with edits in force is not saved: they change its activations, and a file holds weights. fold puts
            directions into the weights; --without-edits saves the checkpoint as it is without them.
            """)
    package static let traits = CommandTraits(
        .files, kinds: ["name": .anyName, "file": .file, "type": .choice(["f32"])],
        examples: ["save pearl-base copy.h5"])

    @Argument(help: "A checkpoint, a capture, or directions.") var name: String
    @Argument(help: "The file to write.") var file: String
    @Flag(help: "Replace an existing file.") var overwrite = false
    @Flag(help: "Save a checkpoint although edits are in force on it, without them.") var withoutEdits = false
    @Option(help: "f32: keep a checkpoint that was made in memory in f32.") var type: String?

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let path = expandTilde(file)
        guard !overwrite || session.rights.overwrite else {
            throw CommandError("a script overwrites nothing", remedy: "start nacre with --overwrite", exitCode: 2)
        }
        var notes: [String] = []
        let value = try session.usable(name)
        if let option = type.map({ _ in "--type" }) ?? (withoutEdits ? "--without-edits" : nil), let value,
            value.kind != .checkpoint
        {
            throw CommandError(
                "\(option) is about checkpoints, and \(name) is \(value.kind.phrase)", remedy: "leave it out",
                exitCode: 2)
        }
        switch value {
        case .checkpoint(let checkpoint)?:
            notes += try save(checkpoint, to: path, session)
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
                try capture.write(to: writer, control: session.control)
                try writer.finish()
            } catch {
                writer.abandon()
                throw error
            }
        case .subspace(let subspace)?: try write(subspace, path, session)
        case .points?:
            throw CommandError("\(name) was read from a file", remedy: "copy that file instead")
        case let other?:
            throw CommandError(
                "\(other.kind.phrase) can't be saved as HDF5 yet",
                remedy: "print it to a file: mode json, then print \(name) > FILE")
        case nil: throw session.unknown(name)
        }
        notes += Leftovers(beside: path).notes
        return .message(Report(text: "saved \(name.escapedForTerminal) to \(path.escapedForTerminal)", notes: notes))
    }
}

extension SaveCommand {
    /// Writes directions in the format that the ending of the file's name stands for: NumPy for .npy, and HDF5
    /// otherwise.
    private func write(_ subspace: Subspace, _ path: String, _ session: Session) throws {
        guard path.hasSuffix(".npy") else {
            return try SubspaceFile.write(
                subspace, to: path, overwrite: overwrite, createdBy: "nacre \(Session.version)")
        }
        let file = try OutputFile(path, overwrite: overwrite)
        try file.write(SubspaceFile.npy(subspace.vectors))
        try file.commit()
    }

    /// Writes a checkpoint to a file.
    ///
    /// - Returns: Notes on how rounding to the types of the original file changed the weights and the logits.
    /// - Throws: `CommandError` if the options or the edits in force don't allow it. An error if the file can't be
    ///   written.
    private func save(_ checkpoint: LoadedCheckpoint, to path: String, _ session: Session) throws -> [String] {
        if let type, type != "f32" {
            throw CommandError(
                "--type can't be \(type.escapedForTerminal)",
                remedy: "give f32, or leave it out for the types of the original file", exitCode: 2)
        }
        let derivation = checkpoint.file.derivation
        guard type == nil || derivation != nil else {
            throw CommandError(
                "--type is about checkpoints made in memory, and \(name) is saved in the types of its file",
                remedy: "leave it out", exitCode: 2)
        }
        let edits = checkpoint.edits
        guard edits.active.isEmpty || withoutEdits else {
            throw CommandError(
                "\(name) has edits in force, which a file of weights can't hold:"
                    + " \(edits.commands.joined(separator: "; "))",
                remedy: "fold directions into the weights, switch them off with edits off all, or save without them:"
                    + " --without-edits")
        }
        var recipe = session.recipe(ofWeights: checkpoint)
        recipe.inputs += try checkpoint.file.fileDigests(
            control: session.control, threads: session.settings.threads
        ).map { Recipe.Input(name: $0.name, sha256: $0.sha256) }
        let made = derivation.map { _ in [("made", RecipeText.nested(checkpoint.file.recipeText))] } ?? []
        let text = Array(RecipeText.json(recipe, adding: made).utf8)
        let rounded =
            type == nil ? try RoundedCheckpoint(checkpoint.file, recipeJSON: text, control: session.control) : nil
        // The notes are computed before anything is written, so that Ctrl-C here leaves no file.
        let notes = try rounded.map { try Self.notes(on: $0, of: checkpoint, session) } ?? []
        let contents = try CheckpointContents(
            copying: rounded?.checkpoint ?? checkpoint.file, createdBy: "nacre \(Session.version)", recipeJSON: text)
        try CheckpointWriter.write(to: path, overwrite: overwrite, source: contents, control: session.control)
        return notes
    }

    private static func notes(
        on rounded: RoundedCheckpoint, of checkpoint: LoadedCheckpoint, _ session: Session
    ) throws -> [String] {
        let types = rounded.types.map(\.name).joined(separator: " and ")
        var note = "\(counted(rounded.tensors.count, "tensor")) went back to \(types), as in the original file"
        guard let largest = rounded.largest else { return [note + "; no value changed."] }
        note += "; the largest change of a weight is \(NumberFormat.significant(largest.change)), in \(largest.tensor)"
        guard (try? checkpoint.facts()) != nil else { return [note + "."] }
        let check = try SpotCheck(checkpoint, seed: session.settings.seed)
        let difference = SpotCheck.largestDifference(
            try check.logits(checkpoint, edits: [], session.context()),
            try check.logits(LoadedCheckpoint(rounded.checkpoint), edits: [], session.context()))
        note += ", and of a logit \(NumberFormat.significant(difference)), at \(check.phrase)"
        return [note + "; --type f32 keeps all bits."]
    }
}

package struct LoadCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "load", abstract: "Load a capture or directions from a file.",
        discussion: """
            A capture's sites are read when they are needed. A checkpoint is opened with open.

            Directions: a file that save wrote; a .npy file of [k, width] or [width]; with --directions any two-dimensional
            dataset of an HDF5 file, FILE:DATASET where it has several. Vectors without a basis are orthonormalised; a /basis
            that is not orthonormal is refused. Only a file of save says where its directions belong; for the others give --at
            SITE,POSITION. Other programs count layers in other ways: Hugging Face's hidden_states[l] (and
            refusal_direction's l) is resid_pre[l], which is resid_post[l - 1], but the last of hidden_states is taken after
            the final norm; heretic's and repeng's l is resid_post[l].
            """)
    package static let traits = CommandTraits(
        .activations, changesState: true, makesValue: true, kinds: ["file": .file, "at": .site],
        examples: [
            "corpus = prompts Scripts/prompts/open.txt --limit 50",
            "capture resid_post[*] --prompts corpus --to acts.h5", "again = load acts.h5",
            "half = prompts Scripts/prompts/formulaic.txt --limit 50", "r = direction corpus half --at resid_pre[3]",
            "save r r.npy", "same = load r.npy --at resid_pre[3],last",
        ])

    @Argument(help: "A file written by capture --to or save, or a .npy file of directions.") var file: String
    @Option(help: "Where directions without a site belong: resid_pre[3],last.") var at: String?
    @Flag(help: "The file holds directions, whoever wrote it.") var directions = false

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let path = expandTilde(file)
        if directions || path.hasSuffix(".npy") || (try? SubspaceFile.isSubspace(path)) == true {
            let subspace = try subspace(path, session)
            let note =
                subspace.site == nil
                ? ["The file does not say where its directions belong: give --at SITE where that matters."] : []
            return Outcome(.subspace(subspace), report: Report(text: subspace.summary, notes: note))
        }
        guard at == nil else {
            throw CommandError(
                "--at is about directions", remedy: "add --directions if the file holds some", exitCode: 2)
        }
        let capture = Capture(try CaptureFile.open(path))
        return Outcome(.capture(capture), report: Report(text: capture.summary))
    }
    private func subspace(_ path: String, _ session: Session) throws -> Subspace {
        var place: (site: Site?, position: String?) = (nil, nil)
        if let at {
            let named = try ContrastPlace(at, session.checkpoint().facts())
            guard named.sites.count == 1 else {
                throw CommandError(
                    "--at names \(counted(named.sites.count, "site"))", remedy: "name one", exitCode: 2)
            }
            place = (named.sites[0], named.position.description)
        }
        let (file, dataset) = directions ? PointsCommand.split(path) : (path, nil)
        return try SubspaceFile.read(
            file, dataset: dataset, at: place.site, position: place.position, control: session.control)
    }
}
