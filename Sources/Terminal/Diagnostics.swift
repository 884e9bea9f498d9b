import TerminalText

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// A writer of messages to standard error. Whatever they quote, no control character of it reaches the terminal.
package enum Diagnostics {
    package static func write(_ text: String) {
        fflush(stdout)
        fputs(text.escapedForTerminal(keepingLineBreaks: true) + "\n", stderr)
    }
}
