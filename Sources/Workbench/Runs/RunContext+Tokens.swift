import LinearAlgebra
package import Models
package import Sites
import Tokenizers

extension RunContext {
    /// Returns, for every prompt, the token positions that an expression such as `last`, `-2` or `all` means. The
    /// expression `token:WORD` searches in the text that the tokens make.
    ///
    /// - Throws: `SiteError` for a prompt that has no such position.
    package func positions(
        _ position: Position, _ checkpoint: LoadedCheckpoint, ids: [[Int32]], includesLeading: Bool
    ) throws -> [[Int]] {
        try positions(position, checkpoint, ids, of: nil, includesLeading: includesLeading)
    }

    /// Returns, for every prompt of an encoded set, the token positions that an expression means.
    ///
    /// - Throws: `SiteError` for a prompt that has no such position.
    package func positions(
        _ position: Position, _ checkpoint: LoadedCheckpoint, _ prompts: EncodedPrompts, includesLeading: Bool
    ) throws -> [[Int]] {
        try positions(position, checkpoint, prompts.ids, of: prompts, includesLeading: includesLeading)
    }

    private func positions(
        _ position: Position, _ checkpoint: LoadedCheckpoint, _ ids: [[Int32]], of prompts: EncodedPrompts?,
        includesLeading: Bool
    ) throws -> [[Int]] {
        let tokenizer = try checkpoint.tokenizer()
        return try ids.indices.map { prompt in
            let list = ids[prompt]
            return try position.positions(
                count: list.count, skipped: includesLeading ? 0 : checkpoint.leadingTokens(of: list),
                prompt: prompts?.set.subject(prompt) ?? (ids.count == 1 ? "the text" : "prompt \(prompt + 1)"),
                find: { word in
                    let text = prompts?.texts[prompt] ?? tokenizer.decode(list)
                    let encoding = tokenizer.encodeWithOffsets(
                        text, addSpecialTokens: prompts?.set.addsSpecialTokens ?? false)
                    guard encoding.ids == list, let end = WordFinder(pattern: word).end(in: text) else { return nil }
                    return encoding.ranges.lastIndex { $0.lowerBound < end && $0.upperBound >= end }
                })
        }
    }

    /// Returns every token's cross-entropy given the tokens before it, in nats: [prompt][tokens - 1].
    package func losses(
        _ checkpoint: LoadedCheckpoint, _ ids: [[Int32]], choices: RunChoices? = nil
    ) throws -> [[Double]] {
        try losses(checkpoint, TokenSequences(ids), choices: choices)
    }

    /// Returns every token's cross-entropy given the tokens before it, in nats: [prompt][tokens - 1].
    package func losses(
        _ checkpoint: LoadedCheckpoint, _ sequences: TokenSequences, choices: RunChoices? = nil
    ) throws -> [[Double]] {
        var rows: [Int] = []
        for prompt in 0..<sequences.count { rows += sequences.rows(of: prompt).dropLast() }
        let vocabulary = try checkpoint.configuration().vocabularySize
        var flat = [Double](repeating: 0, count: rows.count)
        let request = RowLogits.blocks(rows, vocabulary: vocabulary) { first, block, pool in
            try flat.withUnsafeMutableBufferPointer { buffer in
                nonisolated(unsafe) let (results, block) = (buffer, block)
                try pool.run(tasks: block.count) { task, _ in
                    guard let row = block[task].baseAddress else { return }
                    let entry = first + task
                    let target = Int(sequences.tokens[rows[entry] + 1])
                    results[entry] = VectorMath.logSumExp(row, count: vocabulary) - Double(row[target])
                    guard results[entry].isFinite else { throw ModelError.notFinite(site: "logits") }
                }
            }
        }
        try run(checkpoint, sequences, logits: request, choices: choices)
        var result: [[Double]] = []
        var start = 0
        for prompt in 0..<sequences.count {
            let count = sequences.rows(of: prompt).count - 1
            result.append(Array(flat[start..<start + count]))
            start += count
        }
        return result
    }
}
