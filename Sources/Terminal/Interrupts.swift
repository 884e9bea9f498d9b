import Checkpoints
package import Control
import Synchronization

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// The handling of the process's signals. Ctrl-C cancels the running command, and a mapped file that was cut short ends
/// the session.
package enum Interrupts {
    /// The control that SIGINT cancels. It is the same object for the whole session, so that a signal handler may use
    /// it at any time.
    private nonisolated(unsafe) static var control: RunControl?
    private static let wasInterrupted = Atomic<Bool>(false)
    private static let ending = Atomic<Int32>(0)
    private nonisolated(unsafe) static let busMessage =
        strdup("nacre: a file was cut short by another program while it was mapped: ")!

    /// Installs the signal handlers. Readline puts its own handler in place of SIGINT's while it reads a line.
    package static func install(control: RunControl) {
        self.control = control
        // The parent process may have had signals blocked, as worker threads of other programs do.
        var ours = sigset_t()
        sigemptyset(&ours)
        for number in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&ours, number) }
        pthread_sigmask(SIG_UNBLOCK, &ours, nil)
        _ = endings
        // Swift initialises static variables at their first use, which must not happen inside a signal handler.
        _ = wasInterrupted.load(ordering: .relaxed)
        _ = ending.load(ordering: .relaxed)
        _ = busMessage
        MappedCheckpoints.prepare()
        handle(SIGINT) { _ in Interrupts.interrupt() }
        handleBusError()
        // Writing to a pager or a pipe that has gone is an error of that write and does not end the session.
        signal(SIGPIPE, SIG_IGN)
        // Writing more than a limit on the size of files allows is an error of that write, too.
        signal(SIGXFSZ, SIG_IGN)
    }

    /// Installs a handler without SA_RESTART, because a blocked write to a pager or a pipe must notice the
    /// interruption.
    private static func handle(_ number: Int32, _ handler: @escaping @convention(c) (Int32) -> Void) {
        var action = sigaction()
        #if canImport(Glibc)
            action.__sigaction_handler.sa_handler = handler
        #else
            action.__sigaction_u.__sa_handler = handler
        #endif
        sigaction(number, &action, nil)
    }

    /// The signals that end the process, except those that it was started to ignore, so that nohup keeps its effect.
    private static let endings: [Int32] = [SIGTERM, SIGHUP].filter { number in
        var action = sigaction()
        sigaction(number, nil, &action)
        #if canImport(Glibc)
            let handler = action.__sigaction_handler.sa_handler
        #else
            let handler = action.__sigaction_u.__sa_handler
        #endif
        return unsafeBitCast(handler, to: Int.self) != unsafeBitCast(SIG_IGN, to: Int.self)
    }

    /// Installs the handler of SIGBUS, which a file causes that was cut short while it is mapped. The faulting address
    /// tells which file that was.
    private static func handleBusError() {
        var action = sigaction()
        action.sa_flags = Int32(SA_SIGINFO)
        #if canImport(Glibc)
            action.__sigaction_handler.sa_sigaction = { _, info, _ in
                Interrupts.leaveAfterBusError(UInt(bitPattern: info?.pointee._sifields._sigfault.si_addr))
            }
        #else
            action.__sigaction_u.__sa_sigaction = { _, info, _ in
                Interrupts.leaveAfterBusError(UInt(bitPattern: info?.pointee.si_addr))
            }
        #endif
        sigaction(SIGBUS, &action, nil)
    }

    /// Runs a command in such a way that SIGTERM and SIGHUP also cancel it and let it remove its unfinished files.
    /// Afterwards the process ends by that signal. Between commands both signals have their usual effect.
    package static func endingCleanly<Result>(_ body: () -> Result) -> Result {
        for number in endings {
            handle(number) { number in
                Interrupts.ending.store(number, ordering: .relaxed)
                Interrupts.interrupt()
            }
        }
        defer {
            for number in endings { signal(number, SIG_DFL) }
            let number = ending.load(ordering: .relaxed)
            if number != 0 { raise(number) }
        }
        return body()
    }

    /// Makes sure that the descriptors of standard input, output and error are open. Otherwise the next file that is
    /// opened would take the place of the missing one.
    package static func openStandardDescriptors() {
        for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(descriptor, F_GETFD) < 0 {
            _ = open("/dev/null", O_RDWR)
        }
    }

    /// Returns whether a command was interrupted since the last call: by Ctrl-C, or within `endingCleanly` by SIGTERM
    /// or SIGHUP.
    package static func takeInterruption() -> Bool {
        wasInterrupted.exchange(false, ordering: .relaxed)
    }

    private static func interrupt() {
        wasInterrupted.store(true, ordering: .relaxed)
        control?.cancel()
    }

    /// Prints the message and the path of the file, and ends the process. The function makes only calls that POSIX
    /// allows in a signal handler. The history is already on disk, because it is appended to after each command.
    private static func leaveAfterBusError(_ address: UInt) {
        _ = write(STDERR_FILENO, busMessage, strlen(busMessage))
        if let path = MappedCheckpoints.path(at: address) { _ = write(STDERR_FILENO, path, strlen(path)) }
        var newline = CChar(10)
        _ = write(STDERR_FILENO, &newline, 1)
        _exit(1)
    }
}
