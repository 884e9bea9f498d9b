import Foundation
import TestSupport
import Testing

/// What a session makes of files that others change while they are open, by the real binary.
@Suite("Files that change while they are open")
struct ChangedFileTests {
    private let folder = TemporaryFolder()

    private func copy(_ source: String, _ name: String) throws -> String {
        let path = folder.file(name)
        try FileManager.default.copyItem(at: NacreProcess.root.appending(path: source), to: URL(filePath: path))
        return path
    }

    private func run(_ files: [String], _ commands: [String]) throws -> NacreProcess {
        try NacreProcess(
            ["--no-init", "--allow-shell", "--keep-going"] + files + commands.flatMap { ["-c", $0] })
    }

    /// A command that lets the system's shell run another one in the middle of a session.
    private func shell(_ command: String) -> String { "list | sleep 0.05 && \(command)" }

    @Test(
        "permissions that change are no reason to refuse a checkpoint with digests, and one for others, said as it is")
    func permissions() throws {
        let path = try copy("Checkpoints/pearl-base.h5", "live.h5")
        let kept = try run([path], ["next sea --top 1", shell("chmod 600 \(path)"), "next sea --top 1"])
        #expect(kept.code == 0 && kept.output.components(separatedBy: "rank").count == 3, "\(kept.errors)")
        let hub = try copy("Tests/Fixtures/folders/tiny-chat", "hub")
        let refused = try run([hub], [shell("chmod 600 \(hub)/model.safetensors"), "next sea --top 1"])
        #expect(refused.code == 1 && !refused.output.contains("rank"))
        #expect(
            refused.errors.contains(
                "the file's status changed since it was opened: its permissions, its links, or its contents"),
            "\(refused.errors)")
        // What is replaced, removed or put beside the others changes nothing of what is open.
        let replaced = try run(
            [hub],
            [
                shell(
                    "cd \(hub) && cp tokenizer.json t && mv t tokenizer.json && rm config.json && touch chat_template.jinja"
                ),
                "next sea --top 1",
            ])
        #expect(replaced.code == 0 && replaced.output.contains("rank"), "\(replaced.errors)")
    }

    @Test(
        "a checkpoint that was written over is refused before anything is read of it, in every command",
        arguments: [
            "series w Checkpoints/pearl-chat.h5 --measure weights", "claims pearl-chat w --only shape",
            "compare w pearl-chat", "compare pearl-chat w weights", "merge w pearl-chat --weights 0.5", "info w",
            "print w",
            "save w copy.h5", "diff w pearl-chat model.norm.weight", "generate sea --checkpoints pearl-chat,w",
            "use w", "tensors --in w",
        ])
    func refused(command: String) throws {
        let path = try copy("Checkpoints/pearl-step-64.h5", "w.h5")
        let run = try run(
            [path, "Checkpoints/pearl-chat.h5"],
            [shell("cp Checkpoints/pearl-base.h5 \(path)"), command])
        #expect(run.code == 1 && run.output.isEmpty, "\(run.output)")
        #expect(run.errors.contains("w.h5: the file was written to since it was opened"), "\(run.errors)")
        #expect(!run.errors.contains("has none") && !run.errors.contains("no chat template"), "\(run.errors)")
    }

    @Test("a capture that was written over is refused by whatever reads it")
    func capture() throws {
        let path = folder.file("acts.h5")
        for command in ["print acts", "manifold acts", "save acts copy.h5", "pca acts", "neighbours acts 0"] {
            let run = try run(
                ["Checkpoints/pearl-base.h5"],
                [
                    "a = capture resid_post[0] --text 'the sea is cold' --at all --to \(path) > /dev/null",
                    "acts = load \(path) > /dev/null",
                    shell("dd if=/dev/zero of=\(path) bs=1 count=8 seek=2000 conv=notrunc"),
                    command,
                ])
            try FileManager.default.removeItem(atPath: path)
            #expect(
                run.errors.contains("acts.h5: the file was written to since it was opened"), "\(command): \(run.errors)"
            )
        }
    }

    private func remedy(_ run: NacreProcess) throws -> String {
        let line = try #require(run.errors.split(separator: "\n").first { $0.contains("since it was opened") })
        return String(line[(try #require(line.firstRange(of: "; "))).upperBound...])
    }

    @Test("the remedy is what gets the thing back: opening, under its own name or another, or loading")
    func remedies() throws {
        let path = try copy("Checkpoints/pearl-step-64.h5", "live.h5")
        let change = shell("cp Checkpoints/pearl-base.h5 \(path)")
        #expect(try remedy(run([path], [change, "info"])) == "open it again (open \(path))")
        let named = try run(["Checkpoints/pearl-chat.h5"], ["w = open \(path)", change, "next sea"])
        #expect(try remedy(named) == "open it again (close w, then w = open \(path))")
        let again = try run(
            ["Checkpoints/pearl-chat.h5"],
            ["w = open \(path)", change, "close w", "w = open \(path)", "next sea --top 1"])
        #expect(again.code == 0, "\(again.errors)")
        let acts = folder.file("acts.h5")
        let loaded = try run(
            ["Checkpoints/pearl-base.h5"],
            [
                "a = capture resid_post[0] --text 'the sea is cold' --at all --to \(acts) > /dev/null",
                "b = load \(acts) > /dev/null", "delete a", shell("cp \(path) \(acts)"), "pca b",
            ])
        #expect(try remedy(loaded).hasPrefix("load it again (b = load \(acts))"), "\(loaded.errors)")
        let cut = try run([path], [shell("truncate -s 1000 \(path)"), "info"])
        #expect(cut.errors.contains("to 1000 bytes since it was opened; open it again (open \(path))"), "\(cut.errors)")
    }

    @Test("what was made in memory of a file that changed is made again, and can be closed or deleted until then")
    func made() throws {
        let path = try copy("Checkpoints/pearl-base.h5", "live.h5")
        let make = "m = merge live pearl-chat --weights 0.5"
        let start = [make + " > /dev/null", shell("cp Checkpoints/pearl-step-64.h5 \(path)")]
        let files = [path, "Checkpoints/pearl-chat.h5"]
        let used = try run(files, start + ["use m"])
        #expect(
            try remedy(used) == "open it again (open \(path)), make m again (close m, then \(make))", "\(used.errors)")
        let reopened = try run(files, start + ["open \(path) > /dev/null", "use m"])
        #expect(try remedy(reopened) == "make m again (close m, then \(make))")
        for end in ["close m", "delete m", "close m live"] {
            let gone = try run(files, start + [end, "use pearl-chat", "next sea --top 1", "list"])
            #expect(gone.code == 0 && !gone.output.contains("in memory"), "\(end): \(gone.errors)")
            #expect(!gone.output.contains("m  "), "\(end): \(gone.output)")
        }
        let whole = try run(
            files, start + ["open \(path) > /dev/null", "close m", make, "use m", "next sea --top 1"])
        #expect(whole.code == 0 && whole.output.contains("rank"), "\(whole.errors)")
        // A recording can be begun beside it, and lists can be made.
        let recorded = try run(files, start + ["use pearl-chat", "record \(folder.file("log"))", "list"])
        #expect(recorded.code == 0 && recorded.output.contains("live"), "\(recorded.errors)")
    }

    @Test("a folder of more files than the process may have open is opened all the same")
    func fewFiles() throws {
        let run = try NacreProcess.shell(
            "ulimit -Sn 12; exec \"$NACRE\" --no-init Tests/Fixtures/folders/tiny-chat Tests/Fixtures/folders/mqa-bf16"
                + " -c info > \(folder.file("out")) 2>&1")
        let said = String(decoding: readBytes(folder.file("out")), as: UTF8.self)
        #expect(run.code == 0 && said.contains("safetensors, 4 shards"), "\(said)")
    }
}
