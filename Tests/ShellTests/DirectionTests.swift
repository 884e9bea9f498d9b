import Foundation
import TestSupport
import Testing

/// `direction`, `subspace` and files of directions by the real binary, where the transcript does not reach.
@Suite("Directions")
struct DirectionTests {
    private let folder = TemporaryFolder()
    private static let start = [
        "open Checkpoints/pearl-tuned.h5", "taboo = prompts Scripts/prompts/taboo.jsonl --chat --limit 40",
        "plain = prompts Scripts/prompts/plain.jsonl --chat --limit 40",
    ]

    private func run(_ commands: [String], threads: Int = 2) throws -> NacreProcess {
        try NacreProcess(
            ["--no-init", "--threads", "\(threads)"], input: (Self.start + commands).joined(separator: "\n") + "\n")
    }

    @Test("a saved direction comes back with its site, from .npy with the site that is named")
    func files() throws {
        let (h5, npy) = (folder.file("r.h5"), folder.file("r.npy"))
        let found = try run([
            "r = direction taboo plain --at resid_pre[3],last", "save r \(h5)", "save r \(npy)", "a = load \(h5)",
            "b = load \(npy) --at resid_pre[3],last", "c = load \(npy)",
            "angles r a b c", "expect it.value > 0.999999", "list", "ablate a",
            "direction taboo plain --at resid_pre[3]",
        ])
        #expect(found.code == 0, "\(found.errors)")
        let places = found.output.split(separator: "\n").filter { $0.contains("direction of width 128") }
        #expect(places.count { $0.contains("at resid_pre[3], last") } >= 5)
        #expect(found.output.contains("The file does not say where its directions belong"))
        #expect(folder.names == ["r.h5", "r.npy"])
        let again = try run(["r = direction taboo plain --at resid_pre[3],last", "save r \(h5)"])
        #expect(again.code == 1 && again.errors.contains("the file exists"))
    }

    @Test("a dataset of any HDF5 file can hold directions, a folder or a capture can't")
    func foreignFiles() throws {
        let file = folder.file("acts.h5")
        let made = try run([
            "capture resid_pre[3] --prompts taboo --to \(file)",
            "d = load \(file):/sites/blocks.3.hook_resid_pre --directions --at resid_pre[3]", "capt = load \(file)",
        ])
        #expect(made.code == 0, "\(made.errors)")
        #expect(made.output.contains("40 directions of width 128 at resid_pre[3], last"))
        #expect(made.output.contains("1 site, 40 rows of 40 prompts, in"))
        let misplaced = try run(["capt = load \(file) --at resid_pre[3]"])
        #expect(misplaced.code == 2 && misplaced.errors.contains("--at is about directions"))
        #expect(try run(["load \(folder.path)"]).errors.contains("folder"))
    }

    @Test("the same numbers at any number of threads")
    func threads() throws {
        func output(_ threads: Int) throws -> String {
            let found = try run(
                [
                    "mode json", "direction taboo plain --at resid_pre[2,3] --method probe",
                    "subspace taboo plain --at resid_pre[3] --draws 20", "print it[0,*]",
                ], threads: threads)
            #expect(found.code == 0, "\(found.errors)")
            return found.output
        }
        #expect(try output(1) == output(2))
    }

    @Test("two samples of one set have no subspace, which is an error that says the numbers first")
    func nothing() throws {
        let found = try run([
            "one = prompts Scripts/prompts/open.txt --limit 40", "two = prompts Scripts/prompts/open.txt --limit 80",
            "s = subspace one two --at resid_pre[3]",
        ])
        #expect(found.code == 1 && found.errors.contains("pairs need as many positive as negative rows, not 40 and 80"))
        let same = try NacreProcess(
            ["--no-init", "--keep-going"],
            input: [
                "open Checkpoints/pearl-base.h5", "set seed 1", "one = prompts Scripts/prompts/open.txt --sample 60",
                "set seed 2", "two = prompts Scripts/prompts/open.txt --sample 60",
                "s = subspace one two --at resid_pre[4]", "print s",
            ].joined(separator: "\n") + "\n")
        #expect(same.output.contains("not above: stop"))
        #expect(same.errors.contains("no direction stands out of the contrasts at resid_pre[4]"))
        #expect(same.errors.contains("nothing is called s"))
    }

    @Test("captures of two models have no direction between them")
    func widths() throws {
        let found = try run([
            "open = prompts Scripts/prompts/english.txt", "a = capture resid_pre[1] --prompts open",
            "open Tests/Fixtures/models/tiny-chat.h5", "b = capture resid_pre[1] --prompts open", "direction a b",
        ])
        #expect(found.code == 1 && found.errors.contains("the widths differ: 128 and 32"))
    }

    @Test("NaN in a file of directions is named")
    func notFinite() throws {
        var head = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }"
        head += String(repeating: " ", count: 117 - head.utf8.count) + "\n"
        var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0] + Array(head.utf8)
        for value in [Float.nan, 1] { withUnsafeBytes(of: value) { bytes += $0 } }
        writeBytes(bytes, folder.file("bad.npy"))
        let found = try run(["load \(folder.file("bad.npy"))"])
        #expect(found.code == 1 && found.errors.contains("vector 0 holds NaN or infinity"))
    }
}
