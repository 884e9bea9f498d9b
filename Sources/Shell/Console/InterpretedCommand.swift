import Language

/// A command that runs others, and so needs more than a session.
package protocol InterpretedCommand: Command {
    func run(in interpreter: Interpreter, from origin: Interpreter.Origin) throws -> Outcome
}

extension InterpretedCommand {
    package mutating func run(in session: Session) throws -> Outcome {
        throw CommandError("\(Self.verb) runs in an interpreter only")
    }
}
