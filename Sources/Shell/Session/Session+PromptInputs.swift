import Provenance
import Workbench

extension Session {
    /// Returns the entries of a recipe for the sets of prompts and captures that something was made of. Their digests
    /// identify the texts under any name. Names that hold no prompts are left out.
    func promptInputs(_ names: [String]) -> [Recipe.Input] {
        names.compactMap { name in
            value(named: name)?.promptDigest.map { Recipe.Input(name: name, sha256: $0) }
        }
    }
}

extension Value {
    /// The digest of the prompts that the value holds, or nil where it holds none.
    var promptDigest: String? {
        switch self {
        case .prompts(let set): set.digest
        case .capture(let capture): capture.promptDigest
        default: nil
        }
    }
}
