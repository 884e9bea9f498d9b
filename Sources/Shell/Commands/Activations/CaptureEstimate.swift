import Checkpoints
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
    /// Returns the report of `--estimate`: the size of the result, the memory and the time.
    func report(_ path: String?, recipe: Recipe) throws -> Report {
        let estimate = try estimate()
        let bytes = layout.valueBytes
        var scalars = [
            Scalar("prompts", .integer(promptCount)), Scalar("tokens", .integer(tokenCount)),
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
            let folder = try TargetFolder(of: path)
            if let free = folder.freeBytes {
                scalars.append(
                    Scalar(
                        "free", .text(NumberFormat.bytes(free)),
                        note: "on the file system of \(folder.path.escapedForTerminal)"))
                if free < bytes { notes.append("The disk is too full for it: the command would be refused.") }
            }
        }
        scalars += estimate?.scalars ?? []
        return Report(scalars: scalars, notes: notes, recipe: recipe)
    }
}
