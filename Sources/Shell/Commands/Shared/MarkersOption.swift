import ArgumentParser
import Checkpoints
import Language
import Provenance
import Reports
import TerminalText
import Workbench

/// The options for the phrases that replies are searched for.
struct MarkersOption: SharedOptions {
    static let kinds: [String: CommandTraits.ArgumentKind] = ["markers": .file]

    @Option(help: "A file of phrases to look for, one a line.") var markers: String?
    @Option(help: "A phrase to look for; may be repeated.") var marker: [String] = []
    @Flag(help: "A phrase counts only where a reply begins with it.") var atStart = false

    /// Returns the phrases that are searched for, and the recipe's entry for the file that holds them. Both are nil if
    /// no phrase is given.
    ///
    /// - Throws: `CommandError` if a phrase is empty, or if `--at-start` is given without phrases. An error if the file
    ///   can't be read.
    func phrases(_ session: Session) throws -> (Markers?, Recipe.Input?) {
        guard !marker.contains(where: { $0.withoutOuterBlanks.isEmpty }) else {
            throw CommandError("--marker is empty", remedy: "give at least one character", exitCode: 2)
        }
        var phrases = marker
        var input: Recipe.Input?
        if let markers {
            let found = try Markers.read(expandTilde(markers), name: markers)
            phrases += found.phrases
            input = found.input
            if !found.losses.isEmpty { session.add(.linesLeftOut(file: markers, found.losses)) }
        }
        guard !phrases.isEmpty else {
            guard !atStart else {
                throw CommandError(
                    "--at-start is about phrases", remedy: "give them with --markers FILE or --marker TEXT",
                    exitCode: 2)
            }
            return (nil, nil)
        }
        return (Markers(phrases, isAtStart: atStart), input)
    }
}
