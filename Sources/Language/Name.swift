/// The names that results and variables may have: `[A-Za-z_][A-Za-z0-9_.-]*`.
package enum Name {
    /// The rule that names of results and variables follow, in words, for messages.
    package static let rule = "a name begins with a letter or _ and goes on with letters, digits, _ . and -"

    package static func isValid(_ name: String) -> Bool {
        guard let first = name.utf8.first, isStart(first) else { return false }
        return name.utf8.allSatisfy(isContinuation)
    }

    package static func isStart(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): true
        default: false
        }
    }

    package static func isContinuation(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"): true
        default: isStart(byte)
        }
    }
}
