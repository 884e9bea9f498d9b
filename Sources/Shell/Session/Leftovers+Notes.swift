import Checkpoints
import TerminalText

extension Leftovers {
    /// Sentences for a user who has just written a file into that folder: one for each kind of leftover that it holds.
    var notes: [String] {
        var notes: [String] = []
        if !files.isEmpty {
            notes.append(
                "a run that was killed has left \(Self.list(files)) in \(folder.escapedForTerminal); remove"
                    + " \(files.count == 1 ? "it" : "them") unless another machine is still writing there")
        }
        if !captures.isEmpty {
            notes.append(
                "\(folder.escapedForTerminal) holds \(counted(captures.count, "unfinished capture")):"
                    + " \(Self.list(captures)); the command that began one goes on with it, with --restart it begins"
                    + " anew")
        }
        return notes
    }

    private static func list(_ names: [String]) -> String {
        names.prefix(3).map { $0.escapedForTerminal }.joined(separator: ", ") + (names.count > 3 ? ", ..." : "")
    }
}
