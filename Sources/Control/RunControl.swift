import Synchronization

/// What a long computation asks while it runs: has the user given up, and where should progress go.
///
/// `isCancelled` is polled between tiles of work of at most a few milliseconds each; a computation that sees it
/// throws `CancellationError` and leaves nothing half done.
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

    /// For a part of a computation whose progress is not the whole's: cancelled when this is, and silent.
    package var silent: RunControl { RunControl(within: self) { _, _, _ in } }

    /// For a part of a computation that can be given up by itself: cancelled when this is, and its progress is this one's.
    package var nested: RunControl { RunControl(within: self, progress: progress) }

    /// Safe to call from a signal handler.
    package func cancel() { cancelled.store(true, ordering: .relaxed) }

    package func reset() { cancelled.store(false, ordering: .relaxed) }

    package var isCancelled: Bool { cancelled.load(ordering: .relaxed) || parent?.isCancelled == true }

    package func checkCancellation() throws {
        if isCancelled { throw CancellationError() }
    }

    package func report(done: Int, total: Int, unit: String) { progress(done, total, unit) }
}
