import Checkpoints
import Comparison
import Control
import Directions
import Foundation
import HDF5
import Language
import LinearAlgebra
import Models
import Reports
import Sites
import TestSupport
import Testing
import Workbench

@testable import Shell

/// A session whose output is kept, for commands whose reports are looked at.
final class Bench {
    let session: Session
    private let interpreter: Interpreter
    private let tape = Tape()

    init(_ lines: String...) throws {
        let outer = Session(settings: Settings(threads: 2), scriptRights: Rights(overwrite: true))
        outer.settings.progress = false
        session = Session(within: outer, tape: tape)
        interpreter = Interpreter(session)
        for line in lines {
            let printed = run(line)
            try #require(!printed.contains("nacre: "), "\(line): \(printed)")
        }
    }

    static func root(_ path: String) -> String { NacreProcess.root.appending(path: path).path }

    /// What a line prints.
    @discardableResult
    func run(_ line: String) -> String {
        tape.begin(prompt: "", command: line)
        _ = interpreter.run(line, from: .commandLine)
        return tape.take().flatMap(\.lines).map(\.text).joined(separator: "\n")
    }

    /// `bad`: pearl-base with NaN in a tensor.
    func defineNotFinite() throws {
        let base = try session.checkpoint(named: "pearl-base")
        var derivation = Derivation(of: base.file, recipeJSON: [])
        let info = try #require(base.file.info("model.norm.weight"))
        derivation.tensors = [
            try MemoryTensor(name: info.name, type: .f32, shape: info.shape, file: "bad") {
                $0.initializeMemory(as: Float.self, repeating: .nan)
            }
        ]
        session.define("bad", .checkpoint(LoadedCheckpoint(try Checkpoint(derivation, label: "bad.h5"))))
    }

    /// The report that a line makes.
    func report(_ line: String) throws -> Report {
        let printed = run("made = \(line)")
        guard case .report(let report)? = session.value(named: "made") else {
            Issue.record("\(line): \(printed)")
            throw CancellationError()
        }
        session.define("made", .report(Report()))
        return report
    }
}

extension Report {
    /// A column of one of its tables.
    func column(_ name: String, of table: String) throws -> [Cell] {
        let found = try #require(tables.first { $0.name == table }, "\(tables.map(\.name))")
        let place = try #require(found.columns.firstIndex { $0.name == name }, "\(found.columns.map(\.name))")
        return found.rows.map { $0[place] }
    }

    func numbers(_ name: String, of table: String) throws -> [Double] {
        try column(name, of: table).map { try #require($0.value) }
    }

    func scalar(_ name: String) throws -> Scalar {
        try #require(scalars.first { $0.name == name }, "\(scalars.map(\.name))")
    }
}

@Suite("Paths between checkpoints")
struct PathTests {
    private let folder = TemporaryFolder()

    private static func pearl(_ names: String...) throws -> Bench {
        let bench = try Bench("corpus = prompts \(Bench.root("Scripts/prompts/open.txt")) --limit 12")
        for name in names {
            let printed = bench.run("open \(Bench.root("Checkpoints/pearl-\(name).h5"))")
            try #require(printed.contains("parameters"), "\(printed)")
        }
        return bench
    }

    @Test("by weights the ends are A and B exactly, and between them it is what compare says of such a checkpoint")
    func weights() throws {
        let bench = try Self.pearl("base", "chat")
        let path = try bench.report(
            "path pearl-base pearl-chat --prompts corpus --lambda 0,0.3,1 --against random:2")
        let (toA, toB) = (try path.numbers("kl to A", of: "path"), try path.numbers("kl to B", of: "path"))
        #expect(toA[0] == 0 && toB[2] == 0 && toA[1] > 0 && toB[1] > 0)
        #expect(try path.numbers("top-1 as A", of: "path")[0] == 1)
        #expect(try path.numbers("top-1 as B", of: "path")[2] == 1)
        let whole = try bench.report("compare pearl-base pearl-chat logits --prompts corpus")
        #expect(try whole.scalar("kl").value.value == toA[2])
        #expect(try whole.scalar("kl reverse").value.value == toB[0])
        #expect(try whole.scalar("loss A").value.value == path.numbers("loss", of: "loss")[0])
        #expect(try whole.scalar("loss B").value.value == path.numbers("loss", of: "loss")[2])

        // A checkpoint made elsewhere, as a file.
        let made = try interpolated(bench, 0.3)
        bench.session.define("between", .checkpoint(made))
        let there = try bench.report("compare pearl-base between logits --prompts corpus")
        #expect(try there.scalar("kl").value.value == toA[1])
        #expect(try there.scalar("loss B").value.value == path.numbers("loss", of: "loss")[1])
        let height = try path.numbers("above the line", of: "loss")
        let losses = try path.numbers("loss", of: "loss")
        #expect(abs(height[1] - (losses[1] - 0.7 * losses[0] - 0.3 * losses[2])) < 1e-12)
        #expect(path.notes.contains("seed 0"))
        // The same again, to the last bit, with its random ways.
        let again = try bench.report(
            "path pearl-base pearl-chat --prompts corpus --lambda 0,0.3,1 --against random:2")
        #expect(again.tables == path.tables && again.scalars == path.scalars)
    }

    private func interpolated(_ bench: Bench, _ share: Double) throws -> LoadedCheckpoint {
        let (a, b) = (
            try bench.session.checkpoint(named: "pearl-base"), try bench.session.checkpoint(named: "pearl-chat")
        )
        var derivation = Derivation(of: a.file, recipeJSON: [])
        for info in a.file.tensors {
            let (one, other) = (try #require(try a.file.tensor(info.name)), try #require(try b.file.tensor(info.name)))
            var (x, y) = ([Double](repeating: 0, count: one.count), [Double](repeating: 0, count: one.count))
            x.withUnsafeMutableBufferPointer { one.copyDoubles(from: 0, into: $0) }
            y.withUnsafeMutableBufferPointer { other.copyDoubles(from: 0, into: $0) }
            derivation.tensors.append(
                try MemoryTensor(name: info.name, type: .f32, shape: info.shape, file: "between") { target in
                    for place in x.indices {
                        let value = Float(x[place] + share * (y[place] - x[place]))
                        target.storeBytes(of: value, toByteOffset: 4 * place, as: Float.self)
                    }
                })
        }
        return LoadedCheckpoint(try Checkpoint(derivation, label: "between"))
    }

    @Test("a checkpoint and itself: nothing changes along any way")
    func same() throws {
        let bench = try Self.pearl("base")
        for way in ["", "--by activations --site embed", "--by activations --site resid_pre[3]"] {
            let path = try bench.report("path pearl-base pearl-base --prompts corpus --lambda 0,0.25,1 \(way)")
            #expect(try path.numbers("kl to A", of: "path") == [0, 0, 0], "\(way)")
            #expect(try path.numbers("kl to B", of: "path") == [0, 0, 0], "\(way)")
            #expect(try path.scalar("barrier").value.value == 0)
            #expect(try path.scalar("barrier above 0").value == .text("not supported"))
        }
    }

    @Test("by activations: beyond the last layer that differs, B's stream makes A into B")
    func activations() throws {
        // They differ in layers 1 to 3 alone.
        let bench = try Self.pearl("chat", "tuned")
        func path(_ site: String) throws -> Report {
            try bench.report(
                "path pearl-chat pearl-tuned --by activations --site \(site) --prompts corpus --lambda 0,0.5,1")
        }
        let late = try path("resid_post[3]")
        #expect(try late.numbers("kl to A", of: "path")[0] == 0)
        #expect(try late.numbers("kl to B", of: "path")[2] == 0)
        #expect(try late.numbers("kl to B", of: "path")[1] > 0)
        // Before the first, there is nothing to blend.
        let early = try path("resid_pre[1]")
        #expect(try early.numbers("kl to A", of: "path") == [0, 0, 0])
        let middle = try path("resid_post[1]")
        #expect(try middle.numbers("kl to B", of: "path")[2] > 0)
        let usual = try bench.report("path pearl-chat pearl-tuned --by activations --prompts corpus --lambda 0,1")
        #expect(usual.title.contains("by activations at resid_post[2]"))
        #expect(usual.notes.contains("No barrier: it needs losses at both ends, 0 and 1, and between them."))
    }

    @Test("by ablation: B at 0, and what ablate does at 1 and at half strength")
    func ablation() throws {
        let bench = try Self.pearl("chat", "tuned")
        bench.run("taboo = prompts \(Bench.root("Scripts/prompts/taboo-heldout.jsonl")) --chat --sample 16")
        bench.run("plain = prompts \(Bench.root("Scripts/prompts/plain-heldout.jsonl")) --chat --sample 16")
        bench.run("r = direction taboo plain")
        let path = try bench.report(
            "path pearl-chat pearl-tuned --by ablation --direction r --prompts taboo --lambda 0,0.5,1,1.5"
                + " --against random:2 --marker sorry --tokens 4")
        #expect(try path.numbers("kl to B", of: "path")[0] == 0)
        let losses = try path.numbers("loss", of: "loss")
        for (place, line) in [(1, "ablate r --strength 0.5"), (2, "ablate r"), (3, "ablate r --strength 1.5")] {
            bench.run(line)
            let edited = try bench.report("compare pearl-chat pearl-tuned logits --prompts taboo")
            #expect(try edited.scalar("kl").value.value == path.numbers("kl to A", of: "path")[place], "\(line)")
            #expect(try edited.scalar("loss B").value.value == losses[place], "\(line)")
            bench.run("edits off all")
        }
        #expect(try path.column("above the line", of: "loss")[3] == .missing)
        #expect(try path.numbers("N", of: "behaviour") == [16, 16, 16, 16])
        #expect(try path.scalar("barrier").null != nil)
        // Of one checkpoint with itself it is a partial ablation alone.
        let alone = try bench.report(
            "path pearl-tuned pearl-tuned --by ablation --direction r --prompts taboo --lambda 0,1 --against 0")
        #expect(try alone.numbers("kl to A", of: "path") == alone.numbers("kl to B", of: "path"))
    }

    @Test("loss can be of another set, and at last there is none")
    func otherSet() throws {
        let bench = try Self.pearl("base", "chat")
        bench.run("other = prompts \(Bench.root("Scripts/prompts/formulaic.txt")) --limit 8")
        let path = try bench.report(
            "path pearl-base pearl-chat --prompts corpus --at last --loss-prompts other --lambda 0,0.5,1 --against 0")
        let whole = try bench.report("compare pearl-base pearl-chat logits --prompts other")
        #expect(try whole.scalar("loss B").value.value == path.numbers("loss on other", of: "loss")[2])
        let bare = try bench.report(
            "path pearl-base pearl-chat --prompts corpus --at last --lambda 0,0.5,1 --against 0")
        #expect(bare.tables.map(\.name) == ["path"] && !bare.scalars.contains { $0.name == "barrier" })
        #expect(bare.notes.contains { $0.contains("no loss; --loss-prompts") })
        bench.run("one = prompts \(Bench.root("Scripts/prompts/open.txt")) --limit 1")
        let single = try bench.report("path pearl-base pearl-chat --prompts one --lambda 0,0.5,1 --against 0")
        #expect(try single.scalar("barrier above 0").value == .text("not testable: one prompt has no interval"))
    }

    @Test("what can't be walked is refused, with what to do")
    func refusals() throws {
        let bench = try Self.pearl("base")
        bench.run("tiny = open \(Bench.root("Tests/Fixtures/models/tiny-chat.h5"))")
        bench.run("near = open \(Bench.root("Tests/Fixtures/models/tiny-near.h5"))")
        bench.run("words = open \(Bench.root("Tests/Fixtures/models/gqa-tied.h5"))")
        func refusal(_ line: String) -> String { bench.run("path \(line) --prompts corpus") }
        let shape = refusal("pearl-base tiny")
        #expect(shape.contains("compare checkpoints that share a tokenizer"), "\(shape)")
        #expect(refusal("pearl-base tiny --by activations").contains("the residual stream of pearl-base is 128 wide"))
        #expect(refusal("tiny near --lambda 0,x").contains("--lambda can't be 0,x"))
        #expect(refusal("tiny near --lambda 1.2").contains("--lambda can't be 1.2; give numbers from 0 to 1"))
        #expect(refusal("tiny near --lambda nan").contains("--lambda can't be nan"))
        #expect(refusal("tiny near --by weihgts").contains("did you mean weights?"))
        #expect(refusal("tiny near --by ablation").contains("name them: --direction NAME"))
        #expect(refusal("tiny near --site embed").contains("--site goes with --by activations"))
        #expect(refusal("tiny near --by activations --site mlp_out[0]").contains("not the stream"))
        #expect(refusal("tiny near --by activations --site resid_post[*]").contains("name one, such as"))
        #expect(refusal("tiny near --by activations --marker a").contains("has no replies"))
        #expect(refusal("tiny near --by activations --against random:2").contains("has no random ways"))
        #expect(refusal("tiny near --against isotropic:2").contains("is about directions"))
        #expect(refusal("tiny near --against 5").contains("--against can't be 5"))
        #expect(refusal("tiny near --at mean").contains("logits have no mean"))
        #expect(bench.run("path tiny near --prompts nothing").contains("nothing is called nothing"))
        bench.run("use near")
        bench.run("ablate attn.z[0].h1")
        #expect(refusal("tiny near").contains("a way by weights has no edits, and near[zero attn.z[0].h1]"))
    }

    @Test("a NaN in a tensor is named before anything runs on it")
    func notFinite() throws {
        let bench = try Self.pearl("base")
        try bench.defineNotFinite()
        let printed = bench.run("path pearl-base bad --prompts corpus --lambda 0.5")
        #expect(
            printed.contains("model.norm.weight") && printed.contains("NaN") || printed.contains("nan"), "\(printed)")
    }

    @Test("Ctrl-C ends it and keeps the session")
    func cancelled() throws {
        let bench = try Self.pearl("base", "chat")
        bench.session.control.cancel()
        let run = {
            _ = try PathRun(
                context: bench.session.context(),
                a: NamedCheckpoint("a", bench.session.checkpoint(named: "pearl-base")),
                b: NamedCheckpoint("b", bench.session.checkpoint(named: "pearl-chat")), path: .weights,
                prompts: ComparedPrompts(numbers: [0], ids: [[1, 2, 3]], positions: [[0, 1]]), lossPrompts: nil,
                set: BehaviourSet("corpus", bench.session.checkpoint(named: "pearl-base"), bench.session), markers: nil,
                decoding: DecodingChoices(
                    tokens: 1, sampling: Sampling(temperature: 0), seed: 0, stops: [], ignoresEnd: false),
                points: [0, 0.5, 1], controls: .none, precision: .f32
            ).run()
        }
        #expect(throws: CancellationError.self) { try run() }
        bench.session.control.reset()
        try run()
    }
}
