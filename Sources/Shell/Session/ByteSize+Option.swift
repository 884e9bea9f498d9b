import Language
import TerminalText

extension ByteSize {
    /// Returns the number of bytes that the text of an option or a setting stands for.
    ///
    /// - Parameters:
    ///   - text: The size as it was written, such as `2GB`.
    ///   - name: The option or setting, for the error message.
    ///   - orElse: Another word that is accepted there, which the error message then mentions.
    /// - Throws: `CommandError` that says which values are accepted.
    package static func parse(_ text: String, for name: String, orElse: String? = nil) throws -> Int {
        guard let bytes = bytes(text) else {
            throw CommandError(
                "\(name) can't be \"\(text.escapedForTerminal)\"",
                remedy: "give a size of at least 1MiB, such as 512MB, 2GB or 2GiB"
                    + (orElse.map { ", or \($0)" } ?? ""), exitCode: 2)
        }
        return bytes
    }
}
