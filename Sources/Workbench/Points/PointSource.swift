import Checkpoints
package import Geometry
package import LinearAlgebra
import Models
package import Provenance
import Sites
import TerminalText

/// One set of points to measure: a site of a capture, or what was read from a file.
package struct PointSource {
    /// `blocks.3.hook_resid_post`, `acts.npy`.
    package let name: String
    package let count: Int
    package let width: Int
    private let origin: Origin

    private enum Origin {
        case site(Capture)
        case file(Points)
    }

    package init(_ capture: Capture, site: String) {
        name = site
        count = capture.rows.count
        width = capture.width(of: site) ?? 0
        origin = .site(capture)
    }

    package init(_ points: Points) {
        name = points.name
        count = points.matrix.rows
        width = points.matrix.columns
        origin = .file(points)
    }

    /// The points, [count, width]; a capture in a file is read anew each time. NaN and infinities are kept.
    package func matrix() throws -> Matrix {
        switch origin {
        case .site(let capture): try capture.matrix(name)
        case .file(let points): points.matrix
        }
    }

    /// The points, each coordinate a finite number.
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

    /// The distinct points.
    ///
    /// - Throws: `WorkbenchError` that names the first NaN or infinity, or says that all rows are the same.
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

    /// What a row was computed from.
    package struct Row: Equatable {
        /// Index of the prompt.
        package let prompt: Int
        package let text: String
        /// Empty if the prompt has none.
        package let label: String
        /// Token position in the prompt and token id; nil for a mean.
        package let position: Int?
        package let token: Int?
    }

    /// Whether rows come from prompts, and so have texts.
    package var hasTexts: Bool {
        if case .site = origin { true } else { false }
    }

    /// Where a row comes from; nil for points from a file.
    package func row(_ index: Int) -> Row? {
        guard case .site(let capture) = origin else { return nil }
        let row = capture.rows[index]
        let prompt = capture.prompts[Int(row.prompt)]
        return Row(
            prompt: Int(row.prompt), text: prompt.text, label: prompt.label,
            position: row.position < 0 ? nil : Int(row.position), token: row.token < 0 ? nil : Int(row.token))
    }

    /// What a recipe says of the points.
    package var inputs: [Recipe.Input] {
        if case .file(let points) = origin { [points.input] } else { [] }
    }
}

extension Subspace {
    /// The coordinates of each point along each direction. [points][directions]
    ///
    /// - Throws: `WorkbenchError.notFinitePoint`.
    package func coordinates(of source: PointSource) throws -> [[Float]] {
        let matrix: Matrix = try coordinates(of: source.finiteMatrix())
        return (0..<matrix.rows).map { matrix.row($0).map { Float($0) } }
    }
}
