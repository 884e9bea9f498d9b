package import LinearAlgebra
package import Sites
import Statistics

/// Puts other values in the place of some columns of a row: zeros, a mean, or rows that were seen elsewhere.
package struct Replacement: Edit {
    package enum Source: Sendable {
        case zero
        /// [columns.count], the same for every row.
        case constant([Float])
        /// [rows, columns.count]: each row that is edited gets one of these, drawn by seed, position and token, so that it is
        /// the same whatever is run beside it.
        case resampled(Matrix, seed: UInt64)
        /// [rows, columns.count]: the row of these that stands at the same prompt and position; nil leaves it as it is.
        case rows(Matrix, at: @Sendable (RowPlace) -> Int?)
    }

    package let source: Source
    /// Of the site's width: a head's, a range of neurons, or all.
    package let columns: Range<Int>
    package let sites: Set<Site>
    package let positions: EditPositions

    package init(
        _ source: Source, columns: Range<Int>, sites: some Sequence<Site>, positions: EditPositions = .all
    ) {
        self.source = source
        self.columns = columns
        self.sites = Set(sites)
        self.positions = positions
    }

    package func applies(to site: Site) -> Bool { sites.contains(site) }

    package func apply(at site: Site, to block: ActivationBlock) {
        let count = columns.count
        precondition(columns.upperBound <= block.width, "columns \(columns) at a site of width \(block.width)")
        block.forRows(positions) { h, place in
            let target = h + columns.lowerBound
            switch source {
            case .zero: target.update(repeating: 0, count: count)
            case .constant(let values):
                values.withUnsafeBufferPointer { target.update(from: $0.baseAddress!, count: count) }
            case .resampled(let matrix, let seed):
                var random = SeededRandom(seed: seed, stream: place.position, Int(place.token))
                let row = Int(random.next() % UInt64(matrix.rows))
                matrix.values.withUnsafeBufferPointer {
                    target.update(from: $0.baseAddress! + row * count, count: count)
                }
            case .rows(let matrix, let at):
                guard let row = at(place) else { return }
                matrix.values.withUnsafeBufferPointer {
                    target.update(from: $0.baseAddress! + row * count, count: count)
                }
            }
        }
    }
}
