package import ArgumentParser
import Checkpoints
import Control
import Language
import Reports
import Sites
import TerminalText
import Workbench

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

package struct TensorsCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "tensors", abstract: "List a checkpoint's tensors: type, shape, bytes, how they are stored.")
    package static let traits = CommandTraits(
        .files, needsCheckpoint: true, makesValue: true, kinds: ["pattern": .tensor, "in": .checkpoint],
        examples: ["tensors '*layers.0.*'"])

    @Argument(help: "A name; * and ? match any characters.") var pattern: String?
    @Option(name: .customLong("in"), help: "An open checkpoint.") var checkpoint: String?

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let checkpoint = try session.checkpoint(named: checkpoint)
        var table = Table("tensors", columns: ["name", "type", "shape", .init("size", alignment: .right), "storage"])
        var bytes = 0
        for tensor in try matchingTensors(checkpoint, pattern) {
            bytes += tensor.byteCount
            table.append([
                .text(tensor.name), .text(tensor.typeName), .text(shapeText(tensor.shape)),
                .text(NumberFormat.bytes(tensor.byteCount)), .text(tensor.storage),
            ])
        }
        let total = "\(counted(table.rows.count, "tensor")), \(NumberFormat.bytes(bytes))"
        return Outcome(Report(title: "\(checkpoint.label): \(total)", tables: [table]))
    }
}

package struct StatsCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "stats", abstract: "Statistics of tensors: range, mean, spread, zeros, NaN and Inf.",
        discussion: """
            Exact over all elements, in float64. Beside the spread stands what Gaussian noise of the same spread and size
            would reach: max/std far above it means outliers.
            """)
    package static let traits = CommandTraits(
        .files, needsCheckpoint: true, makesValue: true, kinds: ["pattern": .tensor, "in": .checkpoint],
        examples: ["stats '*norm.weight'"])

    @Argument(help: "A name; * and ? match any characters.") var pattern: String?
    @Option(name: .customLong("in"), help: "An open checkpoint.") var checkpoint: String?

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let checkpoint = try session.checkpoint(named: checkpoint)
        let tensors = try matchingTensors(checkpoint, pattern)
        var table = Table(
            "statistics",
            columns: ["name", "elements", "mean", "std", "min", "max", "max/std", "noise", "zeros", "NaN", "Inf"])
        for (index, tensor) in tensors.enumerated() {
            try session.control.checkCancellation()
            session.control.report(done: index, total: tensors.count, unit: "tensors")
            guard let view = try checkpoint.file.tensor(tensor.name) else { continue }
            let s = try TensorStatistics(of: view, control: session.control, threads: session.settings.threads)
            let finite = s.count - s.nanCount - s.infiniteCount
            table.append([
                .text(tensor.name), .integer(s.count), .number(s.mean), .number(s.standardDeviation),
                .number(s.minimum), .number(s.maximum),
                .number(s.standardDeviation > 0 ? s.absoluteMaximum / s.standardDeviation : .nan),
                .number(finite > 1 ? Self.expectedPeak(finite) : .nan), .integer(s.zeroCount), .integer(s.nanCount),
                .integer(s.infiniteCount),
            ])
        }
        return Outcome(
            Report(
                title: checkpoint.label, tables: [table],
                notes: ["noise: the expected max/std of as many independent Gaussian values"],
                recipe: session.recipe(checkpoint)))
    }

    /// Returns the expected value of max|z| over n standard normal values, by the leading terms of extreme-value theory
    /// (Cramér 1946, 28.6).
    private static func expectedPeak(_ n: Int) -> Double {
        let a = (2 * log(2 * Double(n))).squareRoot()
        return a - (log(log(2 * Double(n))) + log(4 * .pi)) / (2 * a) + 0.5772 / a
    }
}

package struct VerifyCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Check every tensor against its digest, and count NaN and Inf.",
        discussion: """
            With --run, also run the model on a few tokens and check that its parts add up. A folder of safetensors records
            no digests: its headers and sizes were checked when it was opened, and NaN and Inf are counted.
            """)
    package static let traits = CommandTraits(
        .files, needsCheckpoint: true, makesValue: true, kinds: ["name": .checkpoint], examples: ["verify --run"])

    @Argument(help: "An open checkpoint; the one in use when left out.") var name: String?
    @Flag(help: "Run the model's self-test too.") var run = false

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let checkpoint = try session.checkpoint(named: name)
        let rows = try checkpoint.file.verify(control: session.control, threads: session.settings.threads)
        var problems = Table("problems", columns: ["name", "digest", "NaN", "Inf"])
        var matching = 0
        var undigested = 0
        var damaged: [String] = []
        for row in rows {
            let state: String
            switch row.state {
            case .matches:
                matching += 1
                state = "ok"
            case .noDigest:
                undigested += 1
                state = "none"
            case .mismatch:
                damaged.append(row.name)
                state = "does not match"
            case .unreadable(let reason):
                damaged.append(row.name)
                state = reason
            }
            if row.nanCount > 0 || row.infiniteCount > 0 || damaged.last == row.name {
                problems.append([.text(row.name), .text(state), .integer(row.nanCount), .integer(row.infiniteCount)])
            }
        }
        var notes: [String] = []
        if matching == 0, damaged.isEmpty {
            notes.append(
                "The file records no digests: only headers and sizes were checked, and the values for NaN and Inf."
                    + " A saved copy has digests: save NAME FILE.h5.")
        }
        let unread = Dictionary(grouping: checkpoint.file.tensors.compactMap(\.unreadableType)) { $0 }
        for (type, tensors) in unread.sorted(by: { $0.key < $1.key }) {
            notes.append("Not looked at: \(counted(tensors.count, "tensor")) of type \(type.escapedForTerminal).")
        }
        if run {
            try session.context().selfTest(checkpoint)
            notes.append("Self-test passed: the residual stream is the sum of its parts at every layer, and finite.")
        }
        guard damaged.isEmpty else {
            throw CommandError(
                "\(checkpoint.label): \(damaged.count) of \(counted(rows.count, "entry", "entries"))"
                    + " \(agreeing(damaged.count, "does not match its", "do not match their")) digest or can't be read:"
                    + " \(damaged.prefix(4).map(\.escapedForTerminal).joined(separator: ", "))",
                remedy: "the file was changed or damaged after it was written; get it again")
        }
        let withBadValues = rows.count { $0.nanCount > 0 || $0.infiniteCount > 0 }
        return Outcome(
            Report(
                title: checkpoint.label,
                scalars: [
                    Scalar("digests that match", .integer(matching)),
                    Scalar("without a digest", .integer(undigested), note: "texts and tensors"),
                    Scalar("tensors with NaN or Inf", .integer(withBadValues)),
                ], tables: problems.rows.isEmpty ? [] : [problems], notes: notes, recipe: session.recipe(checkpoint)))
    }
}
