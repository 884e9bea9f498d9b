package import Checkpoints
import Language
import Workbench

/// A log of the commands that changed the session, written as a script that can be run.
package final class Recorder {
    private let file: OutputFile

    /// Begins the script with the state of the session: the seed and the settings that were changed, the checkpoints
    /// that are open, and the variables. Comments name the values and edits that the script can't make again.
    ///
    /// - Throws: `CommandError` if the file can't be written.
    package init(_ file: OutputFile, of session: Session) throws {
        self.file = file
        var text = "# nacre \(Session.version)\n"
        for key in Settings.Key.allCases where key == .seed || session.settings.origins[key] != nil {
            text += Quoting.line(["set", key.rawValue, session.settings.text(of: key)]) + "\n"
        }
        for (name, value) in session.names {
            guard case .checkpoint(let checkpoint) = value else {
                if value.kind != .report {
                    text += "# \(name), \(value.kind.phrase) made before this recording, is not in it\n"
                }
                continue
            }
            if checkpoint.file.derivation != nil {
                text += "# \(name), a checkpoint made in memory before this recording, is not in it\n"
                continue
            }
            text += "\(name) = " + Quoting.line(["open", checkpoint.file.path] + checkpoint.openOptions) + "\n"
            for command in checkpoint.edits.commands {
                text += "# an edit of \(name) made before this recording is not in it: \(command)\n"
            }
        }
        if let current = session.current, try session.openCheckpoint(named: current).file.derivation == nil {
            text += Quoting.line(["use", current]) + "\n"
        }
        for (name, variable) in session.variables.sorted {
            text += Quoting.line(["let", name, "=", variable]) + "\n"
        }
        try file.write(text)
    }

    package var path: String { file.path }

    package func record(_ line: String) throws { try file.write(line + "\n") }
}
