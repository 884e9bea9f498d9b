import Language

/// A command that runs other commands and therefore needs an interpreter beside the session.
package protocol InterpretedCommand: Command {
    func run(in interpreter: Interpreter, from origin: Interpreter.Origin) throws -> Outcome
}

extension InterpretedCommand {
    package mutating func run(in session: Session) throws -> Outcome {
        throw CommandError("\(Self.verb) runs in an interpreter only")
    }
}
