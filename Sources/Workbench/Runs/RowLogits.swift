package import LinearAlgebra
package import Models

/// Makes requests for the logits of some rows (tokens) of a model's run. All code that reads logits requests them here.
package enum RowLogits {
    /// Makes a request that reads the logits row by row, in the order of the rows.
    ///
    /// - Parameters:
    ///   - rows: The rows, counted among all tokens of the run.
    ///   - vocabulary: The number of logits in a row.
    ///   - read: A closure that receives the index in `rows` and the logits, [vocabulary].
    package static func request(
        _ rows: [Int], vocabulary: Int, read: @escaping (_ place: Int, UnsafeBufferPointer<Float>) throws -> Void
    ) -> LogitsRequest {
        blocks(rows, vocabulary: vocabulary) { first, block, _ in
            for (index, row) in block.enumerated() { try read(first + index, row) }
        }
    }

    /// Returns a copy of one row of logits, [vocabulary], after checking that they are finite.
    ///
    /// - Throws: `ModelError.notFinite` if a logit is NaN or infinite.
    package static func finite(_ row: UnsafeBufferPointer<Float>) throws -> [Float] {
        guard let start = row.baseAddress, VectorMath.isFinite(start, count: row.count) else {
            throw ModelError.notFinite(site: "logits")
        }
        return Array(row)
    }

    /// Makes a request that reads the logits of several rows (tokens of the run) at the same time, on any thread.
    package static func concurrentRequest(
        _ rows: [Int], vocabulary: Int,
        read: @escaping @Sendable (_ place: Int, UnsafeBufferPointer<Float>) throws -> Void
    ) -> LogitsRequest {
        blocks(rows, vocabulary: vocabulary) { first, block, pool in
            nonisolated(unsafe) let block = block
            try pool.run(tasks: block.count) { task, _ in try read(first + task, block[task]) }
        }
    }

    /// Makes a request that reads the logits in blocks of rows, as the run computes them.
    ///
    /// - Parameters:
    ///   - rows: The rows, counted among all tokens of the run.
    ///   - vocabulary: The number of logits in a row.
    ///   - read: A closure that receives the index in `rows` of the block's first row, the rows of the block, and the
    ///     threads of the run.
    package static func blocks(
        _ rows: [Int], vocabulary: Int,
        read: @escaping (_ first: Int, [UnsafeBufferPointer<Float>], ThreadPool) throws -> Void
    ) -> LogitsRequest {
        LogitsRequest(rows: rows) { range, logits, pool in
            try read(
                range.lowerBound,
                (0..<range.count).map { UnsafeBufferPointer(start: logits + $0 * vocabulary, count: vocabulary) }, pool)
        }
    }
}

extension TokenSequences {
    /// The row of the last token of each prompt, counted among all tokens of the run.
    package var lastRows: [Int] { starts.dropFirst().map { $0 - 1 } }
}
