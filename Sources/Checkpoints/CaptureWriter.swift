internal import HDF5
import Synchronization

/// Writes a capture file row by row, so that a capture need not fit in memory.
///
/// The file takes its place in `finish`; until then, and after `abandon` or the writer's end, there is nothing at its
/// path. Methods may be called from any thread.
package final class CaptureWriter: Sendable {
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
        let layout = CaptureLayout(
            sites: sites, rows: rows, prompts: prompts, recipeJSON: recipeJSON, createdBy: createdBy)
        let total = try layout.checkedBytes(path)
        self.path = path
        self.sites = sites
        rowCount = rows.count
        written = Mutex(sites.mapValues { _ in [UInt64](repeating: 0, count: (rows.count + 63) / 64) })
        file = try FileWriter(path, overwrite: overwrite, expectedBytes: total)
        try layout.create(in: file)
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
}
