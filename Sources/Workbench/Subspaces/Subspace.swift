package import LinearAlgebra
import Models
package import Sites
import TerminalText

/// Directions at a site (a named place in the model): an orthonormal basis, and the vectors of which it was made. A
/// single direction is a subspace of dimension 1.
package struct Subspace: Sendable, Equatable {
    /// The orthonormal basis of the k directions, [k, width], which ablation uses; its first j rows span the first j
    /// vectors.
    package let basis: Matrix
    /// The unnormalised vectors of the k directions, [k, width], which steering adds; for one direction this is the
    /// difference between the mean activations of two sets of prompts.
    package let vectors: Matrix
    /// The site (a named place in the model) where the directions were found; nil if unknown, as for a file of bare
    /// numbers.
    package let site: Site?
    /// The token positions at which the directions were found, such as `last` or `-2`; nil if unknown.
    package let position: String?
    /// The recipe as JSON: the command that made the subspace, the digests of its inputs, the seed.
    package var recipe: String
    /// The mean activation of the negative class of prompts where the directions were found, [width], towards which
    /// affine ablation moves; nil if unknown.
    package var negativeMean: [Float]?

    package var dimension: Int { basis.rows }
    package var width: Int { basis.columns }

    /// Makes a subspace of vectors by orthonormalising them.
    /// - Parameters:
    ///   - vectors: the vectors of the k directions, [k, width], k at least 1.
    /// - Throws: `SubspaceError` for a vector that is 0, not finite, or in the span of those before it.
    package init(vectors: Matrix, site: Site? = nil, position: String? = nil, recipe: String = "{}") throws {
        basis = try Self.orthonormal(vectors)
        self.vectors = vectors
        self.site = site
        self.position = position
        self.recipe = recipe
    }

    /// Makes a subspace of the basis and the vectors that a file holds.
    ///
    /// - Parameters:
    ///   - basis: the orthonormal basis, [k, width].
    ///   - vectors: the unnormalised vectors of the k directions, [k, width].
    /// - Throws: `SubspaceError.notFinite`; `SubspaceError.notOrthonormal` if the products of the basis's rows are off
    ///   by more than 1e-4.
    package init(basis: Matrix, vectors: Matrix, site: Site?, position: String?, recipe: String) throws {
        precondition(basis.rows == vectors.rows && basis.columns == vectors.columns, "basis and vectors of one shape")
        if let bad = basis.firstNonFinite ?? vectors.firstNonFinite { throw SubspaceError.notFinite(vector: bad.row) }
        for i in 0..<basis.rows {
            for j in 0...i {
                let product = Self.dot(basis, i, basis, j)
                let wanted = i == j ? 1.0 : 0.0
                guard abs(product - wanted) <= 1e-4 else {
                    throw SubspaceError.notOrthonormal(first: j, second: i, product: product)
                }
            }
        }
        self.basis = basis
        self.vectors = vectors
        self.site = site
        self.position = position
        self.recipe = recipe
    }

    /// Returns the subspace of the first `count` directions alone.
    package func prefix(_ count: Int) throws -> Subspace {
        precondition((1...dimension).contains(count), "\(count) of \(dimension) directions")
        var prefix = try Subspace(
            basis: Matrix(rows: count, columns: width, values: Array(basis.values.prefix(count * width))),
            vectors: Matrix(rows: count, columns: width, values: Array(vectors.values.prefix(count * width))),
            site: site, position: position, recipe: recipe)
        prefix.negativeMean = negativeMean
        return prefix
    }

    /// Returns the coordinates of a vector, [width], along the subspace's orthonormal basis, [dimension].
    package func coordinates(of vector: [Float]) -> [Float] {
        precondition(vector.count == width, "a vector of \(vector.count) for directions of \(width)")
        return (0..<dimension).map { index in
            Float(zip(basis.row(index), vector).reduce(0.0) { $0 + Double($1.0) * Double($1.1) })
        }
    }

    private static func orthonormal(_ vectors: Matrix) throws -> Matrix {
        Matrix(
            rows: vectors.rows, columns: vectors.columns,
            values: try orthonormalRows(vectors).joined().map(Float.init))
    }

    /// Orthonormalises the rows of a matrix by Gram-Schmidt in float64, each row twice, which is as good as
    /// Householder's QR. (Giraud, Langou and Rozloznik 2005.)
    ///
    /// - Throws: `SubspaceError` for more rows than columns, and for a row that is 0, not finite, or in the span of
    ///   those before it.
    package static func orthonormalRows(_ vectors: Matrix) throws -> [[Double]] {
        let (k, width) = (vectors.rows, vectors.columns)
        precondition(k > 0 && width > 0, "a subspace of no directions")
        guard k <= width else { throw SubspaceError.tooMany(vectors: k, width: width) }
        if let bad = vectors.firstNonFinite { throw SubspaceError.notFinite(vector: bad.row) }
        var basis: [[Double]] = []
        for index in 0..<k {
            var row = vectors.row(index).map(Double.init)
            let length = norm(row)
            guard length > 0 else { throw SubspaceError.zero(vector: index) }
            for _ in 0..<2 {
                for other in basis {
                    let product = zip(row, other).reduce(0) { $0 + $1.0 * $1.1 }
                    for place in 0..<width { row[place] -= product * other[place] }
                }
            }
            let rest = norm(row)
            guard rest > 1e-6 * length else { throw SubspaceError.dependent(vector: index) }
            basis.append(row.map { $0 / rest })
        }
        return basis
    }

    private static func norm(_ x: [Double]) -> Double { x.reduce(0) { $0 + $1 * $1 }.squareRoot() }

    private static func dot(_ a: Matrix, _ i: Int, _ b: Matrix, _ j: Int) -> Double {
        zip(a.row(i), b.row(j)).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
    }

    /// The lengths of the subspace's unnormalised vectors, [dimension].
    package var lengths: [Double] { (0..<dimension).map { Self.dot(vectors, $0, vectors, $0).squareRoot() } }
}

extension Subspace {
    /// The subspace in one line, such as `direction of width 576 at resid_pre[12], last, length 4.2`.
    package var summary: String {
        let what = dimension == 1 ? "direction" : "\(dimension) directions"
        let place = site.map { " at \($0.shortName)" + (position.map { ", \($0)" } ?? "") } ?? ""
        let lengths = lengths.prefix(3).map { NumberFormat.significant($0) }.joined(separator: ", ")
        return "\(what) of width \(width)\(place), length \(lengths)\(dimension > 3 ? ", ..." : "")"
    }
}
