import Checkpoints
import Models
import HDF5
import Provenance
import Reports
import TerminalText
import Workbench

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

extension CaptureJob {
    /// What `--estimate` prints.
    func report(_ path: String?, recipe: Recipe) throws -> Report {
        let estimate = try estimate()
        let bytes = layout.valueBytes
        var scalars = [
            Scalar("prompts", .integer(sequences.count)), Scalar("tokens", .integer(sequences.tokens.count)),
            Scalar("rows", .integer(layout.rows.count), note: "of \(counted(rowSites.count, "site"))"),
            Scalar(
                "result", .text(NumberFormat.bytes(bytes)), note: path == nil ? "in memory" : "in the file"),
        ]
        var notes: [String] = []
        if let path {
            if access(path, F_OK) == 0 {
                notes.append("\(path.escapedForTerminal) exists: without --overwrite the command would be refused.")
            }
            if access("\(path).partial", F_OK) == 0 {
                notes.append(
                    "An interrupted capture has left \("\(path).partial".escapedForTerminal); what is done there counts."
                )
            }
            let target = try FilePlacement.resolve(path)
            let folder = FilePlacement.split(target).folder
            if let free = FilePlacement.freeBytes(folder) {
                scalars.append(
                    Scalar(
                        "free", .text(NumberFormat.bytes(free)),
                        note: "on the file system of \(folder.escapedForTerminal)"))
                if free < bytes { notes.append("The disk is too full for it: the command would be refused.") }
            }
        }
        scalars += estimate?.scalars ?? []
        return Report(scalars: scalars, notes: notes, recipe: recipe)
    }
}
