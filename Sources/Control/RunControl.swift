import Synchronization

/// The control of a long computation: it tells the computation whether the user has given up, and takes its progress.
///
/// The computation polls `isCancelled` between tiles of work of at most a few milliseconds each. When it is cancelled,
/// it throws `CancellationError` and leaves nothing half done.
package final class RunControl: Sendable {
    private let cancelled = Atomic<Bool>(false)
    private let parent: RunControl?
    private let progress: @Sendable (_ done: Int, _ total: Int, _ unit: String) -> Void

    package init(progress: @escaping @Sendable (_ done: Int, _ total: Int, _ unit: String) -> Void = { _, _, _ in }) {
        self.progress = progress
        parent = nil
    }

    private init(
        within parent: RunControl, progress: @escaping @Sendable (_ done: Int, _ total: Int, _ unit: String) -> Void
    ) {
        self.parent = parent
        self.progress = progress
    }

    /// A control for a part of a computation whose progress is not the progress of the whole. It is cancelled when this
    /// control is, and it is silent.
    package var silent: RunControl { RunControl(within: self) { _, _, _ in } }

    /// A control for a part of a computation that can be cancelled by itself. It is also cancelled when this control
    /// is, and it reports its progress to the same place.
    package var nested: RunControl { RunControl(within: self, progress: progress) }

    /// Cancels the computation. The function may be called from a signal handler.
    package func cancel() { cancelled.store(true, ordering: .relaxed) }

    package func reset() { cancelled.store(false, ordering: .relaxed) }

    package var isCancelled: Bool { cancelled.load(ordering: .relaxed) || parent?.isCancelled == true }

    package func checkCancellation() throws {
        if isCancelled { throw CancellationError() }
    }

    package func report(done: Int, total: Int, unit: String) { progress(done, total, unit) }
}
