import Language

extension Parser {
    /// Returns whether a command's text needs more lines to be parsed: a quote is open, or a backslash ends the text.
    static func needsContinuation(_ text: String) -> Bool {
        var pending = PendingCommand()
        return pending.append(text)
    }
}
