import LinearAlgebra
import Sites

/// Queries at neighbouring positions of one prompt, for all heads that share one key-value head.
struct AttentionBlock {
    /// The prompt's index among the run's prompts.
    let prompt: Int
    let firstHead: Int
    /// Heads.
    let group: Int
    /// The first query's position.
    let first: Int
    let queries: Int
    /// Keys that a query sees, itself included; nil: all.
    let window: Int?

    /// The first key, a multiple of 256, before which no query sees any: sums over keys then fall into the same blocks of
    /// 256 whichever queries stand beside, and keys that are not seen add zeros.
    var firstKey: Int { window.map { max(0, first - $0 + 1) / 256 * 256 } ?? 0 }

    /// Keys from `firstKey` to the last query.
    var keys: Int { first + queries - firstKey }

    /// Keys, counted from `firstKey`, that a query sees.
    func visible(_ query: Int) -> Range<Int> {
        let end = first + query + 1
        return (window.map { max(0, end - $0) } ?? 0) - firstKey..<end - firstKey
    }

    /// Gives [group, queries, keys] of scores or weights to taps, head by head, over all keys from the prompt's start.
    ///
    /// - Parameters:
    ///   - masked: what stands for keys that a query does not see.
    ///   - factor: of each row.
    func show(
        _ values: UnsafePointer<Float>, _ worker: Worker, _ site: Site, _ taps: [any PatternTap], masked: Float,
        factor: (Int) -> Float
    ) throws {
        let width = first + queries
        let whole = worker.scratch(4, count: queries * width)
        for member in 0..<group {
            whole.update(repeating: masked, count: queries * width)
            for query in 0..<queries {
                let row = member * queries + query
                let factor = factor(row)
                for key in visible(query) { whole[query * width + firstKey + key] = values[row * keys + key] * factor }
            }
            let block = PatternBlock(
                prompt: prompt, head: firstHead + member, firstQuery: first, queries: queries, keys: width,
                values: whole)
            for tap in taps { try tap.receive(site, block) }
        }
    }
}
