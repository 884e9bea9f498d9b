package import LinearAlgebra
package import Provenance
import TerminalText

/// Points that were read from a file, one in each row.
package struct Points {
    /// The name of the points in reports: `acts.npy`, `acts.h5:/sites/x`.
    package let name: String
    /// The coordinates of the points, [points, width].
    package let matrix: Matrix
    /// A phrase that says how the file's numbers were rounded to f32; nil if their type fits in f32.
    package let rounding: String?
    /// The entry for the points among a recipe's inputs; its digest is that of the rows as f32, little-endian.
    package let input: Recipe.Input

    package init(name: String, matrix: Matrix, rounding: String?, input: Recipe.Input) {
        self.name = name
        self.matrix = matrix
        self.rounding = rounding
        self.input = input
    }

    package var summary: String {
        "\(counted(matrix.rows, "point")) of width \(matrix.columns), from \(name.escapedForTerminal)"
            + (rounding.map { ", \($0)" } ?? "")
    }
}
