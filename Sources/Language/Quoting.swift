/// Writes words with the quotes that they need for the parser of command lines to read them back.
package enum Quoting {
    /// Returns the word as it is if it needs no quotes, else in `'…'` or `"…"`, whichever needs no escapes, or with
    /// escaped quotes if both do.
    package static func quote(_ word: String) -> String {
        if !needsQuotes(word) { return word }
        let bytes = word.utf8
        if !bytes.contains(UInt8(ascii: "'")) { return "'\(word)'" }
        let escaped: [UInt8] = [UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "$")]
        if !bytes.contains(where: escaped.contains) { return "\"\(word)\"" }
        var quoted = "'"
        for scalar in word.unicodeScalars {
            if scalar == "'" { quoted += "'\\'" }
            quoted.unicodeScalars.append(scalar)
        }
        return quoted + "'"
    }

    /// Returns the words as a command line: each quoted if it needs quotes, joined by blanks.
    package static func line(_ words: [String]) -> String {
        words.map(quote).joined(separator: " ")
    }

    /// Returns the words of a parsed line, with its variables replaced, as a command line that can be run as it is.
    package static func line(_ words: [ParsedLine.Word]) -> String {
        words.map { word in
            // The quotes keep a quoted word that begins with a dash from being read as an option.
            word.wasQuoted && word.text.hasPrefix("-") && !word.text.contains("'") ? "'\(word.text)'" : quote(word.text)
        }.joined(separator: " ")
    }

    private static func isSpecial(_ byte: UInt8) -> Bool {
        switch byte {
        case 0...0x20, 0x7F, UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "$"),
            UInt8(ascii: ">"), UInt8(ascii: "|"):
            true
        default: false
        }
    }

    private static func needsQuotes(_ word: String) -> Bool {
        guard let first = word.utf8.first else { return true }
        if first == UInt8(ascii: "#") || first == UInt8(ascii: "=") { return true }
        if word.utf8.contains(where: isSpecial) { return true }
        // At the front of a line, NAME=… would name a result.
        guard let cut = word.utf8.firstIndex(of: UInt8(ascii: "=")) else { return false }
        return Name.isValid(String(word[..<cut]))
    }
}
