package import ArgumentParser
import Checkpoints
import Language
import Reports
import TerminalText
import Workbench

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

package struct PointsCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "points", abstract: "Read a set of points, one a row, from an HDF5 or a .npy file.",
        discussion: """
            Any two-dimensional dataset of numbers: f16, bf16, f32, f64 or integers, in an HDF5 file (FILE:DATASET, where it
            has several) or in what numpy.save writes, in row or column order. The numbers become f32, each rounded to the
            nearest; one beyond its range is an error. NaN and Inf are kept and counted. The file is read once, block by
            block, and is not needed afterwards.

            Points have no texts, labels or sites; pca and the other measures of points take them as they take a capture.
            --rows comes first, then --limit, then --sample.
            """)
    package static let traits = CommandTraits(
        .activations, changesState: true, makesValue: true, kinds: ["file": .file],
        examples: [
            "ball = points Tests/Fixtures/points/ball.npy", "pca ball",
            "words = points Checkpoints/pearl-base.h5:weights/model.embed_tokens.weight --sample 200",
            "corpus = prompts Scripts/prompts/open.txt --limit 50",
            "capture resid_post[0..1] --prompts corpus --to acts.h5",
            "second = points acts.h5:blocks.1.hook_resid_post --rows 0..29",
        ])

    @Argument(help: "An HDF5 file, with :DATASET if it has several, or a .npy file.") var file: String
    @Option(help: "Only these rows: 0..999, -1.") var rows: String?
    @Option(help: "Only the first so many.") var limit: Int?
    @Option(help: "Only so many, drawn with the session's seed, in the file's order.") var sample: Int?

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let (path, dataset) = Self.split(expandTilde(file))
        let file = try PointReading(path, dataset: dataset)
        var range = try rows.map { try IndexRange.parse($0, count: file.rows) } ?? 0..<file.rows
        if let limit { range = range.prefix(try checkedCount(limit, "--limit")) }
        let count = try sample.map { try checkedCount($0, "--sample") } ?? range.count
        guard count <= range.count else {
            throw CommandError(
                "there \(agreeing(range.count)) only \(counted(range.count, "row")) to sample from",
                remedy: "sample fewer")
        }
        try checkMemory(
            file.memory(rows: count),
            for: "\(file.name.escapedForTerminal): \(counted(count, "row")) of width \(file.columns)",
            remedy: "read fewer with --rows or --sample")
        let found =
            try sample == nil ? file.read(range, session.context()) : file.sample(count, of: range, session.context())
        var notes = sample == nil ? [] : ["seed \(session.settings.seed)"]
        let points = found.points
        if let bad = found.firstNonFinite {
            notes.append(
                "\(counted(found.nonFinite, "number")) of \(points.count * points.width)"
                    + " \(agreeing(found.nonFinite)) NaN or Inf;"
                    + " the first is in row \(bad.row), column \(bad.column).")
        }
        return Outcome(.points(points), report: Report(text: points.summary, notes: notes))
    }

    /// Splits `FILE:DATASET` into the path and the dataset. A colon may also be part of a file's name, so an existing
    /// file decides.
    ///
    /// - Returns: The path, and the dataset or nil if there is none.
    static func split(_ text: String) -> (path: String, dataset: String?) {
        func exists(_ path: some StringProtocol) -> Bool { access(String(path), F_OK) == 0 }
        guard !exists(text) else { return (text, nil) }
        let colons = text.indices.filter { text[$0] == ":" }
        guard let colon = colons.first(where: { exists(text[..<$0]) }) ?? colons.last else {
            return (text, nil)
        }
        return (String(text[..<colon]), String(text[text.index(after: colon)...]))
    }
}
