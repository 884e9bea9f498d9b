import JSON

/// Recipes in the form that files keep: UTF-8 JSON.
package enum RecipeText {
    /// Returns the JSON of a recipe.
    ///
    /// - Parameter adding: further members, each a name and its JSON.
    package static func json(_ recipe: Recipe, adding more: [(name: String, json: String)] = []) -> String {
        let inputs = recipe.inputs.map { "{\"name\": \($0.name.jsonQuoted), \"sha256\": \($0.sha256.jsonQuoted)}" }
        var members = [
            "\"command\": \(recipe.commandLine.jsonQuoted)", "\"inputs\": [\(inputs.joined(separator: ", "))]",
        ]
        if let seed = recipe.seed { members.append("\"seed\": \(seed)") }
        if let precision = recipe.precision { members.append("\"precision\": \(precision.jsonQuoted)") }
        if !recipe.edits.isEmpty {
            members.append("\"edits\": [\(recipe.edits.map(\.jsonQuoted).joined(separator: ", "))]")
        }
        members.append("\"version\": \(recipe.version.jsonQuoted)")
        members += more.map { "\($0.name.jsonQuoted): \($0.json)" }
        return "{\(members.joined(separator: ", "))}"
    }

    /// Returns the command of a recipe's JSON; nil if the text is not a recipe.
    package static func command(_ text: String) -> String? {
        (try? JSONValue(parsing: Array(text.utf8), file: "recipe"))?["command"]?.string
    }

    /// Returns the inputs of a recipe's JSON; an empty list if the text is not a recipe.
    package static func inputs(_ text: String) -> [Recipe.Input] {
        let json = try? JSONValue(parsing: Array(text.utf8), file: "recipe")
        return (json?["inputs"]?.array ?? []).compactMap { input in
            guard let name = input["name"]?.string, let digest = input["sha256"]?.string else { return nil }
            return Recipe.Input(name: name, sha256: digest)
        }
    }

    /// Returns a recipe from a file as a member of another: JSON unchanged, any other text as a string, no text as
    /// null.
    package static func nested(_ text: String?) -> String {
        guard let text, !text.isEmpty else { return "null" }
        return (try? JSONValue(parsing: Array(text.utf8), file: "recipe"))?.text ?? text.jsonQuoted
    }
}
