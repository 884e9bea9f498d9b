import Reports

/// A recipe as it is kept in a file: UTF-8 JSON.
enum RecipeText {
    static func json(_ recipe: Recipe) -> String {
        let inputs = recipe.inputs.map { "{\"name\": \(quoted($0.name)), \"sha256\": \(quoted($0.sha256))}" }
        var members = ["\"command\": \(quoted(recipe.commandLine))", "\"inputs\": [\(inputs.joined(separator: ", "))]"]
        if let seed = recipe.seed { members.append("\"seed\": \(seed)") }
        members.append("\"version\": \(quoted(recipe.version))")
        return "{\(members.joined(separator: ", "))}"
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
