internal import HDF5
import Synchronization

/// Where a captured row comes from.
package struct CaptureRow: Sendable, Equatable {
    /// Index of the prompt.
    package let prompt: Int32
    /// Token position in the prompt; -1 for a mean, which stands for no single one.
    package let position: Int32
    /// Token id; -1 for a mean.
    package let token: Int32

    package init(prompt: Int32, position: Int32, token: Int32) {
        self.prompt = prompt
        self.position = position
        self.token = token
    }
}

/// One prompt of a capture.
package struct CapturePrompt: Sendable, Equatable {
    package let text: String
    /// Empty if it has none.
    package let label: String

    package init(text: String, label: String = "") {
        self.text = text
        self.label = label
    }
}

/// Writes a capture file row by row, so that a capture need not fit in memory.
///
/// The file takes its place in `finish`; until then, and after `abandon` or the writer's end, there is nothing at its
/// path. Methods may be called from any thread.
package final class CaptureWriter: Sendable {
    package static let format = "nacre-capture"
    package static let version = 1

    package let path: String
    /// Rows of every site.
    package let rowCount: Int
    /// Width of each site, by name.
    package let sites: [String: Int]

    private let file: FileWriter
    /// Which rows are written, a bit each, by site.
    private let written: Mutex<[String: [UInt64]]>

    /// Creates the file with all its space.
    ///
    /// - Parameters:
    ///   - sites: width of each site, by its full name, e.g. "blocks.3.hook_resid_post".
    ///   - rows: where each row comes from; their number is the number of rows of every site.
    package init(
        _ path: String, overwrite: Bool, sites: [String: Int], rows: [CaptureRow], prompts: [CapturePrompt],
        recipeJSON: [UInt8], createdBy: String
    ) throws {
        func failure(_ object: String, _ problem: String) -> CheckpointError {
            CheckpointError(
                .inconsistent, file: path, object: object, problem: problem, remedy: "capture something else")
        }
        var total = rows.count * 12 + recipeJSON.count + prompts.count * 16
        total += prompts.reduce(0) { $0 + $1.text.utf8.count + $1.label.utf8.count }
        for (site, width) in sites {
            guard isStorable(site) else { throw failure(site, "this name cannot be stored") }
            guard width > 0, let bytes = checkedProduct([rows.count, width, 4]), bytes < Int.max / 4 else {
                throw failure(site, "\(rows.count) x \(width) values cannot be stored")
            }
            let (sum, overflow) = total.addingReportingOverflow(bytes + 1024)
            guard !overflow else { throw failure(site, "the sizes overflow") }
            total = sum
        }
        if let row = rows.first(where: { $0.prompt < 0 || Int($0.prompt) >= prompts.count }) {
            throw failure("/rows/prompt", "row of prompt \(row.prompt), of which there are \(prompts.count)")
        }
        self.path = path
        self.sites = sites
        rowCount = rows.count
        written = Mutex(sites.mapValues { _ in [UInt64](repeating: 0, count: (rows.count + 63) / 64) })
        file = try FileWriter(path, overwrite: overwrite, expectedBytes: total)
        try file.setAttribute("format", Self.format)
        try file.setAttribute("format_version", Self.version)
        try file.setAttribute("created_by", createdBy)
        try file.createText("/recipe.json", recipeJSON)
        try file.createGroup("/sites")
        for (site, width) in sites.sorted(by: { $0.key < $1.key }) {
            try file.createDataset("/sites/\(site)", type: .float32, shape: [rowCount, width])
        }
        try file.createGroup("/rows")
        try write(rows.map(\.prompt), "/rows/prompt", .int32)
        try write(rows.map(\.position), "/rows/position", .int32)
        try write(rows.map(\.token), "/rows/token", .int32)
        try file.createGroup("/prompts")
        try write(prompts.map(\.text), "text", "offsets")
        try write(prompts.map(\.label), "labels", "label_offsets")
    }

    /// Writes rows `firstRow ..< firstRow + values.count / width` of one site.
    package func write(site: String, firstRow: Int, values: UnsafeBufferPointer<Float>) throws {
        guard let width = sites[site], values.count % width == 0, firstRow >= 0,
            values.count / width <= rowCount - firstRow
        else {
            throw CheckpointError(
                .inconsistent, file: path, object: site,
                problem: "\(values.count) values from row \(firstRow) on do not fit", remedy: "report this")
        }
        let count = values.count / width
        try file.writeRows("/sites/\(site)", first: firstRow, count: count, UnsafeRawBufferPointer(values))
        written.withLock { marks in
            for row in firstRow..<firstRow + count { marks[site]?[row / 64] |= 1 << UInt64(row % 64) }
        }
    }

    /// Puts the file in place. Throws, and removes it, if a row was never written.
    package func finish() throws {
        let counts = written.withLock { $0.mapValues { $0.reduce(0) { $0 + $1.nonzeroBitCount } } }
        if let (site, count) = counts.sorted(by: { $0.key < $1.key }).first(where: { $0.value != rowCount }) {
            abandon()
            throw CheckpointError(
                .inconsistent, file: path, object: site,
                problem: "only \(count) of \(rowCount) rows were written", remedy: "capture again")
        }
        try file.commit { _ = try CaptureFile($0) }
    }

    /// Removes what was written; harmless after `finish`.
    package func abandon() { file.abandon() }

    private func write<Number>(_ numbers: [Number], _ dataset: String, _ type: StorageType) throws {
        try file.createDataset(dataset, type: type, shape: [numbers.count])
        try numbers.withUnsafeBytes { try file.writeRows(dataset, first: 0, count: numbers.count, $0) }
    }

    /// All texts after one another, and where each begins and the last ends.
    private func write(_ texts: [String], _ text: String, _ offsets: String) throws {
        var bytes: [UInt8] = []
        var starts: [Int64] = [0]
        for text in texts {
            bytes += Array(text.utf8)
            starts.append(Int64(bytes.count))
        }
        try file.createText("/prompts/\(text)", bytes)
        try write(starts, "/prompts/\(offsets)", .int64)
    }
}
