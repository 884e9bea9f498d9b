package import LinearAlgebra

/// Where collected rows go: memory, or a file.
package protocol RowSink: AnyObject {
    /// Stores rows `firstRow...` of a site, [rows, width].
    func write(_ site: Site, firstRow: Int, values: UnsafeBufferPointer<Float>, width: Int) throws
}

/// Keeps collected rows in memory.
package final class MatrixSink: RowSink {
    package private(set) var matrices: [Site: Matrix] = [:]
    private let rows: Int

    /// - Parameter rows: rows every site will have.
    package init(rows: Int) { self.rows = rows }

    package func write(_ site: Site, firstRow: Int, values: UnsafeBufferPointer<Float>, width: Int) {
        if firstRow == 0, values.count == rows * width {
            matrices[site] = Matrix(rows: rows, columns: width, values: Array(values))
            return
        }
        var matrix = matrices.removeValue(forKey: site) ?? Matrix(rows: rows, columns: width)
        matrix.values.replaceSubrange(firstRow * width..<firstRow * width + values.count, with: values)
        matrices[site] = matrix
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
    private let sites: Set<Site>
    private let selection: RowSelection
    private let sink: any RowSink

    package init(sites: some Sequence<Site>, selection: RowSelection, sink: any RowSink) {
        self.sites = Set(sites)
        self.selection = selection
        self.sink = sink
    }

    package func wants(_ site: Site) -> Bool { sites.contains(site) }

    package func receive(_ site: Site, _ block: ActivationBlock) throws {
        // Packs hold whole prompts, so the groups of a prompt are always complete.
        let first = selection.rows.partitioningIndex { $0 >= block.firstRow }
        let last = selection.rows.partitioningIndex { $0 >= block.firstRow + block.rows }
        guard first < last else { return }
        let width = block.width
        let firstGroup = selection.groups.partitioningIndex { $0 >= first }
        let lastGroup = selection.groups.partitioningIndex { $0 >= last }
        if !selection.isMean, selection.rows[last - 1] - selection.rows[first] == last - 1 - first {
            // Neighbouring rows, such as all of them, go as they lie.
            let start = block.values + (selection.rows[first] - block.firstRow) * width
            let run = UnsafeBufferPointer(start: start, count: (last - first) * width)
            try sink.write(site, firstRow: firstGroup, values: run, width: width)
            return
        }
        var values = [Float](repeating: 0, count: (lastGroup - firstGroup) * width)
        values.withUnsafeMutableBufferPointer { buffer in
            for group in firstGroup..<lastGroup {
                let target = buffer.baseAddress! + (group - firstGroup) * width
                let entries = selection.groups[group]..<selection.groups[group + 1]
                for entry in entries {
                    let source = block.values + (selection.rows[entry] - block.firstRow) * width
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
            try sink.write(site, firstRow: firstGroup, values: $0, width: width)
        }
    }

    /// The same rows' logits, for a capture that asks for the site `logits`.
    package func logitsRequest(vocabulary: Int) -> LogitsRequest {
        precondition(!selection.isMean, "logits are collected at positions, not as a mean")
        return LogitsRequest(rows: selection.rows) { [sink] range, values, _ in
            let block = UnsafeBufferPointer(start: values, count: range.count * vocabulary)
            try sink.write(Site(.logits), firstRow: range.lowerBound, values: block, width: vocabulary)
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
