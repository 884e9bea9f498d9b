import Testing
import Workbench

@Suite("Finding words")
struct WordFinderTests {
    @Test(
        "whole words are found, else in another letter case, and not inside others",
        arguments: [
            ("bat", "The bath has a bat in it", 18), ("bat", "Bat and ball", 3), ("bat", "Éva's bat", 10),
            ("bat", "combat", nil), ("bat", "", nil), ("he", "the theory", nil), ("he", "the hen he saw", 10),
            ("apple", "pineapple, apple", 16), ("apple", "apples2", nil), ("don", "I don't", 5),
            // A word is not cut out of an accented letter, and digits belong to words.
            ("cafe", "cafe\u{301}", nil), ("2", "21 12 2", 7),
            // Names of programs are words with their underscores.
            ("b", "a_b", nil), ("b", "b_2", nil), ("a_b", "x_a_b a_b", 9), ("b", "(a_b, b)", 7), ("_", "a_b _", 5),
            // What is no letter or digit needs no neighbour of another kind.
            ("<|end|>", "a<|end|>b", 8), (".", "3.5", 2),
            // Scripts without blanks have no other sign of a word's end.
            ("苹果", "我买苹果手机", 12), ("ข้าว", "กินข้าวเย็น", 21),
        ] as [(String, String, Int?)])
    func words(word: String, text: String, end: Int?) {
        #expect(WordFinder(word: word).end(in: text) == end)
        #expect(WordFinder(pattern: word).end(in: text) == end)
    }

    @Test(
        "stars let a word go on, before it, after it, or both",
        arguments: [
            ("*apple*", "a pineapple", 11), ("*apple", "pineapples, pineapple", 21), ("apple*", "pineapple apples", 15),
            ("*apple*", "pear", nil), ("*b", "a_b", 3), ("**he**", "the", 3), ("*", "a * b", 3), ("a*b", "a*b", 3),
        ] as [(String, String, Int?)])
    func patterns(pattern: String, text: String, end: Int?) {
        #expect(WordFinder(pattern: pattern).end(in: text) == end)
    }

    @Test("in a word a star is a star")
    func stars() {
        #expect(WordFinder(word: "apple*").end(in: "pineapples apple*") == 17)
        #expect(WordFinder(word: "*").end(in: "pear") == nil)
    }
}
