package import ArgumentParser
import Checkpoints
import Comparison
import JSON
import Language
import Provenance
import Reports
import TerminalText
import Workbench

package struct MergeCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "merge",
        abstract: "A checkpoint between two others, or with a difference added: a new one, in memory.",
        discussion: """
            merge A B --weights l is (1 - l) A + l B: 0 gives A's bits, 1 B's (in one type), and any number may be given. With
            --minus C it is A + l (B - C): the difference that took C to B, added to A (task arithmetic, Ilharco et al. 2023).

            Computed as A + l (B - C) in float64, stored in f32, or f64 where they are that. Tensors that do not change stay A's
            own, in its type. The new checkpoint is used, run, compared and saved as any other; save rounds it to the types of A's
            file, and says what that changed. Its configuration and tokenizer are A's.

            All must have the same tensors, of the same shapes, and the same tokenizer. Edits in force are not merged. Where one
            is tied (its embedding is its output matrix) and another is not, the new one is not, and the embedding of the tied
            one is merged as its output matrix too.
            """)
    package static let traits = CommandTraits(
        .files, needsCheckpoint: true, changesState: true, makesValue: true,
        kinds: ["a": .checkpoint, "b": .checkpoint, "minus": .checkpoint],
        examples: [
            "open Checkpoints/pearl-tuned.h5", "half = merge pearl-base pearl-tuned --weights 0.5",
            "compare half pearl-tuned weights --top 3", "open Checkpoints/pearl-chat.h5",
            "less = merge pearl-tuned pearl-chat --minus pearl-base --weights -0.5",
        ])

    @Argument(help: "A checkpoint.") var a: String
    @Argument(help: "Another.") var b: String
    @Option(help: "How much of B, or of the difference: 0.5.") var weights: String
    @Option(help: "What B is taken as a difference from; A when left out.") var minus: String?

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        guard let weight = Double(weights), weight.isFinite else {
            throw CommandError(
                "--weights can't be \"\(weights.escapedForTerminal)\"", remedy: "give a number, such as 0.5",
                exitCode: 2)
        }
        let names = [a, b] + [minus].compactMap(\.self)
        let sources = try names.map { NamedCheckpoint($0, try session.checkpoint(named: $0)) }
        let files = try session.context().files(sources)
        let pairs = try sources.indices.dropFirst().map { index in
            let pair = try session.pair(sources[0], sources[index])
            if try !pair.differences().isEmpty { session.add(.settingsOf(a)) }
            return try Self.matched(pair, TensorPairs(files[0].tensors, files[index].tensors))
        }
        let base = pairs.count > 1 ? pairs[1].map(\.b) : nil
        try checkMemory(
            Merge.byteCount(pairs[0], minus: base, weight: weight), for: "the merged weights",
            remedy: "close other programs, or merge on a machine with more memory")
        let label = session.target ?? "\(a)-merged"
        var recipe = session.recipe(ofWeights: sources[0].checkpoint)
        for other in sources.dropFirst() { recipe.inputs += session.recipe(ofWeights: other.checkpoint).inputs }
        let formula = formula(weight)
        let text = RecipeText.json(
            recipe,
            adding: [("merged", formula.jsonQuoted)]
                + zip(["a", "b", "c"], sources).map { ($0, RecipeText.nested($1.checkpoint.file.recipeText)) })
        let merge = try Merge(
            pairs[0], files[0], files[1], minus: base.map { (files[2], $0.map(\.name)) }, weight: weight, label: label,
            recipeJSON: Array(text.utf8), pool: session.context().pool, control: session.control)
        var report = try report(merge, formula, sources)
        report.recipe = recipe
        return Outcome(.checkpoint(LoadedCheckpoint(merge.checkpoint)), report: report)
    }

    /// Returns the formula of the merge with the checkpoints' names, such as `A + 0.7 (B - C)`.
    private func formula(_ weight: Double) -> String {
        let shown = NumberFormat.significant(weight)
        if let minus { return "\(a) + \(shown) (\(b) - \(minus))" }
        return "\(NumberFormat.significant(1 - weight)) \(a) + \(shown) \(b)"
    }

    /// Returns the pairs of all tensors of both checkpoints.
    ///
    /// - Throws: `CommandError` if a tensor has no partner. An error if the vocabularies differ.
    private static func matched(_ pair: CheckpointPair, _ pairs: TensorPairs) throws -> [TensorPairs.Pair] {
        let (a, b) = (pair.a, pair.b)
        if let first = pairs.unpaired.first {
            let more = pairs.unpaired.count - 1
            throw CommandError(
                "\(a.name) (A) and \(b.name) (B) can't be merged: \(first.phrase)"
                    + (more > 0
                        ? ", and \(counted(more, "more tensor")) \(agreeing(more, "does", "do")) not match" : ""),
                remedy: "merge checkpoints with the same tensors; compare A B weights lists what pairs")
        }
        // Tokenizer files with the same bytes need not be read.
        let texts = try [a, b].map { try $0.checkpoint.file.tokenizerJSON() }
        if texts[0] != texts[1], texts[0] != nil, texts[1] != nil { try pair.checkSameVocabulary() }
        return pairs.pairs
    }

    private func report(_ merge: Merge, _ formula: String, _ sources: [NamedCheckpoint]) throws -> Report {
        var notes: [String] = []
        if merge.changed > 0 {
            let types = merge.types.map(\.name).joined(separator: " and ")
            notes.append(
                "Merged tensors are \(types) in memory; save rounds them to the types of \(a)'s file, and says so.")
        }
        if merge.kept > 0 {
            notes.append("\(counted(merge.kept, "tensor")) \(agreeing(merge.kept, "stays", "stay")) \(a)'s own.")
        }
        if merge.copied > 0 {
            notes.append("\(counted(merge.copied, "tensor")) \(agreeing(merge.copied)) \(b)'s, bit by bit.")
        }
        for side in sources {
            if try side.checkpoint.file.tokenizerJSON() == nil {
                notes.append("\(side.name) has no tokenizer inside: whether theirs are the same is not known.")
            }
            if !side.checkpoint.edits.active.isEmpty {
                notes.append("The edits in force on \(side.name) are no part of it.")
            }
        }
        return Report(
            title: formula,
            scalars: [
                Scalar("tensors changed", .integer(merge.changed + merge.copied)),
                Scalar(
                    "from A", Self.distance(merge.fromA, merge), note: "|M - A|_F / |A|_F over merged tensors", null: 0),
                Scalar(
                    "from B", Self.distance(merge.fromB, merge), note: "|M - B|_F / |B|_F over merged tensors", null: 0),
            ], notes: notes)
    }

    /// Makes a cell of a distance. It is missing if no tensor was merged, because then nothing was measured.
    private static func distance(_ value: Double, _ merge: Merge) -> Cell {
        merge.changed + merge.copied > 0 ? .number(value) : .missing
    }
}
