import Control
import Synchronization

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// A line on standard error that shows the progress of a long command. It appears only on a terminal, and after half a
/// second.
package final class ProgressLine: Sendable {
    private struct State {
        var start: Double?
        var unit = ""
        /// The number of units that were done at `start`.
        var before = 0
        /// The number of units that the command had done before the run that reports, and the number of the whole
        /// command.
        var scope: (done: Int, total: Int)?
        var lastDrawn = 0.0
        var isShown = false
    }

    private let state = Mutex(State())
    private let isTerminal = isatty(STDERR_FILENO) != 0
    private let enabled = Atomic<Bool>(true)

    package init() {}

    package func setEnabled(_ on: Bool) { enabled.store(on, ordering: .relaxed) }

    /// Whether the line is visible: standard error is a terminal, and the line is enabled.
    package var isShown: Bool { isTerminal && enabled.load(ordering: .relaxed) }

    /// Declares that the following reports are of a part of a command.
    ///
    /// - Parameters:
    ///   - done: The number of units that the command has already done.
    ///   - total: The number of units of the whole command.
    package func setScope(done: Int, total: Int) { state.withLock { $0.scope = (done, total) } }

    package func update(done: Int, total: Int, unit: String) {
        guard isShown else { return }
        let now = Clock.seconds()
        state.withLock { state in
            let done = done + (state.scope?.done ?? 0)
            let total = state.scope?.total ?? total
            if unit != state.unit || done < state.before {
                // Another part of the command has begun, and it has a rate of its own.
                state.unit = unit
                if state.start != nil {
                    state.start = now - 0.5
                    state.before = done
                }
            }
            guard let start = state.start else {
                state.start = now
                state.before = done
                return
            }
            let elapsed = now - start
            guard elapsed > 0.5, now - state.lastDrawn > 0.1 else { return }
            state.lastDrawn = now
            state.isShown = true
            let rate = Double(done - state.before) / elapsed
            let left = rate > 0 ? Double(total - done) / rate : 0
            let width = 24
            let filled = total > 0 ? min(width, width * done / total) : 0
            let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled)
            let percent = total > 0 ? 100 * done / total : 0
            write(
                "\r\u{1B}[K[\(bar)] \(percent)%  \(done)/\(total) \(unit)  \(Self.brief(rate))/s  \(Self.time(left)) left"
            )
        }
    }

    /// Removes the line and forgets when the command began.
    package func clear() {
        state.withLock { state in
            if state.isShown { write("\r\u{1B}[K") }
            state = State()
        }
    }

    private func write(_ text: String) {
        fputs(text, stderr)
        fflush(stderr)
    }

    private static func brief(_ rate: Double) -> String {
        rate >= 1e6
            ? "\((rate / 1e5).rounded() / 10)M" : rate >= 1e4 ? "\((rate / 1e3).rounded())k" : "\(rate.rounded())"
    }

    private static func time(_ seconds: Double) -> String {
        let whole = Int(min(seconds, 1e7))
        return whole >= 60 ? "\(whole / 60) min \(whole % 60) s" : "\(whole) s"
    }
}
