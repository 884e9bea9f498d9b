import LinearAlgebra
package import Sites

/// Adds a vector: h <- h + v; or, relative to the length of each row, h <- h + |h| v. (Turner et al. 2023.)
package struct Steering: Edit {
    /// [width]
    package let vector: [Float]
    /// Whether the vector is multiplied with each row's length.
    package let isRelative: Bool
    package let sites: Set<Site>
    package let positions: EditPositions

    package init(
        vector: [Float], isRelative: Bool = false, sites: some Sequence<Site>, positions: EditPositions = .all
    ) {
        self.vector = vector
        self.isRelative = isRelative
        self.sites = Set(sites)
        self.positions = positions
    }

    package func applies(to site: Site) -> Bool { sites.contains(site) }

    package func apply(at site: Site, to block: ActivationBlock) {
        let width = vector.count
        precondition(block.width == width, "a vector of \(width) at a site of width \(block.width)")
        vector.withUnsafeBufferPointer { vector in
            let v = vector.baseAddress!
            block.forRows(positions) { h, _ in
                let factor = isRelative ? VectorMath.dot(h, h, count: width).squareRoot() : 1
                VectorMath.add(v, times: factor, to: h, count: width)
            }
        }
    }
}
