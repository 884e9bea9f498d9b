import Checkpoints
import Comparison
import Language
import TerminalText
import Workbench

extension SeriesMember {
    /// Returns the checkpoints that some words stand for. A word is the name of an open checkpoint, a file, or a
    /// pattern of files, which are taken in natural order.
    ///
    /// - Returns: At most 200 members, in the order of the words.
    /// - Throws: `CommandError` for a pattern that no file matches, for a checkpoint that is named twice, and for more
    ///   than 200 checkpoints.
    static func list(_ words: [String], in session: Session) throws -> [SeriesMember] {
        var members: [SeriesMember] = []
        var files: Set<String> = []
        func twice(_ name: String) -> CommandError {
            CommandError("the series has \(name) twice", remedy: "name it once", exitCode: 2)
        }
        for word in words {
            if case .checkpoint(let checkpoint)? = try session.usable(word) {
                members.append(try SeriesMember(name: word + checkpoint.edits.label, .open(checkpoint)))
                continue
            }
            let paths = FileGlob.isPattern(word) ? FileGlob.paths(word) : [expandTilde(word)]
            guard !paths.isEmpty else {
                throw CommandError(
                    "no file is called \(word.escapedForTerminal)",
                    remedy: "see what is there with TAB after the folder")
            }
            for path in paths {
                let name = CheckpointName.of(path)
                guard files.insert(path).inserted else { throw twice(name) }
                // Files of the same name may lie in different folders, as in step-64/model.h5. Their paths then tell
                // them apart.
                let isTaken = members.contains { $0.name == name }
                members.append(try SeriesMember(name: isTaken && path != name ? path : name, .file(path)))
            }
        }
        var seen: Set<String> = []
        if let again = members.first(where: { !seen.insert($0.name).inserted }) { throw twice(again.name) }
        guard members.count <= 200 else {
            throw CommandError(
                "the series has \(members.count) checkpoints", remedy: "give at most 200", exitCode: 2)
        }
        return members
    }
}
