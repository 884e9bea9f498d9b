/// The token positions of each prompt that a command reads.
package enum Position: Equatable, Sendable, CustomStringConvertible {
    case first, last, all
    /// The mean over positions.
    case mean
    /// A position counted from the start (0 is the first) or, if negative, from the end (-1 is the last).
    case index(Int)
    /// The last token of the first occurrence of this text in the prompt.
    case token(String)

    /// Reads `last`, `first`, `all`, `mean`, `5`, `-2`, `token:apple`.
    ///
    /// - Throws: `SiteError.badPosition` for any other text.
    package init(_ text: String) throws {
        switch text {
        case "first": self = .first
        case "last": self = .last
        case "all": self = .all
        case "mean": self = .mean
        default:
            if let number = Int(text) {
                self = .index(number)
            } else if text.hasPrefix("token:"), text.utf8.count > 6 {
                self = .token(String(text.dropFirst(6)))
            } else {
                throw SiteError.badPosition(
                    text: text, problem: "write last, first, all, mean, a number such as 5 or -2, or token:WORD")
            }
        }
    }

    package var description: String {
        switch self {
        case .first: "first"
        case .last: "last"
        case .all: "all"
        case .mean: "mean"
        case .index(let number): String(number)
        case .token(let text): "token:\(text)"
        }
    }

    /// Returns the positions within one prompt, ascending.
    ///
    /// - Parameters:
    ///   - count: the number of tokens of the prompt, at least 1.
    ///   - skipped: the number of leading tokens that `all` and `mean` leave out (BOS is an outlier at every layer).
    ///   - prompt: what the error calls the prompt, such as `prompt 3 of corpus`.
    ///   - find: returns the position of the token that ends the first occurrence of a text; nil if there is none.
    /// - Throws: `SiteError.badPosition` if the prompt has no such position.
    package func positions(
        count: Int, skipped: Int, prompt: @autoclosure () -> String, find: (String) throws -> Int?
    ) throws -> [Int] {
        switch self {
        case .first: return [0]
        case .last: return [count - 1]
        case .all, .mean: return Array(min(skipped, count - 1)..<count)
        case .index(let number):
            let position = number < 0 ? count + number : number
            guard (0..<count).contains(position), number >= -count else {
                throw SiteError.badPosition(
                    text: description,
                    problem: "\(prompt()) has \(count) token\(count == 1 ? "" : "s"); give a number from \(-count) to"
                        + " \(count - 1), or a longer text")
            }
            return [position]
        case .token(let text):
            guard let position = try find(text) else {
                let isOpen = text.hasPrefix("*") || text.hasSuffix("*")
                throw SiteError.badPosition(
                    text: description,
                    problem:
                        "\(prompt()) does not contain \"\(text)\"\(isOpen ? "" : " as a whole word"); give another word,"
                        + " \(isOpen ? "" : "token:*\(text)* to find it within words, too, ")or a text that has it")
            }
            return [position]
        }
    }
}
