/// The names that a word, which may be shortened, stands for.
package enum PrefixMatch: Sendable, Equatable {
    /// The word is a name itself.
    case exact
    /// The word is the beginning of this name only.
    case unique(String)
    /// The word is the beginning of these names, in their order.
    case ambiguous([String])
    /// The word is the beginning of no name.
    case none

    package static func resolve(_ word: String, among names: some Sequence<String>) -> PrefixMatch {
        var matches: [String] = []
        for name in names {
            if name == word { return .exact }
            if !word.isEmpty && name.hasPrefix(word) { matches.append(name) }
        }
        switch matches.count {
        case 0: return .none
        case 1: return .unique(matches[0])
        default: return .ambiguous(matches)
        }
    }
}
