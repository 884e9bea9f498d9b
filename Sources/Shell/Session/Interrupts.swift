package import LinearAlgebra
import Synchronization

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// The process's signals: Ctrl-C cancels the running command, a mapped file that was cut short ends the session.
package enum Interrupts {
    /// What SIGINT cancels; the same object for the whole session, so that a handler may use it at any time.
    private nonisolated(unsafe) static var control: RunControl?
    private static let wasInterrupted = Atomic<Bool>(false)
    /// Paths of the mapped files, ready to be written by a signal handler.
    private nonisolated(unsafe) static let mappedNames = UnsafeMutablePointer<CChar>.allocate(capacity: nameCapacity)
    private static let nameCapacity = 4096

    /// Installs the handlers. Readline puts its own in place of SIGINT's while it reads a line.
    package static func install(control: RunControl) {
        self.control = control
        _ = wasInterrupted.load(ordering: .relaxed)
        mappedNames.pointee = 0
        // sigaction without SA_RESTART: a pager or a pipe that blocks must see the interruption.
        var action = sigaction()
        #if canImport(Glibc)
            action.__sigaction_handler.sa_handler = { _ in Interrupts.interrupt() }
        #else
            action.__sigaction_u.__sa_handler = { _ in Interrupts.interrupt() }
        #endif
        sigaction(SIGINT, &action, nil)
        #if canImport(Glibc)
            action.__sigaction_handler.sa_handler = { _ in Interrupts.leaveAfterBusError() }
        #else
            action.__sigaction_u.__sa_handler = { _ in Interrupts.leaveAfterBusError() }
        #endif
        sigaction(SIGBUS, &action, nil)
        // Writing to a pager or a pipe that has gone is an error of that write, not the end of the session.
        signal(SIGPIPE, SIG_IGN)
    }

    /// Whether Ctrl-C was pressed since the last call.
    package static func takeInterruption() -> Bool {
        wasInterrupted.exchange(false, ordering: .relaxed)
    }

    /// Names what is mapped, for the message of `SIGBUS`.
    package static func setMappedFiles(_ paths: [String]) {
        let text = paths.joined(separator: ", ").utf8.prefix(nameCapacity - 1)
        for (index, byte) in text.enumerated() { mappedNames[index] = CChar(bitPattern: byte) }
        mappedNames[text.count] = 0
    }

    private static func interrupt() {
        wasInterrupted.store(true, ordering: .relaxed)
        control?.cancel()
    }

    /// Only calls that POSIX allows in a signal handler. The history is already on disk: it is appended to after each
    /// command.
    private static func leaveAfterBusError() {
        for text in ["nacre: a file was cut short by another program while it was mapped: "] {
            text.withCString { _ = write(STDERR_FILENO, $0, strlen($0)) }
        }
        _ = write(STDERR_FILENO, mappedNames, strlen(mappedNames))
        _ = "\n".withCString { write(STDERR_FILENO, $0, 1) }
        _exit(1)
    }
}
