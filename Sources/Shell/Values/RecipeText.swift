import Reports
import TerminalText

/// A recipe as it is kept in a file: UTF-8 JSON.
enum RecipeText {
    static func json(_ recipe: Recipe) -> String {
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
        return "{\(members.joined(separator: ", "))}"
    }
}
