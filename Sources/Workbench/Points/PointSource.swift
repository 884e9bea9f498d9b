import Checkpoints
package import Geometry
package import LinearAlgebra
import Models
package import Provenance
import Sites
import TerminalText

/// One set of points to measure: a site (a named place in the model) of a capture, or points that were read from a
/// file.
package struct PointSource {
    /// The name of the points: the site's full name, or the file's: `blocks.3.hook_resid_post`, `acts.npy`.
    package let name: String
    package let count: Int
    package let width: Int
    private let origin: Origin
    /// The numbers of the capture's rows that are points; nil if all are.
    private let kept: [Int]?

    private enum Origin {
        case site(Capture)
        case file(Points)
    }

    /// Makes the points of a capture's site (a named place in the model).
    ///
    /// - Parameter rows: the numbers of the rows that are points, ascending; nil takes all.
    package init(_ capture: Capture, site: String, rows: [Int]? = nil) {
        name = site
        count = rows?.count ?? capture.rows.count
        width = capture.width(of: site) ?? 0
        origin = .site(capture)
        kept = rows
    }

    package init(_ points: Points) {
        name = points.name
        count = points.matrix.rows
        width = points.matrix.columns
        origin = .file(points)
        kept = nil
    }

    /// The name of the points as tables have it: the site's short name, or the file's: `resid_post[3]`, `acts.npy`.
    package var shortName: String { SiteSelection(fullName: name)?.shortName ?? name }

    /// Returns the points, [count, width], with NaN and infinities if there are any; a capture in a file is read anew
    /// each time.
    package func matrix() throws -> Matrix {
        switch origin {
        case .site(let capture):
            if let kept { try capture.matrix(name).selecting(kept.map(Int32.init)) } else { try capture.matrix(name) }
        case .file(let points): points.matrix
        }
    }

    /// Returns the points, [count, width], after checking that each coordinate is finite.
    ///
    /// - Throws: `WorkbenchError` that names the first NaN or infinity.
    package func finiteMatrix() throws -> Matrix {
        let matrix = try matrix()
        if let bad = matrix.firstNonFinite {
            throw WorkbenchError.notFinitePoint(
                name: name, row: bad.row, column: bad.column, value: Double(matrix[bad.row, bad.column]))
        }
        return matrix
    }

    /// Returns the distinct points, with repeated rows dropped.
    ///
    /// - Throws: `WorkbenchError` that names the first NaN or infinity, or says that there are too few rows or that all
    ///   are the same.
    package func pointSet() throws -> PointSet {
        let matrix = try finiteMatrix()
        do {
            return try PointSet(matrix)
        } catch GeometryError.tooFewPoints(let found, _) {
            throw WorkbenchError.fewRows(name: name, count: found)
        } catch GeometryError.allTheSame(let rows) {
            throw WorkbenchError.sameRows(count: rows)
        }
    }

    /// The prompt and the token that a row of activations was computed from.
    package struct Row: Equatable {
        /// The index of the row's prompt in the set of prompts, from 0.
        package let prompt: Int
        package let text: String
        /// The label of the row's prompt; empty if it has none.
        package let label: String
        /// The position in the prompt of the token that the row belongs to; nil for a mean over positions.
        package let position: Int?
        /// The id of the token that the row belongs to; nil for a mean over positions.
        package let token: Int?
    }

    /// Whether the points come from a capture of prompts, and so have texts.
    package var hasTexts: Bool {
        if case .site = origin { true } else { false }
    }

    /// Returns the number that a point has among all rows of the capture or the file.
    package func rowNumber(_ index: Int) -> Int { kept?[index] ?? index }

    /// Returns the prompt and token that a point was computed from; nil for points from a file.
    package func row(_ index: Int) -> Row? {
        guard case .site(let capture) = origin else { return nil }
        let row = capture.rows[rowNumber(index)]
        let prompt = capture.prompts[Int(row.prompt)]
        return Row(
            prompt: Int(row.prompt), text: prompt.text, label: prompt.label,
            position: row.position < 0 ? nil : Int(row.position), token: row.token < 0 ? nil : Int(row.token))
    }

    /// The inputs that a recipe (the record of how a result was made) lists for the points.
    package var inputs: [Recipe.Input] {
        if case .file(let points) = origin { [points.input] } else { [] }
    }
}

extension Subspace {
    /// Returns the coordinates of each point of a source along each direction of the subspace's basis,
    /// [points][directions].
    ///
    /// - Throws: `WorkbenchError.notFinitePoint`.
    package func coordinates(of source: PointSource, in context: RunContext) throws -> [[Float]] {
        let points = try source.finiteMatrix()
        context.weigh(points, name: source.shortName)
        let matrix: Matrix = try coordinates(of: points)
        return (0..<matrix.rows).map { matrix.row($0).map { Float($0) } }
    }
}
