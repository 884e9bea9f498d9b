import Checkpoints
package import ArgumentParser
import Language
import Reports
import TerminalText
import Workbench

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

package struct ReplayCommand: InterpretedCommand {
    package static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "Run a transcript again and compare what its commands print.",
        discussion: """
            A transcript is a session with its output, for regression tests: lines NAME> COMMAND, each followed by what the
            command prints, errors included. nacre --echo --keep-going < COMMANDS > FILE 2>&1 makes one. Its commands run in a
            session of their own, which starts with nothing open, the default settings and this one's threads and memory, and
            may write over files and run shell commands only if nacre was started so; this session stays as it is. Every line
            that looks like NAME> COMMAND runs, also one that a command has printed, such as a text of a model: read a
            transcript from elsewhere before replaying it.

            Text must be the same; numbers may differ by --tolerance, a share of the larger of the two. The default, 0.001,
            is one unit in the last of four digits, so whole numbers below 1000 must be equal; 0 asks for the same text.
            Numbers within words or quotes are text. Columns may be wider or narrower where a number in the output has changed;
            times that timer on prints, and the line of a script at which an error stood, are not compared. Other tolerances
            are stated in the transcript, in a comment at the end of a command's line or in a line before it, which begins
            with #:
              # tolerance 0.02      numbers in the output of this command may differ by 2 %
              # tolerance any       any number will do

            Where the output differs, replay shows the transcript's lines with -, what is printed now with +, and fails with
            exit code 3. --update writes into the transcript what is printed now wherever it differs by more than the
            tolerance; comments stay. The option is the permission to replace that one file at the prompt and with -c;
            a script needs --overwrite.
            """)
    package static let traits = CommandTraits(
        .session, makesValue: true, kinds: ["file": .file, "tolerance": .choice(["0", "0.001", "0.01", "any"])],
        examples: [
            "replay Scripts/tour.transcript", "replay Scripts/tour.transcript --tolerance 0.01",
            "replay Scripts/tour.transcript --update",
        ])

    @Argument(help: "The transcript.") var file: String
    @Option(help: "How far numbers may differ where the transcript does not say, as a share, or any. (default: 0.001)")
    var tolerance: String?
    @Flag(help: "Write what is printed now into the transcript.") var update = false

    package init() {}

    package func run(in interpreter: Interpreter, from origin: Interpreter.Origin) throws -> Outcome {
        var tolerance = Transcript.Tolerance.standard
        if let text = self.tolerance {
            guard let given = Transcript.Tolerance(text) else {
                throw CommandError(
                    "--tolerance can't be \"\(text.escapedForTerminal)\"", remedy: Transcript.Tolerance.rule,
                    exitCode: 2)
            }
            tolerance = given
        }
        let path = expandTilde(file)
        let transcript = try Transcript(try TextFile.read(path), file: path)
        let target = update ? try output(path, interpreter.session, origin) : nil
        let replay = try Replay(
            transcript, file: path, path: Self.resolved(path), tolerance: tolerance, in: interpreter)
        let differing = replay.differing.count
        let shown = path.escapedForTerminal
        let commands = "\(differing) of \(counted(replay.results.count { !$0.entry.isComment }, "command"))"
        if let target {
            let text = replay.updated.text
            guard text != transcript.text else { return Outcome(replay.report(title: "\(path) is as it was")) }
            try target.write(text)
            try target.commit()
            return Outcome(replay.report(title: "\(path) is rewritten: \(commands) printed something else"))
        }
        guard differing > 0 else { return Outcome(replay.report(title: "\(path) holds")) }
        var outcome = Outcome(replay.report(title: "\(path) does not hold"))
        outcome.failure = CommandError(
            "\(commands) of \(shown) \(agreeing(differing, "prints", "print")) something else",
            remedy: "replay \(shown) --update accepts it", exitCode: 3)
        return outcome
    }

    /// Opens the transcript that will be replaced. This happens before the commands run, so that no work is lost if it
    /// is refused.
    ///
    /// - Throws: `CommandError` if a script may not replace files, or if the file can't be written.
    private func output(_ path: String, _ session: Session, _ origin: Interpreter.Origin) throws -> OutputFile {
        let isScript = if case .script = origin { true } else { false }
        guard !isScript || session.rights.overwrite else {
            throw CommandError(
                "a script replaces no file, and so no transcript",
                remedy: "start nacre with --overwrite, or replay --update at the prompt or with -c")
        }
        return try OutputFile(path, overwrite: true)
    }

    /// Returns the real path, which is the same for all names of a file.
    private static func resolved(_ path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
