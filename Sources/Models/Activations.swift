/// Rows of one site's activations while they are in the engine's buffers.
package struct ActivationBlock {
    /// The first row's place among all tokens of the run.
    package let firstRow: Int
    package let rows: Int
    package let width: Int
    /// [rows, width]; valid during the call only.
    package let values: UnsafeMutablePointer<Float>
    /// The run's prompts, to tell which prompt and position a row is.
    package let sequences: TokenSequences
}

/// Reads activations as they are computed, after any edits.
package protocol Tap: AnyObject {
    func wants(_ site: Site) -> Bool
    /// Called once for each pack of rows, in ascending order of rows within a site.
    func receive(_ site: Site, _ block: ActivationBlock) throws
}

/// Changes activations in place as they are computed; everything after sees the change.
package protocol Edit: Sendable {
    func applies(to site: Site) -> Bool
    func apply(at site: Site, to block: ActivationBlock)
}

/// h <- h - r̂(r̂'h) at the given sites and all positions. (Arditi et al. 2024, eq. 4.)
package struct DirectionalAblation: Edit {
    private let unit: [Float]
    private let sites: Set<Site>

    /// - Parameter direction: [width], of any length but 0.
    package init(direction: [Float], sites: some Sequence<Site>) {
        let norm = direction.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
        unit = direction.map { Float(Double($0) / norm) }
        self.sites = Set(sites)
    }

    package func applies(to site: Site) -> Bool { sites.contains(site) }

    package func apply(at site: Site, to block: ActivationBlock) {
        precondition(block.width == unit.count, "a direction of \(unit.count) at a site of width \(block.width)")
        for row in 0..<block.rows {
            let h = block.values + row * block.width
            var projection: Float = 0
            for index in 0..<block.width { projection += unit[index] * h[index] }
            for index in 0..<block.width { h[index] -= projection * unit[index] }
        }
    }
}

/// h <- 0 at the given sites, at one position of every prompt or at all of them.
package struct ZeroAblation: Edit {
    private let sites: Set<Site>
    private let lastPositionOnly: Bool

    package init(sites: some Sequence<Site>, lastPositionOnly: Bool = false) {
        self.sites = Set(sites)
        self.lastPositionOnly = lastPositionOnly
    }

    package func applies(to site: Site) -> Bool { sites.contains(site) }

    package func apply(at site: Site, to block: ActivationBlock) {
        if lastPositionOnly {
            for start in block.sequences.starts.dropFirst() {
                let row = start - 1 - block.firstRow
                if (0..<block.rows).contains(row) {
                    (block.values + row * block.width).update(repeating: 0, count: block.width)
                }
            }
        } else {
            block.values.update(repeating: 0, count: block.rows * block.width)
        }
    }
}

extension ModelConfiguration {
    /// The last site that anybody asks for: after it a run has nothing left to do.
    package func lastSite(taps: [any Tap], patterns: [any PatternTap], hasLogits: Bool) -> Site {
        if hasLogits { return Site(.logits) }
        return sites.last { site in
            taps.contains { $0.wants(site) } || patterns.contains { $0.wants(site) }
        } ?? Site(.embed)
    }
}
