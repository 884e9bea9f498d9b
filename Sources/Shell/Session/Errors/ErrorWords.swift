import Checkpoints
import Language
import Reports
import Terminal
import TerminalText
import Workbench

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

extension CommandError {
    /// Turns an error of the modules below into one of the shell. Those modules know nothing of options, remedies and
    /// exit codes.
    ///
    /// - Returns: Nil for an error whose own description says all there is to say.
    init?(_ error: any Error) {
        switch error {
        case let error as CommandError: self = error
        case let error as any WordedError: self = error.command
        default: return nil
        }
    }

    /// Returns an error as one sentence, with its remedy where the shell knows one.
    static func words(_ error: any Error) -> String { CommandError(error)?.description ?? "\(error)" }
}

/// An error of a module below, for which the shell has words. Each module's are in a file beside this one.
protocol WordedError: Error {
    /// The error with the names of options, its remedy and its exit code.
    var command: CommandError { get }
}

extension PictureError: WordedError {
    var command: CommandError { CommandError(problem, remedy: remedy) }
}

extension OutputError: WordedError {
    var command: CommandError {
        switch self {
        case .noName: CommandError("the name of a file is empty", remedy: "give one", exitCode: 2)
        case .exists(let path):
            CommandError(
                "can't write \(path.escapedForTerminal): File exists",
                remedy: "choose another name, or \(Rights.remedy("--overwrite"))")
        case .notOwn(let path):
            CommandError(
                "can't add to \(path.escapedForTerminal): a script adds only to files that it made",
                remedy: "choose another name, or \(Rights.remedy("--overwrite"))")
        case .notRegular(let path):
            CommandError(
                "can't write \(path.escapedForTerminal): a script writes to no device and no pipe",
                remedy: "choose another name, or \(Rights.remedy("--overwrite"))")
        case .system(let path, let code):
            CommandError(
                "can't write \(path.escapedForTerminal): \(String(cString: strerror(code)))",
                remedy: "check the folder, its space and who may write there")
        }
    }
}

extension PipeError: WordedError {
    var command: CommandError {
        func reason(_ code: Int32) -> String { String(cString: strerror(code)) }
        return switch self {
        case .cannotRun(let line, let code): CommandError("can't run \(line.escapedForTerminal): \(reason(code))")
        case .noCommand(let line): CommandError("the shell found no command for: \(line.escapedForTerminal)")
        case .cannotKeep(let code): CommandError("can't keep what a shell command prints: \(reason(code))")
        case .cannotWrite(let name, let code):
            CommandError("can't write to \(name.escapedForTerminal): \(reason(code))")
        }
    }
}

extension ReportPathError: WordedError {
    var command: CommandError { CommandError(problem, remedy: remedy, exitCode: isMalformed ? 2 : 1) }
}

extension UnfinishedCapture: WordedError {
    var command: CommandError {
        CommandError("\(CommandError.words(cause)); \(kept)", remedy: "the same command goes on from there")
    }
}
