import Language
package import Workbench

extension Session {
    /// Returns the directions that a name stands for.
    ///
    /// - Throws: `CommandError` if the name is unknown or stands for something else.
    package func subspace(named name: String) throws -> Subspace {
        switch value(named: name) {
        case .subspace(let subspace)?: return subspace
        case let other?: throw wrongKind(name, other, wanted: .subspace)
        case nil:
            throw unknown(
                name, hint: "make one with: \(Name.isValid(name) ? name : "NAME") = direction POSITIVES NEGATIVES")
        }
    }
}
