package import Sites

/// Keeps the attention patterns of one prompt's heads in one layer.
///
/// The run must hold that prompt alone.
package final class PatternCollector: PatternTap, @unchecked Sendable {
    private let site: Site
    private let heads: [Int]
    private let tokens: Int
    /// [head, query, key]; each block is written by one call, so that no two threads meet.
    private let buffer: UnsafeMutableBufferPointer<Float>

    /// Bytes that so many heads' patterns take.
    package static func bytes(heads: Int, tokens: Int) -> Int {
        let (square, overflows) = tokens.multipliedReportingOverflow(by: tokens)
        let (all, overflowsToo) = square.multipliedReportingOverflow(by: 4 * heads)
        return overflows || overflowsToo ? .max : all
    }

    package init(layer: Int, heads: [Int], tokens: Int) {
        site = Site(.pattern, layer: layer)
        self.heads = heads
        self.tokens = tokens
        buffer = .allocate(capacity: heads.count * tokens * tokens)
        buffer.initialize(repeating: 0)
    }

    deinit { buffer.deallocate() }

    package func wants(_ site: Site) -> Bool { site == self.site }

    package func receive(_ site: Site, _ block: PatternBlock) throws {
        guard let index = heads.firstIndex(of: block.head) else { return }
        for row in 0..<block.queries {
            let query = block.firstQuery + row
            let target = buffer.baseAddress! + (index * tokens + query) * tokens
            target.update(from: block.values + row * block.keys, count: query + 1)
            for key in 0...query where !target[key].isFinite { throw ModelError.notFinite(site: site.fullName) }
        }
    }

    /// The probability that a query gives a key; the head is one of those asked for, by its number.
    package func probability(head: Int, query: Int, key: Int) -> Float {
        guard let index = heads.firstIndex(of: head) else { return .nan }
        return buffer[(index * tokens + query) * tokens + key]
    }
}
