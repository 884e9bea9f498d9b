package import LinearAlgebra
package import Sites

/// Moves a row's coordinates in a subspace towards given ones: h <- h + s Σ_i (t_i - r̂_i'h) r̂_i.
///
/// With t = 0 and s = 1 it is the directional ablation h - r̂(r̂'h) (Arditi et al. 2024, eq. 4), for several orthonormal
/// directions at once; with t = r̂'µ of a class the affine one (Marshall et al. 2024, eq. 3). A strength beyond 1 goes past the
/// target.
package struct SubspaceEdit: Edit {
    /// [k, width], orthonormal rows.
    package let basis: Matrix
    /// [k]: coordinates of the target.
    package let targets: [Float]
    package let strength: Float
    package let sites: Set<Site>
    package let positions: EditPositions

    /// - Parameters:
    ///   - basis: [k, width], orthonormal rows.
    ///   - targets: [k]; zeros when nil.
    package init(
        basis: Matrix, targets: [Float]? = nil, strength: Float = 1, sites: some Sequence<Site>,
        positions: EditPositions = .all
    ) {
        self.basis = basis
        self.targets = targets ?? Array(repeating: 0, count: basis.rows)
        precondition(self.targets.count == basis.rows, "\(self.targets.count) targets for \(basis.rows) directions")
        self.strength = strength
        self.sites = Set(sites)
        self.positions = positions
    }

    /// Takes one direction out. (Arditi et al. 2024, eq. 4.)
    ///
    /// - Parameter direction: [width], of any length but 0.
    package init(ablating direction: [Float], sites: some Sequence<Site>) {
        let norm = direction.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
        self.init(
            basis: Matrix(rows: 1, columns: direction.count, values: direction.map { Float(Double($0) / norm) }),
            sites: sites)
    }

    package func applies(to site: Site) -> Bool { sites.contains(site) }

    package func apply(at site: Site, to block: ActivationBlock) {
        let (k, width) = (basis.rows, basis.columns)
        precondition(block.width == width, "directions of width \(width) at a site of width \(block.width)")
        basis.values.withUnsafeBufferPointer { basis in
            let units = basis.baseAddress!
            // All coordinates come from the row as it was: the order of the directions does not matter.
            withUnsafeTemporaryAllocation(of: Float.self, capacity: k) { shifts in
                block.forRows(positions) { h, _ in
                    for index in 0..<k {
                        let dot = VectorMath.dot(units + index * width, h, count: width)
                        shifts[index] = strength * (targets[index] - dot)
                    }
                    for index in 0..<k {
                        VectorMath.add(units + index * width, times: shifts[index], to: h, count: width)
                    }
                }
            }
        }
    }
}
