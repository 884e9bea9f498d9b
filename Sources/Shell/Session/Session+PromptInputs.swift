import Provenance
import Workbench

extension Session {
    /// What a recipe says of the sets of prompts and captures that something was made of: by their texts they can be told
    /// again under any name.
    func promptInputs(_ names: [String]) -> [Recipe.Input] {
        names.compactMap { name in
            value(named: name)?.promptDigest.map { Recipe.Input(name: name, sha256: $0) }
        }
    }
}

extension Value {
    /// A digest of the prompts that it holds; nil where it holds none.
    var promptDigest: String? {
        switch self {
        case .prompts(let set): set.digest
        case .capture(let capture): capture.promptDigest
        default: nil
        }
    }
}
