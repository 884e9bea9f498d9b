/// Text from a file, made safe for a terminal, a log or a completion list.
///
/// Control characters (C0, DEL, C1), line and paragraph separators, and everything that is invisible or turns the
/// direction of writing (bidi, zero-width, tags, fillers) become `\u{HEX}`. Beyond `limit` characters the rest is
/// replaced by an ellipsis.
package func escaped(_ text: String, limit: Int? = nil) -> String {
    if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }), limit.map({ text.utf8.count <= $0 }) ?? true { return text }
    var result = ""
    var count = 0
    for scalar in text.unicodeScalars {
        if let limit, count == limit {
            result += "…"
            break
        }
        count += 1
        if mustBeEscaped(scalar) {
            result += "\\u{" + String(scalar.value, radix: 16, uppercase: true) + "}"
        } else {
            result.unicodeScalars.append(scalar)
        }
    }
    return result
}

private func mustBeEscaped(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.value < 0x20 { return true }
    if scalar.value < 0x7F { return false }
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: return true
    default: return scalar.properties.isDefaultIgnorableCodePoint
    }
}
