import ArgumentParser
import TerminalText

/// Several open checkpoints for one command.
struct CheckpointsOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Open checkpoints, with commas between their names; otherwise the one in use.", valueName: "names"))
    var checkpoints: String?

    /// - Throws: `CommandError` for a name that is no open checkpoint, or that is given twice.
    func chosen(_ session: Session) throws -> [NamedCheckpoint] {
        guard let checkpoints else {
            guard let name = session.current else { throw Session.noCheckpoint }
            return [NamedCheckpoint(name: name, checkpoint: try session.checkpoint(named: name))]
        }
        let open = session.names.compactMap { name, value -> NamedCheckpoint? in
            guard case .checkpoint(let checkpoint) = value else { return nil }
            return NamedCheckpoint(name: name, checkpoint: checkpoint)
        }
        var chosen: [NamedCheckpoint] = []
        for part in checkpoints.split(separator: ",", omittingEmptySubsequences: false) {
            let name = String(part.withoutOuterBlanks)
            guard let found = open.first(where: { $0.name == name }) else {
                let names = open.map(\.name).joined(separator: ", ")
                throw CommandError(
                    name.isEmpty ? "--checkpoints has an empty name" : "no open checkpoint is called \(name)",
                    remedy: names.isEmpty ? "open one with: open FILE" : "open are \(names)")
            }
            guard !chosen.contains(where: { $0.name == name }) else {
                throw CommandError("--checkpoints names \(name) twice", remedy: "name it once", exitCode: 2)
            }
            chosen.append(found)
        }
        return chosen
    }
}

/// An open checkpoint and what the session calls it.
struct NamedCheckpoint {
    let name: String
    let checkpoint: LoadedCheckpoint
}
