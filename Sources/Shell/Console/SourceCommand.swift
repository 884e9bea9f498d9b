package import ArgumentParser
import Language

package struct SourceCommand: InterpretedCommand {
    package static let configuration = CommandConfiguration(
        commandName: "source", abstract: "Run the commands of a file.",
        discussion: """
            In the script $1, $2, ... are the arguments, $# is their number, $@ all of them, and ${1:-TEXT} the first or,
            without one, TEXT. It stops at the first error unless nacre was started with --keep-going. Recordings and
            Scripts/*.nacre are such files.

            A script runs no shell commands, replaces no files, adds to none that it did not make and writes to no devices,
            unless nacre was started with --allow-shell or --overwrite. At the prompt, and in the rc file, source takes these
            two options for one file and the files that it sources.
            """)
    package static let traits = CommandTraits(.session, kinds: ["file": .file])

    @Argument(help: "The script.") var file: String
    @Argument(help: "Its arguments.") var arguments: [String] = []
    @Flag(help: "Let the script run shell commands.") var allowShell = false
    @Flag(help: "Let the script replace files, add to them and write to devices.") var overwrite = false

    package init() {}

    package func run(in interpreter: Interpreter, from origin: Interpreter.Origin) throws -> Outcome {
        let session = interpreter.session
        for (name, isGiven, isHeld) in [
            ("--allow-shell", allowShell, session.rights.shell), ("--overwrite", overwrite, session.rights.overwrite),
        ] where isGiven && !isHeld {
            throw CommandError(
                "a script can't give another one \(name)", remedy: "start nacre with \(name)", exitCode: 2)
        }
        try interpreter.source(
            expandTilde(file), arguments: arguments,
            rights: Rights(
                shell: allowShell || session.fileRights.shell, overwrite: overwrite || session.fileRights.overwrite))
        return .none
    }
}
