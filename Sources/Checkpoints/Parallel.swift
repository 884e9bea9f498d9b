import Control
import Dispatch
internal import LinearAlgebra
import Synchronization

/// Runs `body` for 0 ..< count on several threads, in that order of starting; stops at the first error.
func forEachInParallel(
    _ count: Int, threads: Int, control: RunControl, _ body: @Sendable (Int) throws -> Void
) throws {
    let next = Atomic<Int>(0)
    let failure = Mutex<(any Error)?>(nil)
    DispatchQueue.concurrentPerform(iterations: max(1, min(threads, count))) { _ in
        while true {
            let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
            if index >= count || failure.withLock({ $0 != nil }) { return }
            do {
                try control.checkCancellation()
                try body(index)
            } catch {
                failure.withLock { $0 = $0 ?? error }
            }
        }
    }
    if let error = failure.withLock({ $0 }) { throw error }
}
