import Control
import LinearAlgebra

/// Steps of a study that are alike to whoever watches, each with the progress of the whole.
package final class StudySteps {
    private let context: RunContext
    private let total: Int
    private var done = 0

    init(_ context: RunContext, total: Int) {
        self.context = context
        self.total = total
    }

    /// Does the next step. What its own runs report is a part of it.
    ///
    /// - Throws: `CancellationError` if the user has given up; what the step throws.
    package func callAsFunction<Value>(_ step: () throws -> Value) throws -> Value {
        try context.control.checkCancellation()
        context.tell(.scope(done: done * 1000, total: total * 1000))
        done += 1
        return try step()
    }
}

extension RunContext {
    /// The steps of a study that has so many. When all are over, or one has failed, the study tells `.scopeEnded`.
    package func steps(_ total: Int) -> StudySteps { StudySteps(self, total: total) }
}
