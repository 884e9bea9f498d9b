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
    private static let ending = Atomic<Int32>(0)
    /// Paths of the mapped files, ready to be written by a signal handler.
    private nonisolated(unsafe) static let mappedNames = UnsafeMutablePointer<CChar>.allocate(capacity: nameCapacity)
    private static let nameCapacity = 4096
    private nonisolated(unsafe) static let busMessage =
        strdup("nacre: a file was cut short by another program while it was mapped: ")!

    /// Installs the handlers. Readline puts its own in place of SIGINT's while it reads a line.
    package static func install(control: RunControl) {
        self.control = control
        // Statics are made on first use, which must not be in a handler.
        _ = wasInterrupted.load(ordering: .relaxed)
        _ = ending.load(ordering: .relaxed)
        _ = busMessage
        mappedNames.pointee = 0
        handle(SIGINT) { _ in Interrupts.interrupt() }
        handle(SIGBUS) { _ in Interrupts.leaveAfterBusError() }
        // Writing to a pager or a pipe that has gone is an error of that write, not the end of the session.
        signal(SIGPIPE, SIG_IGN)
    }

    /// Without SA_RESTART: a pager or a pipe that blocks must see the interruption.
    private static func handle(_ number: Int32, _ handler: @escaping @convention(c) (Int32) -> Void) {
        var action = sigaction()
        #if canImport(Glibc)
            action.__sigaction_handler.sa_handler = handler
        #else
            action.__sigaction_u.__sa_handler = handler
        #endif
        sigaction(number, &action, nil)
    }

    /// Runs a command so that SIGTERM and SIGHUP, too, cancel it and let it remove its unfinished files; the process
    /// then ends by that signal. Between commands both have their usual effect.
    package static func endingCleanly<Result>(_ body: () -> Result) -> Result {
        for number in [SIGTERM, SIGHUP] {
            handle(number) { number in
                Interrupts.ending.store(number, ordering: .relaxed)
                Interrupts.interrupt()
            }
        }
        defer {
            for number in [SIGTERM, SIGHUP] { signal(number, SIG_DFL) }
            let number = ending.load(ordering: .relaxed)
            if number != 0 { raise(number) }
        }
        return body()
    }

    /// Standard input, output and error exist: otherwise the next file that is opened would take their place.
    package static func openStandardDescriptors() {
        for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(descriptor, F_GETFD) < 0 {
            _ = open("/dev/null", O_RDWR)
        }
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
        _ = write(STDERR_FILENO, busMessage, strlen(busMessage))
        _ = write(STDERR_FILENO, mappedNames, strlen(mappedNames))
        var newline = CChar(10)
        _ = write(STDERR_FILENO, &newline, 1)
        _exit(1)
    }
}
