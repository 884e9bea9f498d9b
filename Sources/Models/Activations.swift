package import Sites

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
    /// By prompt: tokens that stand before its first row of this run, in a key-value cache; empty: none anywhere.
    package var pasts: [Int] = []
    /// By prompt: its tokens without those that were generated; empty where every row is of a prompt.
    package var promptTokens: [Int] = []
}

/// Reads activations as they are computed, after any edits.
package protocol Tap: AnyObject {
    func wants(_ site: Site) -> Bool
    /// Called once for each pack of rows, in ascending order of rows within a site.
    func receive(_ site: Site, _ block: ActivationBlock) throws
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
