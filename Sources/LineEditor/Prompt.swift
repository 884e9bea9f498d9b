internal import TerminalText

/// Prompts as readline needs them.
enum Prompt {
    /// Brackets colour codes (`ESC [ … m`) in U+0001 and U+0002, so that readline does not count them as columns;
    /// every other control character is shown as an escape.
    static func bracketed(_ prompt: String) -> String {
        var bracketed = ""
        var rest = prompt.unicodeScalars[...]
        while let scalar = rest.first {
            if let end = endOfColour(rest) {
                bracketed += "\u{01}\(String(rest[..<end]))\u{02}"
                rest = rest[end...]
            } else {
                bracketed += String(scalar).escapedForTerminal
                rest.removeFirst()
            }
        }
        return bracketed
    }

    private static func endOfColour(_ text: Substring.UnicodeScalarView) -> String.Index? {
        guard text.first == "\u{1B}", text.dropFirst().first == "[" else { return nil }
        let parameters = text.dropFirst(2).prefix { ("0"..."9").contains($0) || $0 == ";" || $0 == ":" }
        guard parameters.endIndex < text.endIndex, text[parameters.endIndex] == "m" else { return nil }
        return text.index(after: parameters.endIndex)
    }
}
