/// A reason why no direction can be selected.
package enum SelectionError: Error, Equatable, CustomStringConvertible {
    /// A part (training or validation) of a class's prompts is empty.
    case noPrompts(PromptClass, part: String)
    /// A prompt has too few tokens to have one of the positions at which candidate directions are taken.
    case tooShort(PromptClass, part: String, prompt: Int, tokens: Int, position: Int)
    case badPositions([Int])
    /// No prompt of the class has a score of the right sign (positives above 0, negatives below).
    case noneLeft(PromptClass, part: String, of: Int)
    case noTokens
    case tokenOutOfRange(id: Int, vocabulary: Int)
    /// No token's mean probability differs enough between the two classes of prompts.
    case noContrast(largest: Double, needed: Double)
    case badOption(name: String, problem: String)

    package var description: String {
        switch self {
        case .noPrompts(let which, let part):
            "there are no \(which) prompts for \(part); give more prompts, or ask for fewer"
        case .tooShort(let which, let part, let prompt, let tokens, let position):
            "\(which) prompt \(prompt + 1) for \(part) has \(tokens) token\(tokens == 1 ? "" : "s"), so no position"
                + " \(position); take fewer positions, or longer prompts"
        case .badPositions(let positions):
            "the positions \(positions) can't be: each counts from the end, -1 the last, and stands once"
        case .noneLeft(let which, let part, let count):
            "of \(count) \(which) prompts for \(part) none has a score \(which == .positive ? "above" : "below") 0;"
                + " give other tokens, or keep all prompts"
        case .noTokens: "a score needs at least one token"
        case .tokenOutOfRange(let id, let vocabulary): "token \(id) is not in the vocabulary of \(vocabulary)"
        case .noContrast(let largest, let needed):
            "no first token tells the classes apart: the largest difference of mean probabilities is"
                + " \(rounded(largest)), and \(rounded(needed)) is needed; name the tokens"
        case .badOption(let name, let problem): "\(name) \(problem)"
        }
    }

    private func rounded(_ number: Double) -> Double { (number * 1e4).rounded() / 1e4 }
}

/// One of the two classes that a direction distinguishes.
package enum PromptClass: String, Sendable, CustomStringConvertible {
    /// The prompts that show the behaviour.
    case positive
    /// The prompts that don't show it.
    case negative

    package var description: String { rawValue }
}
