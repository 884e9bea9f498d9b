extension Unicode.Scalar {
    /// Whether a terminal would act on this scalar, or show nothing, instead of drawing it.
    ///
    /// These are C0, DEL and C1 controls; bidirectional controls; zero-width and invisible format characters; line and
    /// paragraph separators; interlinear annotation; fillers; tags. Text that came from a file may hide any of them.
    package var isUnsafeForTerminal: Bool {
        switch value {
        case 0x00...0x1F, 0x7F...0x9F: true
        case 0x061C, 0x180E: true
        case 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F: true
        case 0xFEFF, 0xFFF9...0xFFFB: true
        case 0x115F, 0x1160, 0x3164, 0xFFA0: true
        case 0xE0000...0xE0FFF: true
        default: false
        }
    }

    /// The text that shows an unsafe scalar: `\n`, `\t`, `\r`, `\e`, or `\u{XXXX}` in hexadecimal.
    var terminalEscape: String {
        switch value {
        case 0x09: #"\t"#
        case 0x0A: #"\n"#
        case 0x0D: #"\r"#
        case 0x1B: #"\e"#
        default: #"\u{"# + String(value, radix: 16, uppercase: true) + "}"
        }
    }
}

extension StringProtocol {
    /// The text with every scalar that a terminal would act on shown as an escape, including line breaks.
    ///
    /// Backslashes are left as they are, so this is for showing, not for reading back.
    package var escapedForTerminal: String { escapedForTerminal(keepingLineBreaks: false) }

    /// Does the same as `escapedForTerminal`, but can leave U+000A as it is, for text shown on lines of its own.
    package func escapedForTerminal(keepingLineBreaks: Bool) -> String {
        var escaped = ""
        for scalar in unicodeScalars {
            if scalar.isUnsafeForTerminal && !(keepingLineBreaks && scalar == "\n") {
                escaped += scalar.terminalEscape
            } else {
                escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    /// Does the same as `escapedForTerminal` for the first `limit` scalars, and adds `…` if there are more, for a
    /// message.
    package func escapedForTerminal(limit: Int) -> String {
        let start = unicodeScalars.prefix(limit)
        let rest = start.endIndex < unicodeScalars.endIndex ? "…" : ""
        return String(String.UnicodeScalarView(start)).escapedForTerminal + rest
    }
}
