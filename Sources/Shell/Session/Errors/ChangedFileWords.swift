import Checkpoints
import Language
import TerminalText
import Workbench

extension Session {
    /// Returns an error as it is; for a file that changed while it was open, with what there is to do about everything in
    /// the session that rests on the file.
    func advised(_ error: any Error) -> any Error {
        guard let changed = ChangedFile(error) else { return error }
        var ways = names.compactMap { way($0.name, $0.value, changed) }
        if ways.isEmpty, let it { ways = [way("it", it, changed)].compactMap(\.self) }
        if ways.isEmpty { ways = ["give the command again"] }
        return CommandError(changed.problem, remedy: ways.joined(separator: ", "))
    }

    /// Returns how to get a value again, or nil for one that does not rest on the file.
    private func way(_ name: String, _ value: Value, _ changed: ChangedFile) -> String? {
        let target = name == "it" ? "" : "\(name) = "
        switch value {
        case .checkpoint(let checkpoint) where checkpoint.changedFile?.file == changed.file:
            let close = name == "it" ? "" : "close \(name), then "
            if let command = checkpoint.madeBy { return "make \(name) again (\(close)\(command))" }
            let open = Quoting.line(["open", checkpoint.file.path] + checkpoint.openOptions)
            let isOwnName = CheckpointName.of(checkpoint.file.path) == name
            return "open it again (\(isOwnName ? "" : close + target)\(open))"
        case .capture(let capture) where capture.changedFile?.file == changed.file:
            return "load it again (\(target)\(Quoting.line(["load", changed.file])))"
        default: return nil
        }
    }
}
