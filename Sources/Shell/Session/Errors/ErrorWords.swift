import Claims
import Comparison
import Directions
import Language
import Reports
import Workbench

extension CommandError {
    /// Turns an error of the modules below into one of the shell. Those modules know nothing of options, remedies and
    /// exit codes.
    ///
    /// - Returns: Nil for an error whose own description says all there is to say.
    init?(_ error: any Error) {
        switch error {
        case let error as CommandError: self = error
        case let error as WorkbenchError: self = error.command
        case let error as ComparisonError: self = error.command
        case let error as SpectrumError: self = error.command
        case let error as DirectionsError: self = error.command
        case let error as RowError: self = error.command
        case let error as EditError: self = error.command
        case let error as ClaimsError: self = error.command
        case let error as SenseError: self = error.command
        case let error as PictureError: self.init(error.problem, remedy: error.remedy)
        case let error as ReportPathError:
            self.init(error.problem, remedy: error.remedy, exitCode: error.isMalformed ? 2 : 1)
        case let error as UnfinishedCapture:
            self.init(
                "\(Self.words(error.cause)); \(error.kept)", remedy: "the same command goes on from there")
        default: return nil
        }
    }

    /// Returns an error as one sentence, with its remedy where the shell knows one.
    static func words(_ error: any Error) -> String { CommandError(error)?.description ?? "\(error)" }
}
