import ArgumentParser
import Shell
import Terminal

/// The command line; everything after the flags is the shell's.
@main
struct Nacre: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nacre", abstract: "A shell for looking inside transformer checkpoints.",
        usage: "nacre [FILE ...] [-c CMD ...] [-f SCRIPT [ARG ...]] [options]",
        discussion: """
            Opens each FILE, then runs the -c commands, then the script; without either it reads commands from the prompt or
            from standard input. In the shell, help lists the commands.
            """, version: Session.version)

    @Argument(help: "Checkpoints to open: HDF5 files, Hugging Face folders, .safetensors files.")
    var files: [String] = []
    @Option(name: .short, help: ArgumentHelp("Run a command; may be repeated.", valueName: "command"))
    var c: [String] = []
    @Option(
        name: .short, parsing: .remaining,
        help: ArgumentHelp("Run a script; everything after its name goes to it as $1, $2, ...", valueName: "script"))
    var f: [String] = []
    @Option(help: "A config.json to use instead of the files' own.") var config: String?
    @Flag(help: "Print each command before its output.") var echo = false
    @Flag(help: "Go on after an error.") var keepGoing = false
    @Option(help: "How reports are printed: table, csv, json, jsonl, markdown, line.") var mode: String?
    @Flag(help: "Do not read $XDG_CONFIG_HOME/nacre/rc.") var noInit = false
    @Option(help: "The seed of everything random.") var seed: String?
    @Option(help: "Threads that compute.") var threads: String?
    @Option(help: "Memory that a run may take, such as 2GB or 512MiB.") var memory: String?
    @Option(help: "Colours: auto, always, never.") var color: String?
    @Flag(help: "Let scripts run shell commands.") var allowShell = false
    @Flag(help: "Let scripts replace files.") var overwrite = false

    func run() throws {
        var invocation = Invocation()
        invocation.files = files
        invocation.configuration = config
        invocation.commands = c
        invocation.script = f.first
        invocation.scriptArguments = Array(f.dropFirst())
        invocation.echo = echo
        invocation.keepGoing = keepGoing
        invocation.noInit = noInit
        invocation.allowShell = allowShell
        invocation.overwrite = overwrite
        let given: [(Settings.Key, String?)] = [
            (.mode, mode), (.seed, seed), (.threads, threads), (.memory, memory), (.color, color),
        ]
        invocation.settings = given.compactMap { key, value in value.map { (key, $0) } }
        throw ExitCode(Shell.run(invocation))
    }

    static func main() {
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch let code as ExitCode {
            exit(withError: code)
        } catch {
            // ArgumentParser's own code for a usage error is 64; ours is 2.
            let isHelp = exitCode(for: error) == .success
            if isHelp { exit(withError: error) }
            Diagnostics.write(fullMessage(for: error))
            exit(withError: ExitCode(2))
        }
    }
}
