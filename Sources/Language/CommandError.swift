/// An error of a command: what it could not do, and how to mend that.
package struct CommandError: Error, Equatable, CustomStringConvertible {
    package let problem: String
    package let remedy: String?
    package let exitCode: Int32

    package init(_ problem: String, remedy: String? = nil, exitCode: Int32 = 1) {
        self.problem = problem
        self.remedy = remedy
        self.exitCode = exitCode
    }

    package var description: String { remedy.map { "\(problem); \($0)" } ?? problem }
}
