import ArgumentParser
import Language
import TerminalText
import Workbench

/// The option that names several open checkpoints for one command.
struct CheckpointsOption: SharedOptions {
    static let kinds: [String: CommandTraits.ArgumentKind] = ["checkpoints": .checkpoints]

    @Option(
        help: ArgumentHelp(
            "Open checkpoints, with commas between their names; otherwise the one in use. compare measures how far apart"
                + " two are.", valueName: "names"))
    var checkpoints: String?

    /// Returns the checkpoints that the option names, or the one in use if it is not given.
    ///
    /// - Throws: `CommandError` for a name that is empty, is not an open checkpoint, or is given twice, and if no
    ///   checkpoint is open.
    func chosen(_ session: Session) throws -> [NamedCheckpoint] {
        guard let checkpoints else {
            guard let name = session.current else { throw Session.noCheckpoint }
            return [NamedCheckpoint(name, try session.checkpoint(named: name))]
        }
        var chosen: [NamedCheckpoint] = []
        for part in checkpoints.split(separator: ",", omittingEmptySubsequences: false) {
            let name = String(part.withoutOuterBlanks)
            guard !name.isEmpty else {
                throw CommandError(
                    "--checkpoints has an empty name", remedy: "put one comma between two names", exitCode: 2)
            }
            let named = NamedCheckpoint(name, try session.checkpoint(named: name))
            guard !chosen.contains(where: { $0.name == named.name }) else {
                throw CommandError("--checkpoints names \(name) twice", remedy: "name it once", exitCode: 2)
            }
            _ = try chosen.first.map { try session.pair($0, named) }
            chosen.append(named)
        }
        return chosen
    }
}
