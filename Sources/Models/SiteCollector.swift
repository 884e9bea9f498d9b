package import LinearAlgebra
package import Sites

/// Where collected rows go: memory, or a file.
package protocol RowSink: AnyObject {
    /// Stores rows `firstRow...` of a site or a head, [rows, width].
    func write(_ selection: SiteSelection, firstRow: Int, values: UnsafeBufferPointer<Float>, width: Int) throws
}

/// Keeps collected rows in memory.
package final class MatrixSink: RowSink {
    private var selections: [SiteSelection: Matrix] = [:]
    private let rows: Int

    /// What whole sites held.
    package var matrices: [Site: Matrix] {
        Dictionary(
            uniqueKeysWithValues: selections.compactMap { $0.key.head == nil ? ($0.key.site, $0.value) : nil })
    }

    package subscript(selection: SiteSelection) -> Matrix? { selections[selection] }

    /// Copies large blocks on all its threads: much of the time goes to the system, which hands out fresh pages.
    private let pool: ThreadPool?

    /// - Parameters:
    ///   - rows: rows every site will have.
    ///   - pool: the threads of the run whose rows these are; nil: copy on the thread that writes.
    package init(rows: Int, pool: ThreadPool? = nil) {
        self.rows = rows
        self.pool = pool
    }

    package func write(
        _ selection: SiteSelection, firstRow: Int, values: UnsafeBufferPointer<Float>, width: Int
    ) throws {
        if firstRow == 0, values.count == rows * width {
            selections[selection] = Matrix(rows: rows, columns: width, values: try copy(values))
            return
        }
        var matrix = selections.removeValue(forKey: selection) ?? Matrix(rows: rows, columns: width)
        matrix.values.replaceSubrange(firstRow * width..<firstRow * width + values.count, with: values)
        selections[selection] = matrix
    }

    private func copy(_ values: UnsafeBufferPointer<Float>) throws -> [Float] {
        let chunk = 1 << 16
        guard let pool, values.count > 2 * chunk else { return Array(values) }
        return try [Float](unsafeUninitializedCapacity: values.count) { buffer, written in
            nonisolated(unsafe) let target = buffer.baseAddress!
            let source = values.baseAddress!
            try pool.run(tasks: (values.count + chunk - 1) / chunk) { task, _ in
                let count = min(chunk, values.count - task * chunk)
                (target + task * chunk).initialize(from: source + task * chunk, count: count)
            }
            written = values.count
        }
    }
}

/// The rows that a capture takes from a run: some of each prompt's rows, or the mean over them.
package struct RowSelection: Sendable, Equatable {
    /// Rows among all tokens of the run, ascending; with `isMean`, all rows that enter a mean.
    package let rows: [Int]
    /// [output rows + 1]: output row i is made of `rows[groups[i]..<groups[i + 1]]`.
    package let groups: [Int]
    package let isMean: Bool

    package var outputCount: Int { groups.count - 1 }

    /// - Parameter positions: for each prompt, positions within it.
    package init(_ sequences: TokenSequences, positions: [[Int]], isMean: Bool) {
        precondition(positions.count == sequences.count, "one list of positions a prompt")
        var rows: [Int] = []
        var groups = [0]
        for (prompt, list) in positions.enumerated() {
            let start = sequences.starts[prompt]
            for position in list {
                rows.append(start + position)
                if !isMean { groups.append(rows.count) }
            }
            if isMean { groups.append(rows.count) }
        }
        self.rows = rows
        self.groups = groups
        self.isMean = isMean
    }
}

/// Streams selected rows of some sites into a sink, so that a capture never has to fit in memory.
package final class SiteCollector: Tap {
    /// For each site the columns that are kept, and under which name.
    private let parts: [Site: [(selection: SiteSelection, columns: Range<Int>)]]
    private let selection: RowSelection
    private let sink: any RowSink

    package convenience init(sites: some Sequence<Site>, selection: RowSelection, sink: any RowSink) {
        self.init(Set(sites).map { SiteSelection($0) }, headDimension: 0, selection: selection, sink: sink)
    }

    /// - Parameter headDimension: columns of one head.
    package init(_ selections: [SiteSelection], headDimension: Int, selection: RowSelection, sink: any RowSink) {
        let parts = Set(selections).sorted().map { selection in
            (selection, selection.head.map { $0 * headDimension..<($0 + 1) * headDimension } ?? 0..<Int.max)
        }
        self.parts = Dictionary(grouping: parts) { $0.0.site }
        self.selection = selection
        self.sink = sink
    }

    package func wants(_ site: Site) -> Bool { parts[site] != nil }

    package func receive(_ site: Site, _ block: ActivationBlock) throws {
        for (selection, columns) in parts[site] ?? [] {
            try receive(selection, columns.clamped(to: 0..<block.width), block)
        }
    }

    private func receive(_ part: SiteSelection, _ columns: Range<Int>, _ block: ActivationBlock) throws {
        // Packs hold whole prompts, so the groups of a prompt are always complete.
        let first = selection.rows.partitioningIndex { $0 >= block.firstRow }
        let last = selection.rows.partitioningIndex { $0 >= block.firstRow + block.rows }
        guard first < last else { return }
        let stride = block.width
        let width = columns.count
        let firstGroup = selection.groups.partitioningIndex { $0 >= first }
        let lastGroup = selection.groups.partitioningIndex { $0 >= last }
        if !selection.isMean, width == stride, selection.rows[last - 1] - selection.rows[first] == last - 1 - first {
            // Neighbouring rows, such as all of them, go as they lie.
            let start = block.values + (selection.rows[first] - block.firstRow) * width
            let run = UnsafeBufferPointer(start: start, count: (last - first) * width)
            try sink.write(part, firstRow: firstGroup, values: run, width: width)
            return
        }
        var values = [Float](repeating: 0, count: (lastGroup - firstGroup) * width)
        values.withUnsafeMutableBufferPointer { buffer in
            for group in firstGroup..<lastGroup {
                let target = buffer.baseAddress! + (group - firstGroup) * width
                let entries = selection.groups[group]..<selection.groups[group + 1]
                for entry in entries {
                    let source =
                        block.values + (selection.rows[entry] - block.firstRow) * stride + columns.lowerBound
                    if selection.isMean {
                        VectorMath.add(source, to: target, count: width)
                    } else {
                        target.update(from: source, count: width)
                    }
                }
                if selection.isMean {
                    let scale = 1 / Float(entries.count)
                    for index in 0..<width { target[index] *= scale }
                }
            }
        }
        try values.withUnsafeBufferPointer {
            try sink.write(part, firstRow: firstGroup, values: $0, width: width)
        }
    }

    /// The same rows' logits, for a capture that asks for the site `logits`.
    package func logitsRequest(vocabulary: Int) -> LogitsRequest {
        precondition(!selection.isMean, "logits are collected at positions, not as a mean")
        return LogitsRequest(rows: selection.rows) { [sink] range, values, _ in
            let block = UnsafeBufferPointer(start: values, count: range.count * vocabulary)
            try sink.write(SiteSelection(Site(.logits)), firstRow: range.lowerBound, values: block, width: vocabulary)
        }
    }
}

extension Array where Element == Int {
    /// The first index whose element satisfies a condition that holds for all later ones; `count` if none does.
    fileprivate func partitioningIndex(_ holds: (Int) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if holds(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
