import Models
import Sites
import Testing
import Workbench
import WorkbenchTestSupport

/// What errors say: what is wrong, where and with which numbers. Options are the shell's to name.
@Suite("Errors of the workbench")
struct ErrorDescriptionTests {
    @Test(
        "each has its numbers, and names no option",
        arguments: [
            (.noTokenizer(checkpoint: "m"), "m has no tokenizer inside"),
            (.noChatTemplate(checkpoint: "m"), "m has no chat template"),
            (.badTensor(problem: "p", tensor: "t", nans: 1, infinities: 2), "p: t holds 1 NaN and 2 infinite values"),
            (.notFiniteWithEdits(problem: "p", edits: "[-r]"), "p with the edits [-r]"),
            (.overflow(problem: "p"), "p, although every tensor is finite"),
            (.differentVocabularies("a", 5, "b", 6), "the vocabulary of a has 5 tokens, that of b 6"),
            (.differentTokens(id: 3, "x", "a", "y", "b"), "token 3 is \"x\" in a and \"y\" in b"),
            (.differentEncodings("position 2 is"), "position 2 is"), (.noNextToken, "needs two tokens"),
            (.emptyPrompt("prompt 2 of f"), "prompt 2 of f has no tokens"),
            (
                .longPrompt("the text", tokens: 9, limit: 8, checkpoint: "m"),
                "the text has 9 tokens, and m takes at most 8"
            ),
            (.noPrompts(file: "f"), "f has no prompts"), (.fewPrompts(3), "only 3 prompts"),
            (.noSuchLabel(file: "f", label: "l", known: []), "f has no prompts with the label l"),
            (.noPromptField(place: "f, line 2", field: "t", known: []), "f, line 2 has no text in the field t"),
            (
                .promptIsNoText(place: "f, line 2", kind: "a number", field: "t"),
                "f, line 2 has a number in the field t"
            ),
            (.answerIsNoText(place: "f, line 2", kind: "null", field: "t"), "f, line 2 has null in the field t"),
            (.emptyAnswer(place: "f", isList: true, field: "t"), "f has an empty list in the field t"),
            (.emptyAnswer(place: "f", isList: false, field: "t"), "f has an empty answer in the field t"),
            (.noAnswers(file: "f", field: "t", known: []), "no line of f has an answer in the field t"),
            (.noFields(file: "f", field: "t"), "f is no .jsonl file, so its lines have no field t"),
            (.noLabelField(file: "f", field: "t", known: []), "no line of f has a label in the field t"),
            (.noLabelField(file: "f", field: "", known: []), "no field of f is read as the label"),
            (.noPhrases(file: "f"), "f has no phrases"), (.unreadable(file: "f", reason: "why"), "can't read f: why"),
            (.noFile("f"), "can't read f: there is no such file"), (.isFolder("f"), "can't read f: it is a folder"),
            (.notRegular(file: "f"), "f is not a regular file"), (.tooLargeText(file: "f"), "f is larger than 1 GiB"),
            (.notText(file: "f"), "f is not UTF-8 text"), (.noMeanOfLogits, "no mean"),
            (.patternsNeedFile, "go to a file"), (.patternsHoldAll, "every position"),
            (.modelHasNoSite(Site(.posEmbed)), "this model has no pos_embed"),
            (.noSite("s", known: []), "the capture has no site s"), (.noRows, "no rows"),
            (.severalSites(["a", "b"]), "the capture has 2 sites"), (.namesSeveral("s", known: []), "s names several"),
            (.notHeld("s", known: []), "does not hold s"), (.notRows(Site(.logits)), "logits can't be measured here"),
            (.notFinitePoint(name: "n", row: 1, column: 2, value: .infinity), "n: row 1, column 2 is"),
            (.fewRows(name: "n", count: 1), "n has 1 row"), (.sameRows(count: 5), "all 5 rows are the same"),
            (.noLabels(name: "n"), "the rows of n have no labels"),
            (.smallGroups(least: 30, largest: 4), "no group has 30 rows; the largest has 4"),
            (.tooManyMatrices(count: 3, bytes: 5_000_000), "3 matrices at once would take about 5"),
            (.fewCoordinates(3), "only 3 coordinates"),
            (.tooManyPoints(count: 9, width: 4, bytes: 5_000_000), "9 points of width 4 would take about 5"),
            (.notMeasured(name: "n", reason: "why"), "n: why"),
            (.tooManyContinuations(5, prompts: 2, most: 3), "5 continuations of 2 prompts are more than 3"),
            (.tooManyTokens(limit: 128), "at most 128 tokens"),
            (
                .smallLimit(.init(bytes: 5, name: "the limit"), longest: 7, smallest: 1_500_000),
                "7 tokens, and its run needs 2MB"
            ),
            (.noMemory(run: 5, result: 10, available: 8), "this capture takes 10"),
            (.noMemory(run: 9, result: 0, available: 8), "this run takes 9"),
        ] as [(WorkbenchError, String)])
    func workbench(error: WorkbenchError, words: String) {
        #expect(saysWhatIsWrong(error) && error.description.contains(words), "\(error)")
    }

    @Test(
        "so do those of edits",
        arguments: [
            (.otherWidth("r", 3, place: "p", placeWidth: 5), "r has width 3, and p has 5"),
            (.noSuchLayer("r", layer: 7, layers: 2), "r is from layer 7, and the model has layers 0 to 1"),
            (.notOfStream("r", place: "p"), "r is from p, which is no part of the residual stream"),
            (.unplaced("r", isAdded: true), "r does not say where it was found"),
            (.noNegativeMean("r"), "r does not hold the mean"), (.columnsOfDirections, "columns"),
            (.rowsOfDirections, "affine"), (.badStrength(0), "can't be 0"),
            (.cantBeEdited(Site(.logits)), "logits can't be edited"),
            (.siteOfOtherWidth(Site(.z, layer: 1), directions: 5), "attn.z[1] is not 5 wide"),
            (.siteOutsideStream(Site(.z, layer: 1)), "attn.z[1] is no part of the residual stream"),
            (.directionsOptionsOfSite, "chosen of directions"), (.rowsUnused, "mean and resample"),
            (.formNeedsRows(.mean), "the form mean needs rows"),
            (
                .rowsOfOtherWidth(capture: "c", Site(.embed), 3, model: 5),
                "c: embed has width 3 there and 5 in this model"
            ),
            (.siteNotHeld(capture: "c", site: "s"), "c does not hold s"),
            (.notFiniteRow(capture: "c", row: 4, site: "s"), "c: row 4 of s is not finite"),
            (.otherForm("x", target: "a site", allowed: []), "the form can't be x for a site"),
            (.noSuchPosition(9, positions: 8), "positions 0 to 7, and no 9"),
            (.badPositions("x"), "positions can't be x"),
        ] as [(EditError, String)])
    func edits(error: EditError, words: String) {
        #expect(saysWhatIsWrong(error) && error.description.contains(words), "\(error)")
    }

    @Test(
        "and those of subspaces",
        arguments: [
            (.zero(vector: 1), "vector 1 is 0"), (.notFinite(vector: 1), "vector 1 holds NaN"),
            (.dependent(vector: 1), "vector 1 lies in the span"),
            (.tooMany(vectors: 3, width: 2), "3 vectors of width 2"),
            (.notOrthonormal(first: 1, second: 1, product: 4), "row 1 of the basis has a squared length of 4.0"),
            (.notOrthonormal(first: 0, second: 1, product: 0.5), "rows 0 and 1 of the basis are not orthogonal"),
            (.differentWidths(2, 3), "the widths differ: 2 and 3"), (.notFiniteRow("c", row: 2), "c row 2 holds NaN"),
            (.differentCounts(2, 3), "not 2 and 3"), (.nothingLeft, "nothing of the vectors is left"),
        ] as [(SubspaceError, String)])
    func subspaces(error: SubspaceError, words: String) {
        #expect(!"\(error)".contains("--") && error.description.contains(words), "\(error)")
    }
}
