import JSON
import Provenance

/// A capture's recipe has, as its member `empty_lines`, the numbers of the lines that hold no text in the file that its
/// prompts came from: captures of two files are pairs, row by row, only if the same lines of both are left out.
extension Capture {
    private static let member = "empty_lines"

    /// Returns the JSON of the recipe of a capture of a set, with the lines that reading the set left out.
    static func recipe(_ recipe: Recipe, of set: PromptSet) -> String {
        let lines = JSONValue.array(set.losses.withoutText.map { .integer($0) })
        return RecipeText.json(recipe, adding: [(member, lines.text)])
    }

    /// The numbers of the lines without text, from 1, that reading the captured set left out; nil for a capture whose
    /// recipe does not say, as an older version made it.
    package var linesWithoutText: [Int]? {
        let json = try? JSONValue(parsing: Array(recipe.utf8), file: "recipe")
        return json?[Self.member]?.array?.compactMap(\.int)
    }
}
