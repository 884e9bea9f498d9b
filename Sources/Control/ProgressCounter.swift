import Synchronization

/// Counts the parts of a computation that are done, on any thread, and reports each to the computation's control.
package final class ProgressCounter: Sendable {
    private let control: RunControl
    private let total: Int
    private let unit: String
    private let done = Atomic(0)

    fileprivate init(_ control: RunControl, total: Int, unit: String) {
        self.control = control
        self.total = total
        self.unit = unit
    }

    /// Counts one part more.
    package func callAsFunction() {
        control.report(done: done.wrappingAdd(1, ordering: .relaxed).newValue, total: total, unit: unit)
    }
}

extension RunControl {
    /// Returns a counter for a computation of so many parts.
    ///
    /// - Parameter unit: the plural noun that progress counts the parts in.
    package func counter(_ total: Int, _ unit: String) -> ProgressCounter {
        ProgressCounter(self, total: total, unit: unit)
    }
}
