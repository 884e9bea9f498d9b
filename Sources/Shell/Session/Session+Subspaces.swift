import Directions
import Language
import Reports
import Sites
import TerminalText
package import Workbench

extension Subspace {
    /// The subspace in one line, such as `direction of width 576 at resid_pre[12], last, length 4.2`.
    package var summary: String {
        let what = dimension == 1 ? "direction" : "\(dimension) directions"
        let place = site.map { " at \($0.shortName)" + (position.map { ", \($0)" } ?? "") } ?? ""
        let lengths = lengths.prefix(3).map { NumberFormat.significant($0) }.joined(separator: ", ")
        return "\(what) of width \(width)\(place), length \(lengths)\(dimension > 3 ? ", ..." : "")"
    }
}

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
