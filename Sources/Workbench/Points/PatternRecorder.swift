import Checkpoints
import Models
import Sites

/// Streams the attention patterns and scores of a section (some of a capture's prompts) into the capture's file.
final class PatternRecorder: PatternTap {
    private let selections: [Site: [SiteSelection]]
    /// The number of tokens of every prompt of the capture.
    private let tokens: [Int]
    /// The index, among the capture's prompts, of the section's first prompt.
    private let first: Int
    private let partial: PartialCapture

    init(_ selections: [SiteSelection], tokens: [Int], first: Int, _ partial: PartialCapture) {
        self.selections = Dictionary(grouping: selections) { $0.site }
        self.tokens = tokens
        self.first = first
        self.partial = partial
    }

    func wants(_ site: Site) -> Bool { selections[site] != nil }

    func receive(_ site: Site, _ block: PatternBlock) throws {
        let prompt = first + block.prompt
        let count = tokens[prompt]
        for selection in selections[site] ?? [] where selection.head == nil || selection.head == block.head {
            // Keys after the block's last query are masked.
            var values = [Float](repeating: site.kind == .attnScores ? -.infinity : 0, count: block.queries * count)
            values.withUnsafeMutableBufferPointer { buffer in
                for query in 0..<block.queries {
                    (buffer.baseAddress! + query * count).update(
                        from: block.values + query * block.keys, count: block.keys)
                }
            }
            try values.withUnsafeBufferPointer {
                try partial.write(
                    pattern: selection.fullName, index: selection.head == nil ? block.head : 0, prompt: prompt,
                    firstQuery: block.firstQuery, values: $0)
            }
        }
    }
}
