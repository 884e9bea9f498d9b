/// The outcome of looking up a word, which may be a shortened name, among some names.
package enum PrefixMatch: Sendable, Equatable {
    /// The word is one of the names itself, written in full.
    case exact
    /// The word is the beginning of this one of the names only.
    case unique(String)
    /// The word is the beginning of these names, which are in their given order.
    case ambiguous([String])
    /// The word is the beginning of none of the names.
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
