import Checkpoints
import Directions
import Foundation
import Geometry
import Language
import LinearAlgebra
import Models
import Reports
import Statistics
import TestSupport
import Testing
import Workbench

@testable import Shell

/// `compare A B activations`, `compare A B geometry` and `contain`, on checkpoints of which it is known what is true.
@Suite("Similarity in a session")
struct SimilarityTests {
    private static func root(_ path: String) -> String { NacreProcess.root.appending(path: path).path }

    private final class Desk {
        let session: Session
        private let interpreter: Interpreter
        private let tape = Tape()

        init() throws {
            let outer = Session(settings: Settings(threads: 2), scriptRights: Rights(overwrite: true))
            outer.settings.progress = false
            session = Session(within: outer, tape: tape)
            interpreter = Interpreter(session)
        }

        /// What a line prints.
        @discardableResult func run(_ line: String) -> String {
            tape.begin(prompt: "", command: line)
            _ = interpreter.run(line, from: .commandLine)
            return tape.take().flatMap(\.lines).map(\.text).joined(separator: "\n")
        }

        func open(_ name: String, _ path: String) throws {
            session.define(name, .checkpoint(LoadedCheckpoint(try Checkpoint.open(SimilarityTests.root(path)))))
            try session.use(name)
        }

        /// The cells of a table's column, row by row.
        func column(_ name: String, of table: String) throws -> [Cell] {
            guard case .report(let report)? = session.it else { return [] }
            let found = try #require(report.tables.first { $0.name == table })
            let place = try #require(found.columns.firstIndex { $0.name == name })
            return found.rows.map { $0[place] }
        }

        func numbers(_ name: String, of table: String) throws -> [Double] {
            try column(name, of: table).map { try #require($0.value) }
        }
    }

    private static func values(_ name: String, of checkpoint: Checkpoint) throws -> [Double] {
        let view = try #require(try checkpoint.tensor(name))
        let source = try #require(view.bytes.baseAddress)
        return [Float](unsafeUninitializedCapacity: view.count) { floats, count in
            count = view.count
            if let start = floats.baseAddress { Widening.widen(source, view.type, into: start, count: count) }
        }.map(Double.init)
    }

    private static func tensor(_ name: String, _ shape: [Int], _ values: [Double]) throws -> MemoryTensor {
        try MemoryTensor(name: name, type: .f32, shape: shape, file: "a test") { bytes in
            values.map(Float.init).withUnsafeBytes { bytes.copyMemory(from: $0) }
        }
    }

    /// A llama in other coordinates, in memory: f32, untied, an orthogonal Q folded into the residual stream and the
    /// gains of norms into the matrices that read it (Scripts/models/rotate.py writes the same to a file).
    private static func rotated(_ original: Checkpoint, width: Int) throws -> Checkpoint {
        var random = SeededRandom(seed: 77)
        let noise = Matrix(
            rows: 4 * width, columns: width, values: random.normal(count: 4 * width * width).map(Float.init))
        let q = try PrincipalComponents(of: noise, components: width).components  // [row][column]
        func values(_ name: String) throws -> [Double] { try Self.values(name, of: original) }
        /// W diag(g) Q
        func reading(_ weight: [Double], gain: [Double]?) -> [Double] {
            let rows = weight.count / width
            var result = [Double](repeating: 0, count: weight.count)
            for row in 0..<rows {
                for inner in 0..<width {
                    let factor = weight[row * width + inner] * (gain?[inner] ?? 1)
                    for column in 0..<width { result[row * width + column] += factor * q[inner][column] }
                }
            }
            return result
        }
        /// Q'W
        func writing(_ weight: [Double]) -> [Double] {
            let columns = weight.count / width
            var result = [Double](repeating: 0, count: weight.count)
            for inner in 0..<width {
                for row in 0..<width {
                    for column in 0..<columns {
                        result[row * columns + column] += q[inner][row] * weight[inner * columns + column]
                    }
                }
            }
            return result
        }
        var derivation = Derivation(of: original, recipeJSON: Array("{}".utf8))
        try derivation.configure("tie_word_embeddings", false)
        func add(_ name: String, _ shape: [Int], _ values: [Double]) throws {
            derivation.tensors.append(try tensor(name, shape, values))
        }
        for info in original.tensors {
            let name = info.name
            let block = name.split(separator: ".").prefix(3).joined(separator: ".")
            let turned: [Double]
            if name.hasSuffix("norm.weight") {
                turned = [Double](repeating: 1, count: width)
            } else if name == "model.embed_tokens.weight" {
                turned = reading(try values(name), gain: nil)
            } else if name.hasSuffix("o_proj.weight") || name.hasSuffix("down_proj.weight") {
                turned = writing(try values(name))
            } else {
                let norm = name.contains("self_attn") ? "input_layernorm" : "post_attention_layernorm"
                turned = reading(try values(name), gain: try values("\(block).\(norm).weight"))
            }
            try add(name, info.shape, turned)
        }
        let embedding = try #require(original.tensors.first { $0.name == "model.embed_tokens.weight" })
        try add(
            "lm_head.weight", embedding.shape,
            reading(try values(embedding.name), gain: try values("model.norm.weight")))
        return try Checkpoint(derivation, label: "rotated")
    }

    @Test("a rotated model says the same, has CKA 1 and the same dimensions, and other principal subspaces")
    func rotatedPearl() throws {
        let desk = try Desk()
        try desk.open("a", "Checkpoints/pearl-base.h5")
        let rotated = try Self.rotated(desk.session.checkpoint(named: "a").file, width: 128)
        desk.session.define("b", .checkpoint(LoadedCheckpoint(rotated)))
        desk.run("p = prompts \(Self.root("Scripts/prompts/open.txt")) --limit 120")
        for name in ["a", "b"] {
            try desk.session.use(name)
            desk.run("logits-\(name) = capture logits --prompts p --at last")
        }
        let logits = try ["a", "b"].map { try desk.session.capture(named: "logits-\($0)").matrix("logits") }
        let gap = zip(logits[0].values, logits[1].values).reduce(0) { max($0, abs($1.0 - $1.1)) }
        #expect(gap > 0 && gap < 1e-4, "logits differ by \(gap)")
        desk.run("compare a b activations --prompts p")
        #expect(try desk.numbers("CKA", of: "similarity").allSatisfy { abs($0 - 1) < 1e-6 })
        #expect(
            try desk.numbers("Procrustes", of: "canonical correlations and Procrustes").allSatisfy { $0 < 1e-6 })
        #expect(try desk.numbers("relative distance", of: "rows as they are").allSatisfy { $0 > 0.5 })
        desk.run("compare a b geometry --prompts p")
        let (a, b) = (try desk.numbers("A", of: "dimensions"), try desk.numbers("B", of: "dimensions"))
        #expect(a.count == 18 && zip(a, b).allSatisfy { abs($0 / $1 - 1) < 1e-4 })
        #expect(try desk.column("shape", of: "shape").allSatisfy { $0 == .text("unchanged") })
        #expect(try desk.numbers("largest angle", of: "principal subspaces").allSatisfy { $0 > 45 })
        #expect(try desk.numbers("ceiling of halves", of: "principal subspaces").allSatisfy { $0 > 0.5 })
    }

    @Test("a checkpoint beside itself: 1 and 0 exactly, unchanged, no angle")
    func itself() throws {
        let desk = try Desk()
        try desk.open("a", "Checkpoints/pearl-base.h5")
        desk.run("p = prompts \(Self.root("Scripts/prompts/open.txt")) --limit 40")
        desk.run("compare a a activations --prompts p")
        for name in ["CKA", "CKA without rogue", "RSA"] {
            #expect(try desk.numbers(name, of: "similarity").allSatisfy { $0 == 1 })
        }
        #expect(try desk.numbers("relative distance", of: "rows as they are").allSatisfy { $0 == 0 })
        desk.run("compare a a geometry --prompts p --at mean")
        #expect(try desk.column("shape", of: "shape").allSatisfy { $0 == .text("unchanged") })
        #expect(try desk.numbers("largest angle", of: "principal subspaces").allSatisfy { $0 == 0 })
    }

    /// A llama's first so many coordinates of the residual stream, in memory: another model, with the same tokenizer.
    private static func narrowed(_ original: Checkpoint, from width: Int, to kept: Int) throws -> Checkpoint {
        var derivation = Derivation(of: original, recipeJSON: Array("{}".utf8))
        derivation.configJSON = Array(
            String(decoding: original.configJSON ?? [], as: UTF8.self)
                .replacing("\"hidden_size\": \(width)", with: "\"hidden_size\": \(kept)").utf8)
        for info in original.tensors {
            let values = try values(info.name, of: original)
            let writes = info.name.hasSuffix("o_proj.weight") || info.name.hasSuffix("down_proj.weight")
            let cut: [Double]
            let shape: [Int]
            if info.shape.count == 1 {
                (cut, shape) = (Array(values.prefix(kept)), [kept])
            } else if writes {
                (cut, shape) = (Array(values.prefix(kept * info.shape[1])), [kept, info.shape[1]])
            } else {
                cut = (0..<info.shape[0]).flatMap { values[$0 * width..<$0 * width + kept] }
                shape = [info.shape[0], kept]
            }
            derivation.tensors.append(try tensor(info.name, shape, cut))
        }
        return try Checkpoint(derivation, label: "narrow")
    }

    @Test("models of other widths have CKA and RSA, and no Procrustes, with a note")
    func widths() throws {
        let desk = try Desk()
        try desk.open("a", "Checkpoints/pearl-base.h5")
        let narrow = try Self.narrowed(desk.session.checkpoint(named: "a").file, from: 128, to: 64)
        desk.session.define("b", .checkpoint(LoadedCheckpoint(narrow)))
        desk.run("p = prompts \(Self.root("Scripts/prompts/open.txt")) --limit 60")
        let printed = desk.run("compare a b activations --prompts p --sites resid_post[0]")
        #expect(printed.contains("Of different widths"), "\(printed)")
        #expect(try desk.column("Procrustes", of: "canonical correlations and Procrustes") == [.missing])
        let cka = try #require(desk.numbers("CKA", of: "similarity").first)
        #expect(cka > 0.3 && cka < 1, "\(cka)")
        let shape = desk.run("compare a b geometry --prompts p --sites resid_post[0]")
        #expect(shape.contains("Principal subspaces are compared where both have one width"), "\(shape)")
    }

    @Test("rows of one prompt stay together; more than 1,024 rows are a sample")
    func severalRows() throws {
        let desk = try Desk()
        try desk.open("a", "Checkpoints/pearl-base.h5")
        try desk.open("b", "Checkpoints/pearl-tuned.h5")
        desk.run("p = prompts \(Self.root("Scripts/prompts/open.txt")) --limit 100")
        let printed = desk.run("compare a b activations --prompts p --at all --sites resid_post[2]")
        #expect(printed.contains("1024 of "), "\(printed)")
        #expect(printed.contains("stay together"))
        #expect(try desk.column("CKA", of: "similarity").first?.value ?? 0 > 0.5)
    }

    @Test(
        "what can't be compared says why, and what to do",
        arguments: [
            ("compare a b activations", "takes --prompts"),
            ("compare a b activations the text", "takes no text"),
            ("compare a b logits --prompts p --sites resid_post[1]", "takes no --sites"),
            ("compare a b geometry --prompts p --each", "takes no --each"),
            ("compare a b activations --prompts p --sites logits", "compare A B logits"),
            ("compare a b activations --prompts p --sites attn.pattern[0]", "has no rows to compare"),
            ("compare a b activations --prompts p --sites resid_post[9]", "resid_post[9]"),
            ("compare a b activations --prompts few", "are too few"),
            ("compare a b geometry --prompts few", "3 points are too few; take at least 20"),
            ("compare a b activations --prompts same", "1 of 20 prompts of same is distinct"),
            ("contain r p", "nothing is called r"),
            ("contain s p", "was found on p itself"),
            ("contain s few", "and contain needs 64"),
            ("contain s five --at all", "has rows of 5 prompts, and contain needs 16"),
            ("contain s held --site resid_pre[1]", "--site chooses one of a capture's sites"),
            ("contain s held --apart nothing", "nothing is called nothing"),
            ("contain s other", "have width 128"),
            ("contain s acts --at last", "--at is for prompts"),
            ("contain bare held", "does not say where it was found"),
        ])
    func refusals(line: String, message: String) throws {
        let desk = try Desk()
        try desk.open("b", "Checkpoints/pearl-tuned.h5")
        try desk.open("a", "Checkpoints/pearl-base.h5")
        desk.run("p = prompts \(Self.root("Scripts/prompts/open.txt")) --limit 30")
        desk.run("q = prompts \(Self.root("Scripts/prompts/formulaic.txt")) --limit 30")
        desk.run("held = prompts \(Self.root("Scripts/prompts/open-heldout.txt")) --limit 80")
        desk.run("few = prompts \(Self.root("Scripts/prompts/open-heldout.txt")) --limit 3")
        desk.run("five = prompts \(Self.root("Scripts/prompts/open-heldout.txt")) --limit 5")
        desk.session.define(
            "same",
            .prompts(
                PromptSet(source: "here", prompts: .init(repeating: .init(text: "The sea"), count: 20), isChat: false)))
        desk.run("s = direction p q --at resid_pre[3]")
        desk.run("acts = capture resid_pre[3] --prompts held")
        desk.run("other = points \(Self.root("Tests/Fixtures/points/ball.npy"))")
        let bare = try desk.session.subspace(named: "s")
        desk.session.define("bare", .subspace(try .init(vectors: bare.vectors)))
        let printed = desk.run(line)
        #expect(printed.contains(message), "\(printed)")
    }

    @Test("prompts that the directions were found on are left out of M, whether by recipe or by --apart")
    func apart() throws {
        let desk = try Desk()
        try desk.open("a", "Checkpoints/pearl-base.h5")
        desk.run("p = prompts \(Self.root("Scripts/prompts/open.txt")) --limit 40")
        desk.run("q = prompts \(Self.root("Scripts/prompts/formulaic.txt")) --limit 40")
        desk.run("more = prompts \(Self.root("Scripts/prompts/open.txt")) --limit 140")
        desk.run("s = direction p q --at resid_pre[3]")
        #expect(desk.run("contain s more").contains("40 rows of prompts of p, q left out."))
        // The name now stands for other prompts; those that s was found on have another one.
        desk.run("twin = prompts \(Self.root("Scripts/prompts/open.txt")) --limit 40")
        desk.run("p = prompts \(Self.root("Scripts/prompts/open.txt")) --limit 60")
        #expect(desk.run("contain s more").contains("40 rows of prompts of q, twin left out."))
        desk.run("delete twin")
        desk.run("delete p")
        desk.run("delete q")
        #expect(desk.run("contain s more").contains("Not checked"))
        desk.run("again = prompts \(Self.root("Scripts/prompts/open.txt")) --limit 20")
        #expect(desk.run("contain s more --apart again").contains("20 rows of prompts of again left out."))
    }
}
