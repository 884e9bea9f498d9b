import Language
import TerminalText

extension ByteSize {
    /// The bytes that an option or a setting names.
    ///
    /// - Parameter orElse: another word that is accepted there.
    /// - Throws: `CommandError` that says what is accepted.
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
