import Sites
import Testing
import WorkbenchTestSupport

@testable import Directions

@Suite("Errors of directions")
struct DirectionsErrorTests {
    @Test(
        "each has its numbers, and names no option",
        arguments: [
            (.emptyClass("positive"), "no positive rows"), (.tooFewRows("x", found: 1, needed: 2), "there is 1 x row"),
            (.tooFewRows("x", found: 0, needed: 2), "there are 0 x rows; it takes at least 2"),
            (.identicalClasses, "the same rows"),
            (.wrongWidth(directions: 3, model: 5, file: "f"), "3 coordinates, and the residual stream of f has 5"),
            (.normAfter(architecture: "gemma2", tensor: "t"), "folded into a gemma2"),
            (.headsBehindNorm(architecture: "gemma2"), "in gemma2, so it is not the sum of its heads"),
            (.overflow(tensor: "t", file: "f"), "f: t holds NaN"),
            (.sameActivations(Site(.embed)), "all activations at embed are the same"),
            (.fewDirections(Site(.embed), wanted: 3), "fewer than 3 directions"),
            (.editedEnd("n"), "n has some in force"),
            (.noMemoryForPath(5_000_000, available: 4_000_000, hasControls: true), "this path takes 5"),
            (.editsInForce, "edits are in force"),
            (
                .fewPrompts(set: "s", count: 1, needed: 9, validation: 4, training: 5),
                "s has 1 prompt, and 9 are needed: 4 for validation, 5 for training"
            ),
            (.emptyToken, "an empty text"), (.otherWidth(points: "p", 3, directions: 5), "p has rows of width 3"),
            (
                .fewPoints("p", count: 3, needed: 8, topics: 4, isPart: true),
                "p has 3 rows of prompts that the directions were not found on, and contain needs 8"
            ),
            (.fewPoints("p", count: 3, needed: 8, topics: 4, isPart: false), "p has 3 rows, and contain needs 8"),
            (.fewGroups("p", count: 3, needed: 16), "p has rows of 3 prompts, and contain needs 16"),
            (.notContained("p", reason: "why"), "p: why"), (.noSharedSites("a", "b"), "a and b have no site in common"),
            (.twoPositions("last,first"), "last,first has two positions"),
            (.noDirections(Site(.logits)), "logits has no directions"), (.dependentRows, "not independent"),
            (.otherBase("a", of: "b"), "the base a has other layers or widths than b"),
            (.otherTokens(base: "a", set: "s"), "the base a makes other tokens of s"),
            (.noPrompts("s"), "s has no prompts"),
            (.tooManyDirections(9, rows: 3, width: 5), "9 directions are too many: 3 rows of width 5 have at most 3"),
            (.noContrasts("s"), "no label of s has two rows"),
            (.shortPrompt("prompt 3 of s", tokens: 1, position: -2), "prompt 3 of s has 1 token, so no position -2"),
        ] as [(DirectionsError, String)])
    func directions(error: DirectionsError, words: String) {
        #expect(saysWhatIsWrong(error) && error.description.contains(words), "\(error)")
    }

    @Test(
        "so do those of senses",
        arguments: [
            (.notJSONLines(file: "f"), "f is no .jsonl file"),
            (.noField(place: "f, line 2", field: "w", .word, known: nil), "f, line 2 has no field w"),
            (
                .badField(place: "f, line 2", field: "w", .word, kind: "an array"),
                "f, line 2 has an array in the field w"
            ),
            (.noLines(file: "f"), "f has no lines"),
            (.wordNotInText(file: "f", line: 2, text: "t", word: "w"), "f, line 2: \"t\" does not hold the word w"),
            (
                .tooLate(file: "f", line: 2, word: "w", token: 300, limit: 256),
                "w is token 300, and the model takes 256"
            ),
            (.noWord("w", file: "f", known: []), "f has no word w"),
            (.noneMeasured(file: "f", reason: "why"), "no word of f can be measured: why"),
            (.notTwoSenses("w", ["a", "b", "c"]), "w has 3 senses in the file (a, b, c), not two"),
            (
                .fewContexts("w", sense: "s", count: 1, needed: 10),
                "w as s has 1 context that differs before the word; 10"
            ),
            (.notFinite(Site(.embed), .infinity), "embed holds"),
        ] as [(SenseError, String)])
    func senses(error: SenseError, words: String) {
        #expect(saysWhatIsWrong(error) && error.description.contains(words), "\(error)")
    }

    @Test(
        "and those of selections",
        arguments: [
            (.noPrompts(.positive, part: "training"), "no positive prompts for training"),
            (
                .tooShort(.negative, part: "validation", prompt: 0, tokens: 1, position: -2),
                "negative prompt 1 for validation has 1 token, so no position -2"
            ),
            (.badPositions([0]), "the positions [0]"),
            (
                .noneLeft(.positive, part: "training", of: 5),
                "of 5 positive prompts for training none has a score above 0"
            ),
            (.noneLeft(.negative, part: "training", of: 5), "none has a score below 0"),
            (.noTokens, "at least one token"),
            (.tokenOutOfRange(id: 7, vocabulary: 5), "token 7 is not in the vocabulary of 5"),
            (.noContrast(largest: 0.01234, needed: 0.05), "0.0123, and 0.05 is needed"),
            (.badOption(name: "the strength", problem: "must be more"), "the strength must be more"),
        ] as [(SelectionError, String)])
    func selections(error: SelectionError, words: String) {
        #expect(saysWhatIsWrong(error) && error.description.contains(words), "\(error)")
    }
}
