import Checkpoints
import Directions
import Foundation
import Language
import LinearAlgebra
import Models
import Reports
import Statistics
import TestSupport
import Testing
import Workbench

@testable import Shell

/// `fold`, and what becomes of its checkpoints in a session.
@Suite("Folding in a session")
struct FoldCommandTests {
    private let folder = TemporaryFolder()

    private static func root(_ path: String) -> String { NacreProcess.root.appending(path: path).path }

    /// A session whose output and errors are kept, with a model open as `m` and directions of its width as `r`.
    private final class Desk {
        let session: Session
        private let interpreter: Interpreter
        private let tape = Tape()

        init(_ model: String, directions: Int = 1, width: Int? = nil) throws {
            let outer = Session(settings: Settings(threads: 2), scriptRights: Rights(overwrite: true))
            outer.settings.progress = false
            session = Session(within: outer, tape: tape)
            interpreter = Interpreter(session)
            let checkpoint = LoadedCheckpoint(try Checkpoint.open(FoldCommandTests.root(model)))
            session.define("m", .checkpoint(checkpoint))
            try session.use("m")
            let width = try width ?? checkpoint.configuration().hiddenSize
            var random = SeededRandom(seed: 31)
            session.define(
                "r",
                .subspace(
                    try Subspace(
                        vectors: Matrix(
                            rows: directions, columns: width,
                            values: random.normal(count: directions * width).map(Float.init)),
                        recipe: #"{"made": "for a test"}"#)))
        }

        /// What a line prints.
        func run(_ line: String) -> String {
            tape.begin(prompt: "", command: line)
            _ = interpreter.run(line, from: .commandLine)
            return tape.take().flatMap(\.lines).map(\.text).joined(separator: "\n")
        }

        func number(_ path: String) throws -> Double { try #require(session.cell(at: path).value) }

        func checkpoint(_ name: String) throws -> Checkpoint { try session.checkpoint(named: name).file }
    }

    @Test("the folded checkpoint is open, and does what the other does under ablate", arguments: [1, 3])
    func folded(directions: Int) throws {
        let desk = try Desk("Checkpoints/pearl-tuned.h5", directions: directions)
        let printed = desk.run("free = fold r")
        #expect(printed.contains("tensors changed        13"), "\(printed)")
        #expect(printed.contains("random directions take"), "\(printed)")
        #expect(!printed.contains("more than rounding"), "\(printed)")
        #expect(desk.session.current == "m", "the checkpoint in use stays")
        let free = try desk.checkpoint("free")
        #expect(free.label == "free" && free.derivation != nil)
        let recipe = try #require(free.recipeText)
        for part in [#""command": "free = fold r""#, "for a test", #""directions": \#(directions)"#, #""name": "r""#] {
            #expect(recipe.contains(part), "\(part): \(recipe)")
        }
        _ = desk.run("text = prompts \(FoldCommandTests.root("Scripts/prompts/open.txt")) --limit 20")
        // Without the edit they differ; with it, only by rounding.
        _ = desk.run("far = compare m free logits --prompts text")
        _ = desk.run("ablate r")
        _ = desk.run("near = compare m free logits --prompts text")
        #expect(try desk.number("far.kl") > 1e-3)
        #expect(try abs(desk.number("near.kl")) < 1e-6)
        #expect(try desk.number("near.top-1_agreement") == 1)
        let again = desk.run("fold r")
        #expect(again.contains("The edits in force on pearl-tuned.h5, [-r], are no part of it."), "\(again)")
    }

    @Test("every command that takes a checkpoint takes a folded one")
    func everywhere() throws {
        let desk = try Desk("Tests/Fixtures/models/tiny-chat.h5")
        _ = desk.run("free = fold r")
        _ = desk.run("use free")
        for line in [
            "info", "tensors", "stats", "spectrum model.layers.0.mlp.down_proj.weight", "verify", "verify --run",
            "next \"the sea\"", "list", "attribute \"the sea\" --heads", "print model.norm.weight[0,0]",
            "save free \(folder.file("free.h5"))", "compare m free logits \"the sea\"", "twice = fold r", "close m",
            "next \"the sea\"", "lens \"the sea\"",
        ] {
            let printed = desk.run(line)
            #expect(!printed.contains("nacre: "), "\(line): \(printed)")
            #expect(line == "close m" || !printed.isEmpty, "\(line)")
        }
        #expect(desk.run("info").contains("in memory, from tiny-chat.h5"))
        let twice = try desk.checkpoint("twice")
        #expect(twice.derivation?.original.derivation != nil)
    }

    @Test("save rounds to the original types, says what that changed, and keeps what was not edited bit by bit")
    func saved() throws {
        let desk = try Desk("Tests/Fixtures/models/mqa-bf16.h5")
        _ = desk.run("free = fold r")
        let path = folder.file("free.h5")
        let printed = desk.run("save free \(path)")
        #expect(printed.contains("went back to bf16"), "\(printed)")
        #expect(printed.contains("of a logit"), "\(printed)")
        let (original, free) = (try desk.checkpoint("m"), try desk.checkpoint("free"))
        let saved = try Checkpoint.open(path)
        let changed = Set(free.derivation?.tensors.map(\.name) ?? [])
        #expect(!changed.isEmpty)
        for info in saved.tensors {
            #expect(info.type == .bf16, "\(info.name)")
            let name = info.name == "lm_head.weight" ? "model.embed_tokens.weight" : info.name
            if changed.contains(info.name) {
                #expect(info.digest != original.info(name)?.digest, "\(info.name)")
            } else {
                #expect(info.digest == original.info(name)?.digest, "\(info.name)")
            }
        }
        #expect(saved.info("lm_head.weight") != nil)
        #expect(saved.recipeText?.contains("free = fold r") == true)
        #expect(saved.configJSON == free.configJSON)

        let exact = folder.file("exact.h5")
        #expect(!desk.run("save free \(exact) --type f32").contains("went back"))
        let whole = try Checkpoint.open(exact)
        #expect(whole.tensors.map(\.digest) == free.tensors.map(\.digest))
        #expect(desk.run("save free \(exact) --type bf16 --overwrite").contains("--type can't be bf16"))
        #expect(desk.run("save m \(exact) --type f32 --overwrite").contains("checkpoints made in memory"))
    }

    @Test("save refuses a checkpoint with edits in force, by name, and saves without them when told")
    func edited() throws {
        let desk = try Desk("Tests/Fixtures/models/tiny-chat.h5")
        _ = desk.run("ablate r")
        let path = folder.file("edited.h5")
        let refused = desk.run("save m \(path)")
        #expect(refused.contains("ablate r") && refused.contains("--without-edits"), "\(refused)")
        #expect(folder.names.isEmpty)
        #expect(desk.run("save m \(path) --without-edits").contains("saved m"))
        let (saved, original) = (try Checkpoint.open(path), try desk.checkpoint("m"))
        #expect(saved.tensors.map(\.digest) == original.tensors.map(\.digest))
        #expect(saved.recipeText?.contains("\"edits\"") == false)
        _ = desk.run("edits off all")
        #expect(desk.run("save m \(path) --overwrite").contains("saved m"))
    }

    @Test("directions of another width, norms after the parts, and what is no subspace are refused")
    func refusals() throws {
        let narrow = try Desk("Checkpoints/pearl-tuned.h5", width: 64)
        #expect(narrow.run("free = fold r").contains("the directions have 64 coordinates"))
        #expect(narrow.session.value(named: "free") == nil)
        let other = try Desk("Tests/Fixtures/models/gemma3.h5")
        let refused = other.run("free = fold r")
        #expect(refused.contains("a norm stands between") && refused.contains("ablate"), "\(refused)")
        #expect(other.run("fold m").contains("m is a checkpoint"))
        #expect(other.run("fold nothing").contains("nothing is called nothing"))
    }

    @Test("a recording says what it has no line for")
    func recording() throws {
        let desk = try Desk("Tests/Fixtures/models/tiny-chat.h5")
        _ = desk.run("free = fold r")
        _ = desk.run("use free")
        let path = folder.file("log.nacre")
        _ = desk.run("record \(path)")
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(text.contains("# free, a checkpoint made in memory"), "\(text)")
        #expect(!text.contains("free = open") && !text.contains("use free"), "\(text)")
    }
}

@Suite("Attribution in a session")
struct AttributeCommandTests {
    private func run(_ lines: String...) throws -> NacreProcess {
        try NacreProcess(
            ["--no-init", "--threads", "2", "--mode", "json", "Checkpoints/pearl-base.h5"],
            input: lines.joined(separator: "\n") + "\n")
    }

    @Test("the sum is the logit that next prints, and the residual is rounding")
    func sums() throws {
        let found = try run(
            "a = attribute \"The capital of France is\"", "expect a.residual < 1e-4 and a.logit > 10",
            "expect a.sum_of_components > 10", "h = attribute \"The capital of France is\" --heads",
            "expect h.residual < 1e-4")
        #expect(found.code == 0, "\(found.errors)")
        let table = try run("attribute \"The capital of France is\"", "next \"The capital of France is\" --top 1")
        let logits = table.output.matches(of: /"logit": (-?[0-9.]+)/).compactMap { Double($0.1) }
        let sum = try #require(table.output.firstMatch(of: /"sum of components", "value": ([0-9.]+)/)?.1)
        let logit = try #require(logits.last, "\(table.output)")
        #expect(abs(logit - (try #require(Double(sum)))) < 1e-4)
    }

    @Test("the same numbers at any number of threads")
    func threads() throws {
        let lines = "corpus = prompts Scripts/prompts/open.txt --limit 70\nattribute --prompts corpus --heads --top 9\n"
        let outputs = try [1, 2].map { threads in
            try NacreProcess(
                ["--no-init", "--threads", "\(threads)", "--mode", "json", "Checkpoints/pearl-base.h5"], input: lines
            ).output
        }
        #expect(outputs[0] == outputs[1] && outputs[0].contains("attn.z["))
    }
}
