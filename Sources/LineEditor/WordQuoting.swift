/// How the word before the cursor is quoted, and so how a candidate in its place has to be.
///
/// The shell's grammar is that of POSIX words without `*`, `?`, `;`, `&` and parentheses.
enum WordQuoting: Equatable {
    case bare, single, double

    /// `opening` is the word's first byte, nil if nothing is typed yet.
    init(opening: UInt8?) {
        switch opening {
        case UInt8(ascii: "'"): self = .single
        case UInt8(ascii: "\""): self = .double
        default: self = .bare
        }
    }

    /// `text` written in this way; without `closed` a quote is left open for more to be typed.
    func quoted(_ text: String, closed: Bool) -> String {
        var quoted = ""
        for scalar in text.unicodeScalars {
            switch (self, scalar) {
            case (.bare, " "), (.bare, "\t"), (.bare, "'"), (.bare, "\""), (.bare, "\\"), (.bare, "$"), (.bare, ">"),
                (.bare, "|"), (.double, "\""), (.double, "\\"), (.double, "$"):
                quoted += "\\"
            case (.bare, "#") where quoted.isEmpty, (.bare, "=") where quoted.isEmpty:
                quoted += "\\"
            case (.single, "'"):
                quoted += "'\\'"
            default: break
            }
            quoted.unicodeScalars.append(scalar)
        }
        switch self {
        case .bare: return quoted
        case .single: return closed ? "'\(quoted)'" : "'\(quoted)"
        case .double: return closed ? "\"\(quoted)\"" : "\"\(quoted)"
        }
    }
}
