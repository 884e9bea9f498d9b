import Control
import LinearAlgebra

/// The steps of a study, each of which counts as the same share of its progress.
package final class StudySteps {
    private let context: RunContext
    private let total: Int
    private var done = 0

    init(_ context: RunContext, total: Int) {
        self.context = context
        self.total = total
    }

    /// Does the next step of the study; the progress that its own runs report counts as part of that step.
    ///
    /// - Throws: `CancellationError` if the user has given up; the step's errors.
    package func callAsFunction<Value>(_ step: () throws -> Value) throws -> Value {
        try context.control.checkCancellation()
        context.tell(.scope(done: done * 1000, total: total * 1000))
        done += 1
        return try step()
    }
}

extension RunContext {
    /// Returns the steps of a study that has `total` of them. When all are over, or one has failed, the study has to
    /// tell `.scopeEnded`.
    package func steps(_ total: Int) -> StudySteps { StudySteps(self, total: total) }
}
