package import Control
package import LinearAlgebra
package import Sites
import Synchronization
package import Workbench

package enum Pools {
    /// Two threads that all tests of a process share: a pool runs one set of tasks at a time, whoever asks.
    package static let two = pool(2)
    /// A pool of its own that starts no thread, so that tests can run side by side.
    package static var one: ThreadPool { pool(1) }

    private static func pool(_ threads: Int) -> ThreadPool {
        guard let pool = try? ThreadPool(threadCount: threads) else { preconditionFailure("no threads") }
        return pool
    }
}

extension RunContext {
    /// A context of its own for a test, with a history of its own.
    package static func testing(
        threads: Int = 1, control: RunControl = RunControl(), seed: UInt64 = 0, memory: MemoryLimit? = nil,
        precision: Precision = .f32, calibrations: CalibrationCache = CalibrationCache(folder: nil),
        wantsEstimates: Bool = false, tell: @escaping (Event) -> Void = { _ in }
    ) -> RunContext {
        RunContext(
            pool: threads == 1 ? Pools.one : Pools.two, control: control, seed: seed, memory: memory,
            precision: precision, history: RunHistory(), calibrations: calibrations, wantsEstimates: wantsEstimates,
            tell: tell)
    }

    /// One whose control has been cancelled already.
    package static var cancelled: RunContext {
        let control = RunControl()
        control.cancel()
        return testing(control: control)
    }
}

/// A control that is cancelled when a computation first reports how far it is.
package func controlThatGivesUp() -> RunControl {
    let held = Held()
    let control = RunControl { _, _, _ in held.control.withLock { $0?.cancel() } }
    held.control.withLock { $0 = control }
    return control
}

private final class Held: Sendable {
    let control = Mutex<RunControl?>(nil)
}

/// What a context has been told.
package final class Told {
    package private(set) var events: [RunContext.Event] = []

    package init() {}

    package func tell(_ event: RunContext.Event) { events.append(event) }

    /// The progress of each scope, done and total.
    package var scopes: [(done: Int, total: Int)] {
        events.compactMap { if case .scope(let done, let total) = $0 { (done, total) } else { nil } }
    }

    /// What the numbers rest on.
    package var premises: [Premise] {
        events.compactMap { if case .premise(let premise) = $0 { premise } else { nil } }
    }

    /// Whether the last event ends a scope.
    package var isOver: Bool { if case .scopeEnded? = events.last { true } else { false } }
}

/// Whether an error's description is fit for a module that knows no shell: it says something, and names no option.
package func saysWhatIsWrong(_ error: any Error) -> Bool {
    let text = "\(error)"
    return !text.isEmpty && !text.contains("--") && !text.hasSuffix(".")
}
