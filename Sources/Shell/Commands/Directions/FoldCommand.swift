package import ArgumentParser
import Checkpoints
import Directions
import JSON
import Language
import Provenance
import Reports
import TerminalText
import Workbench

package struct FoldCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "fold", abstract: "Take directions out of a checkpoint's weights: a new checkpoint, in memory.",
        discussion: """
            W <- (I - R'R)W for everything that writes into the residual stream: the token embedding, GPT-2's positions, and the
            output matrices of attention and MLP with their biases (Arditi et al. 2024, section 2.4). R has the orthonormal
            directions; products are in float64, results in f32. The new checkpoint does without an edit what the old one does
            under ablate R, and it is used, run, compared and saved as any other. A tied model gets an output matrix of its own,
            with the embedding's rows as they were, and tie_word_embeddings false: or its logits would change.

            The report says which tensors changed and how much of their norm went, beside what random directions take, and
            compares the two ways on a few texts there and then: the largest difference of a logit is that of rounding.

            Edits in force on the checkpoint are not folded. In gemma2, gemma3 and olmo2 a norm stands between each part and the
            stream: directions can't be taken out of their matrices exactly, and fold refuses; ablate does it while they run.
            """)
    package static let traits = CommandTraits(
        .directions, needsCheckpoint: true, changesState: true, makesValue: true,
        kinds: ["directions": .subspace, "checkpoint": .checkpoint])

    @Argument(help: "Directions.") var directions: String
    @Option(help: "An open checkpoint; the one in use when left out.") var checkpoint: String?

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let original = try session.checkpoint(named: checkpoint)
        let subspace = try session.subspace(named: directions)
        let run = try FoldRun(session.context(), original, subspace)
        try original.facts().checkIsOfStream(subspace, directions)
        try checkMemory(
            run.byteCount, for: "the folded weights",
            remedy: "close other programs, or ablate \(directions) instead")
        let label = session.target ?? "\(checkpoint ?? session.current ?? original.label)-folded"
        var recipe = session.recipe(ofWeights: original)
        recipe.inputs.append(.init(name: directions, sha256: subspace.basisDigest))
        let text = RecipeText.json(
            recipe,
            adding: [
                ("folded", "{\"directions\": \(subspace.dimension), \"from\": \(original.label.jsonQuoted)}"),
                ("subspace", RecipeText.nested(subspace.recipe)),
                ("original", RecipeText.nested(original.file.recipeText)),
            ])
        let found = try run.run(label: label, recipeJSON: Array(text.utf8))
        let folded = LoadedCheckpoint(found.fold.checkpoint)
        var report = Self.report(
            found.fold, subspace, difference: found.difference, effect: found.effect, found.check)
        if !original.edits.active.isEmpty {
            report.notes.append(
                "The edits in force on \(original.label), \(original.edits.label), are no part of it.")
        }
        report.recipe = recipe
        return Outcome(.checkpoint(folded), report: report)
    }

    private static func report(
        _ fold: Fold, _ subspace: Subspace, difference: Double, effect: Double, _ check: SpotCheck
    ) -> Report {
        let random = (Double(subspace.dimension) / Double(subspace.width)).squareRoot()
        let largest = fold.changes.max { $0.largest < $1.largest }
        func root(_ value: (Fold.Change) -> Double) -> Double {
            fold.changes.reduce(0) { $0 + value($1) * value($1) }.squareRoot()
        }
        let norm = root(\.norm)
        var table = Table(
            "folded tensors", columns: ["tensor", "shape", "largest change", "share removed", "random directions"])
        for change in fold.changes {
            table.append([
                .text(change.tensor), .text(change.shape.map(String.init).joined(separator: " x ")),
                .number(change.largest), .number(change.share), .number(random),
            ])
        }
        var notes = [
            "Share removed is |W' - W|_F / |W|_F; random directions take \(NumberFormat.significant(random)), which is"
                + " √(\(subspace.dimension)/\(subspace.width)), of a matrix.",
            "Logits at \(check.phrase): folded weights and ablation at every layer's input, attention and MLP output"
                + " differ by at most \(NumberFormat.significant(difference)), ablated and unedited by"
                + " \(NumberFormat.significant(effect)).",
        ]
        if !(difference <= max(1e-3, 1e-3 * effect)) {
            notes.append(
                "That is more than rounding: do not rely on this checkpoint; is the model sound? See verify --run.")
        }
        if let separated = fold.separated {
            notes.append("\(separated) is the embedding as it was; tie_word_embeddings is false now.")
        }
        return Report(
            title: "\(counted(subspace.dimension, "direction")) folded into \(counted(fold.changes.count, "tensor"))",
            scalars: [
                Scalar("tensors changed", .integer(fold.changes.count)),
                Scalar("largest change", .number(largest?.largest ?? 0), note: largest?.tensor),
                Scalar("share of norm removed", .number(norm > 0 ? root(\.removed) / norm : 0), null: random),
                Scalar("folded to ablated", .number(difference), unit: "logit", note: "largest, \(check.phrase)"),
                Scalar("ablated to unedited", .number(effect), unit: "logit", note: "largest, \(check.phrase)"),
            ], tables: [table], notes: notes)
    }
}
