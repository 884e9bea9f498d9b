import Dispatch
import Synchronization

/// Work that can't be interrupted, such as a call of LAPACK, run so that the user can give up on it.
package enum Interruptible {
    /// Runs `work` on another thread and waits; when cancelled, throws at once and lets the result be discarded.
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

    /// The same for work that asks a control of its own: given up with the session's, it stays given up when the session
    /// goes on.
    ///
    /// - Parameter isSilent: whether the work's progress is left unsaid, being a part of what the caller reports.
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
