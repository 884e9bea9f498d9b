import Language
import Testing

@testable import Language

@Suite struct SuggestionTests {
    private let verbs = ["open", "info", "capture", "compare", "manifold", "direction", "ablate", "quit"]

    @Test(arguments: [
        ("opne", "open"), ("ope", "open"), ("oopen", "open"), ("OPEN", "open"), ("captrue", "capture"),
        ("comprae", "compare"),
        ("direktoin", "direction"), ("manifld", "manifold"), ("xyz", nil), ("", nil), ("q", nil), ("zzzzzzzzz", nil),
        ("inof", "info"),
    ])
    func findsWhatWasMeant(word: String, expected: String?) {
        #expect(Suggestion.closest(to: word, among: verbs) == expected)
    }

    @Test func theNearestThenTheFirstWins() {
        #expect(Suggestion.closest(to: "layers", among: ["lawyers", "layer", "players"]) == "lawyers")
        #expect(Suggestion.closest(to: "layerr", among: ["lawyers", "layer"]) == "layer")
        #expect(
            Suggestion.closest(to: String(repeating: "a", count: 1000), among: [String(repeating: "a", count: 999)])
                == nil)
    }

    @Test(arguments: [("", "abc", 3), ("abc", "acb", 1), ("kitten", "sitting", 3), ("ca", "abc", 3), ("a", "a", 0)])
    func distances(a: String, b: String, expected: Int) {
        #expect(Suggestion.distance(Array(a.unicodeScalars), Array(b.unicodeScalars)) == expected)
    }
}

@Suite struct PrefixMatchTests {
    private let verbs = ["compare", "capture", "corpus", "set", "settings"]

    @Test func resolves() {
        #expect(PrefixMatch.resolve("set", among: verbs) == .exact)
        #expect(PrefixMatch.resolve("sett", among: verbs) == .unique("settings"))
        #expect(PrefixMatch.resolve("co", among: verbs) == .ambiguous(["compare", "corpus"]))
        #expect(PrefixMatch.resolve("x", among: verbs) == .none)
        #expect(PrefixMatch.resolve("", among: verbs) == .none)
    }
}
