package import ArgumentParser

package struct SourceCommand: InterpretedCommand {
    package static let configuration = CommandConfiguration(
        commandName: "source", abstract: "Run the commands of a file.",
        discussion: """
            In the script $1, $2, ... are the arguments, $# is their number, $@ all of them, and ${1:-TEXT} the first or,
            without one, TEXT. It stops at the first error unless nacre was started with --keep-going. Recordings and
            Scripts/*.nacre are such files.
            """)
    package static let traits = CommandTraits(.session, kinds: ["file": .file])

    @Argument(help: "The script.") var file: String
    @Argument(help: "Its arguments.") var arguments: [String] = []

    package init() {}

    package func run(in interpreter: Interpreter, from origin: Interpreter.Origin) throws -> Outcome {
        try interpreter.source(expandTilde(file), arguments: arguments)
        return .none
    }
}
