import Dispatch
import Synchronization

/// A way to run work that can't be interrupted, such as a call of LAPACK, so that the user can give up on it.
package enum Interruptible {
    /// Runs `work` on another thread and waits for it. When the run is cancelled, the function throws at once, and the
    /// work continues in the background until its result is discarded.
    ///
    /// - Throws: `CancellationError` after a cancellation, and the errors of `work`.
    package static func run<Result: Sendable>(
        _ control: RunControl, _ work: @escaping @Sendable () throws -> Result
    ) throws -> Result {
        let done = DispatchSemaphore(value: 0)
        let box = Box<Result>()
        DispatchQueue.global().async {
            box.set(Swift.Result { try work() })
            done.signal()
        }
        while done.wait(timeout: .now() + .milliseconds(20)) == .timedOut {
            try control.checkCancellation()
        }
        return try box.get()
    }

    /// Runs work that polls a control of its own, which is cancelled together with the session's. The work then stays
    /// cancelled even when the session's control is reset.
    ///
    /// - Parameters:
    ///   - control: The control of the session.
    ///   - isSilent: Whether the work's progress is not shown, because it is a part of what the caller reports.
    ///   - work: The work, which receives its own control.
    /// - Throws: `CancellationError` after a cancellation, and the errors of `work`.
    package static func run<Result: Sendable>(
        _ control: RunControl, isSilent: Bool = true, _ work: @escaping @Sendable (_ inner: RunControl) throws -> Result
    ) throws -> Result {
        let inner = isSilent ? control.silent : control.nested
        do {
            return try run(control) { try work(inner) }
        } catch is CancellationError {
            inner.cancel()
            throw CancellationError()
        }
    }

    private final class Box<Value: Sendable>: Sendable {
        private let value = Mutex<Swift.Result<Value, any Error>?>(nil)

        func set(_ result: Swift.Result<Value, any Error>) { value.withLock { $0 = result } }

        func get() throws -> Value {
            guard let result = value.withLock({ $0 }) else { throw CancellationError() }
            return try result.get()
        }
    }
}
