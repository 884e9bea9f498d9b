package import LinearAlgebra
package import Models

/// Requests for the logits of some rows of a run. Whatever reads logits asks for them here.
package enum RowLogits {
    /// Reads the logits row by row, in the order of the rows.
    ///
    /// - Parameters:
    ///   - rows: rows among all tokens of the run.
    ///   - read: is given the place in `rows`, and the logits, [vocabulary].
    package static func request(
        _ rows: [Int], vocabulary: Int, read: @escaping (_ place: Int, UnsafeBufferPointer<Float>) throws -> Void
    ) -> LogitsRequest {
        blocks(rows, vocabulary: vocabulary) { first, block, _ in
            for (index, row) in block.enumerated() { try read(first + index, row) }
        }
    }

    /// Returns a copy of one row.
    ///
    /// - Throws: `ModelError.notFinite` if a logit is NaN or infinite.
    package static func finite(_ row: UnsafeBufferPointer<Float>) throws -> [Float] {
        guard let start = row.baseAddress, VectorMath.isFinite(start, count: row.count) else {
            throw ModelError.notFinite(site: "logits")
        }
        return Array(row)
    }

    /// Reads the logits of several rows at once, on any thread.
    package static func concurrentRequest(
        _ rows: [Int], vocabulary: Int,
        read: @escaping @Sendable (_ place: Int, UnsafeBufferPointer<Float>) throws -> Void
    ) -> LogitsRequest {
        blocks(rows, vocabulary: vocabulary) { first, block, pool in
            nonisolated(unsafe) let block = block
            try pool.run(tasks: block.count) { task, _ in try read(first + task, block[task]) }
        }
    }

    /// Reads the logits in blocks of rows, as the run makes them.
    ///
    /// - Parameter read: is given the place in `rows` of the block's first row, the rows, and the run's threads.
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
    /// The row of each prompt's last token.
    package var lastRows: [Int] { starts.dropFirst().map { $0 - 1 } }
}
