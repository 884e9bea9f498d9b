package import ArgumentParser
import Checkpoints
import Directions
import HDF5
import LinearAlgebra
import Models
import Reports
import TerminalText

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

package struct SaveCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "save", abstract: "Write a checkpoint, a capture or directions to a file, whole or not at all.",
        discussion: """
            The file is written beside its final name, read back, compared with its digests and only then renamed. Tensors
            that were not edited stay the same bits. What was opened from a folder of safetensors is saved with a digest for
            each tensor, and its recipe has those of the folder's files.

            Directions go to an HDF5 file with their site, their basis and their vectors, or to a .npy file of the vectors
            alone, [k, width] f32, which has no place for the site.
            """)
    package static let traits = CommandTraits(
        .files, kinds: ["name": .anyName, "file": .file], examples: ["save pearl-base copy.h5"])

    @Argument(help: "A checkpoint, a capture, or directions.") var name: String
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
        case .subspace(let subspace)?: try write(subspace, path, session)
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

extension SaveCommand {
    /// What the file's name says: .npy, else HDF5.
    private func write(_ subspace: Subspace, _ path: String, _ session: Session) throws {
        guard path.hasSuffix(".npy") else {
            return try SubspaceFile.write(
                subspace, to: path, overwrite: overwrite, createdBy: "nacre \(Session.version)")
        }
        let file = try OutputFile(path, overwrite: overwrite)
        try file.write(SubspaceFile.npy(subspace.vectors))
        try file.commit()
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
            SITE,POSITION. Layers are counted in three ways: Hugging Face's hidden_states[l] (refusal_direction's l) is
            resid_pre[l], which is resid_post[l - 1]; heretic's and repeng's l is resid_post[l].
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
        if at != nil {
            let (sites, position) = try ContrastPlace(at: at).parsed(try session.checkpoint().configuration())
            guard sites.count == 1 else {
                throw CommandError("--at names \(counted(sites.count, "site"))", remedy: "name one", exitCode: 2)
            }
            place = (sites[0], position.description)
        }
        // FILE:/dataset, where there is no file of that whole name.
        var (file, dataset) = (path, String?.none)
        if directions, access(path, F_OK) != 0, let colon = path.lastIndex(of: ":") {
            file = String(path[..<colon])
            dataset = String(path[path.index(after: colon)...])
        }
        return try SubspaceFile.read(
            file, dataset: dataset, at: place.site, position: place.position, control: session.control)
    }
}
