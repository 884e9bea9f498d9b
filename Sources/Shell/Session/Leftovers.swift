import Checkpoints
import HDF5
import TerminalText

/// What killed runs have left in a folder.
package enum Leftovers {
    /// One line for each kind, where there is any; for whoever has just written a file there.
    package static func notes(beside path: String) -> [String] {
        let folder = FilePlacement.split(path).folder
        var notes: [String] = []
        let files = FilePlacement.leftovers(in: folder)
        if !files.isEmpty {
            notes.append(
                "a run that was killed has left \(list(files)) in \(folder.escapedForTerminal); remove"
                    + " \(files.count == 1 ? "it" : "them") unless another machine is still writing there")
        }
        let captures = PartialCapture.unfinished(in: folder)
        if !captures.isEmpty {
            notes.append(
                "\(folder.escapedForTerminal) holds \(counted(captures.count, "unfinished capture")): \(list(captures));"
                    + " the command that began one goes on with it, with --restart it begins anew")
        }
        return notes
    }

    private static func list(_ names: [String]) -> String {
        names.prefix(3).map { $0.escapedForTerminal }.joined(separator: ", ") + (names.count > 3 ? ", ..." : "")
    }
}
