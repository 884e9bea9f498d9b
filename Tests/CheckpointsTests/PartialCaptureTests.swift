import Checkpoints
import Foundation
import HDF5
import TestSupport
import Testing

@Suite("Captures that can be gone on with")
struct PartialCaptureTests {
    private let folder = TemporaryFolder()
    private var path: String { folder.file("a.h5") }
    private var data: String { folder.file("a.h5.partial/unfinished.h5") }
    private var journal: String { folder.file("a.h5.partial/journal") }

    /// Six prompts of 1 to 6 tokens, all positions, a site of width 3, and a pattern of two heads.
    private static let layout: CaptureLayout = {
        let rows = (0..<6).flatMap { prompt in
            (0...prompt).map { CaptureRow(prompt: Int32(prompt), position: Int32($0), token: Int32(prompt * 7 + $0)) }
        }
        return CaptureLayout(
            sites: ["hook_embed": 3, "blocks.0.hook_resid_post": 2], rows: rows,
            prompts: (0..<6).map { CapturePrompt(text: "prompt \($0)", label: $0 % 2 == 0 ? "even" : "") },
            recipeJSON: Array("{}".utf8), createdBy: "nacre test", patterns: ["blocks.0.attn.hook_pattern": 2],
            promptTokens: Array(1...6))
    }()

    private func identity(_ prompts: String = "p", sites: String = "hook_embed") -> CaptureIdentity {
        CaptureIdentity([.init("prompts", prompts), .init("sites", sites)])
    }

    private func open(
        _ identity: CaptureIdentity? = nil, overwrite: Bool = false, restart: Bool = false
    ) throws -> PartialCapture {
        try PartialCapture(
            path, overwrite: overwrite, layout: Self.layout, identity: identity ?? self.identity(), restart: restart)
    }

    /// Writes what belongs to some prompts, as if a model had computed it.
    private func fill(_ partial: PartialCapture, _ prompts: Range<Int>) throws {
        let starts = (0...6).map { $0 * ($0 + 1) / 2 }
        for (site, width) in Self.layout.sites {
            let values = (starts[prompts.lowerBound] * width..<starts[prompts.upperBound] * width).map {
                Float($0) + Float(width) / 10
            }
            try values.withUnsafeBufferPointer {
                try partial.write(site: site, firstRow: starts[prompts.lowerBound], values: $0)
            }
        }
        for prompt in prompts {
            for head in 0..<2 {
                let count = prompt + 1
                let values = (0..<count * count).map { Float(prompt * 1000 + head * 100 + $0) }
                try values.withUnsafeBufferPointer {
                    try partial.write(
                        pattern: "blocks.0.attn.hook_pattern", index: head, prompt: prompt, firstQuery: 0, values: $0)
                }
            }
        }
    }

    private func add(_ partial: PartialCapture, _ prompts: Range<Int>) throws {
        try fill(partial, prompts)
        try partial.complete(prompts)
    }

    /// The bytes of a capture that nothing interrupted.
    private func whole() throws -> [UInt8] {
        let other = TemporaryFolder()
        let partial = try PartialCapture(
            other.file("a.h5"), overwrite: false, layout: Self.layout, identity: identity(), restart: false)
        try add(partial, 0..<6)
        try partial.finish()
        #expect(other.names == ["a.h5"])
        return readBytes(other.file("a.h5"))
    }

    @Test("a capture in sections, opened anew each time, is the same bytes as one in one piece")
    func resumes() throws {
        do {
            // What was written, but not noted as done, does not count; nor do too many values.
            let partial = try open()
            try fill(partial, 0..<2)
            try fill(partial, 1..<2)
            let error = #expect(throws: CheckpointError.self) { try partial.complete(0..<2) }
            #expect(error?.problem.contains("values were computed") == true)
            #expect(partial.completedPrompts == 0)
        }
        for (first, end) in [(0, 2), (2, 3), (3, 6)] {
            let partial = try open()
            #expect(partial.resumedPrompts == first)
            try add(partial, first..<end)
            if end == 6 { try partial.finish() }
        }
        #expect(folder.names == ["a.h5"])
        #expect(try readBytes(path) == whole())
        let file = try CaptureFile.open(path)
        #expect(
            try file.values(of: "blocks.0.attn.hook_pattern", prompt: 1) == [
                1000, 1001, 1002, 1003, 1100, 1101, 1102, 1103,
            ])
        #expect(file.heads(of: "blocks.0.attn.hook_pattern") == 2 && file.promptTokens == Array(1...6))
        #expect(try file.values(of: "hook_embed").prefix(3) == [0.3, 1.3, 2.3])
        #expect(throws: CheckpointError.self) { try file.values(of: "blocks.0.attn.hook_pattern", prompt: 6) }
    }

    @Test("the same bytes as a capture that was written in one go without a journal")
    func sameAsWriter() throws {
        var layout = Self.layout
        (layout.patterns, layout.promptTokens) = ([:], [])
        let partial = try PartialCapture(
            path, overwrite: false, layout: layout, identity: identity(), restart: false)
        let writer = try CaptureWriter(
            folder.file("b.h5"), overwrite: false, sites: layout.sites, rows: layout.rows, prompts: layout.prompts,
            recipeJSON: layout.recipeJSON, createdBy: layout.createdBy)
        for (site, width) in layout.sites {
            let values = (0..<layout.rows.count * width).map { Float($0) }
            try values.withUnsafeBufferPointer {
                try partial.write(site: site, firstRow: 0, values: $0)
                try writer.write(site: site, firstRow: 0, values: $0)
            }
        }
        try partial.complete(0..<6)
        try partial.finish()
        try writer.finish()
        #expect(readBytes(path) == readBytes(folder.file("b.h5")))
    }

    @Test("another command is refused and named, until it is told to begin anew")
    func otherCommand() throws {
        try add(try open(), 0..<3)
        let before = readBytes(data)
        let error = #expect(throws: CheckpointError.self) { try open(identity("q", sites: "ln_final")) }
        #expect(
            error?.problem.contains("other prompts (p there, q here), sites (hook_embed there, ln_final here)") == true)
        #expect(error?.remedy.contains("--restart") == true)
        #expect(readBytes(data) == before)
        let fresh = try open(identity("q"), restart: true)
        #expect(fresh.resumedPrompts == 0)
        try add(fresh, 0..<6)
        try fresh.finish()
        #expect(try readBytes(path) == whole())
    }

    @Test("somebody else who is at it is not disturbed, not even by a restart")
    func locked() throws {
        // A lock belongs to a process, so another one has to hold it.
        try add(try open(), 0..<3)
        let holder = Process()
        holder.executableURL = URL(filePath: "/usr/bin/env")
        holder.arguments = [
            "python3", "-c",
            "import fcntl,sys,time\nf=open(sys.argv[1],'r+')\nfcntl.lockf(f,fcntl.LOCK_EX)\nprint('locked',flush=True)\ntime.sleep(60)",
            journal,
        ]
        let pipe = Pipe()
        holder.standardOutput = pipe
        try holder.run()
        #expect(String(decoding: pipe.fileHandleForReading.availableData, as: UTF8.self).hasPrefix("locked"))
        let before = readBytes(journal)
        for restart in [false, true] {
            let error = #expect(throws: CheckpointError.self) { try open(restart: restart) }
            #expect(error?.problem == "another program is capturing to this file")
        }
        #expect(PartialCapture.unfinished(in: folder.path).isEmpty)
        #expect(readBytes(journal) == before)
        // Signals may be blocked in it, as they are in this thread.
        kill(holder.processIdentifier, SIGKILL)
        holder.waitUntilExit()
        #expect(PartialCapture.unfinished(in: folder.path) == ["a.h5.partial"])
        #expect(try open().resumedPrompts == 3)
    }

    @Test("values that changed are done again from there on")
    func damagedValues() throws {
        try add(try open(), 0..<2)
        try add(try open(), 2..<4)
        try add(try open(), 4..<5)
        var bytes = readBytes(data)
        // 4.3 and 13.3 are values of hook_embed; 13.3 lies in prompt 2, of the second section.
        let pattern = withUnsafeBytes(of: Float(13) + Float(3) / 10) { Array($0) }
        let place = try #require(bytes.firstRange(of: pattern))
        bytes[place.lowerBound] ^= 1
        writeBytes(bytes, data)
        let partial = try open()
        #expect(partial.resumedPrompts == 2 && partial.damagedPrompts == 3)
        try add(partial, 2..<6)
        try partial.finish()
        #expect(try readBytes(path) == whole())
    }

    @Test("damaged headers, a cut file and a strange journal are refused, and a restart mends them")
    func damagedFiles() throws {
        func spoil(_ what: String, _ change: () throws -> Void) throws {
            try add(try open(restart: true), 0..<3)
            try change()
            let error = #expect(throws: CheckpointError.self, "\(what)") { try open() }
            #expect(error?.remedy.contains("--restart") == true, "\(what)")
            #expect(folder.names == ["a.h5.partial"])
        }
        try spoil("a byte of the prompts' texts") {
            var bytes = readBytes(data)
            let place = try #require(bytes.firstRange(of: Array("prompt 4".utf8)))
            bytes[place.lowerBound] ^= 1
            writeBytes(bytes, data)
        }
        try spoil("a byte of the superblock") {
            var bytes = readBytes(data)
            bytes[20] ^= 0xFF
            writeBytes(bytes, data)
        }
        try spoil("cut") { writeBytes(Array(readBytes(data).dropLast(100)), data) }
        try spoil("longer") { writeBytes(readBytes(data) + [0], data) }
        try spoil("no HDF5") { writeBytes([1, 2, 3], data) }
        try spoil("no journal's first line") { writeBytes(Array("{\"a\": 1}\n".utf8), journal) }
        try spoil("no JSON") { writeBytes(Array("nonsense\n".utf8) + readBytes(journal), journal) }
        try spoil("another version") {
            let text = String(decoding: readBytes(journal), as: UTF8.self)
            writeBytes(Array(text.replacing("\"version\": 1,", with: "\"version\": 2,").utf8), journal)
        }
        try spoil("a gap") {
            writeBytes(readBytes(journal) + Array("{\"prompts\": [4, 5], \"sha256\": \"\"}\n".utf8), journal)
        }
        try spoil("too many prompts") {
            writeBytes(readBytes(journal) + Array("{\"prompts\": [3, 9], \"sha256\": \"\"}\n".utf8), journal)
        }
        let partial = try open(restart: true)
        try add(partial, 0..<6)
        try partial.finish()
        #expect(try readBytes(path) == whole())
    }

    @Test(
        "a journal whose last line was being written",
        arguments: ["{\"promp", "\u{0}\u{0}\u{0}", "{\"prompts\": [3, 5], \"sha256\": \"00\"}"])
    func tornLine(tail: String) throws {
        try add(try open(), 0..<3)
        writeBytes(readBytes(journal) + Array(tail.utf8), journal)
        let partial = try open()
        #expect(partial.resumedPrompts == 3 && partial.damagedPrompts == 0)
        try add(partial, 3..<6)
        try partial.finish()
        #expect(try readBytes(path) == whole())
    }

    @Test("a process that ended before it had begun leaves nothing to go on with")
    func unbegun() throws {
        try FileManager.default.createDirectory(atPath: folder.file("a.h5.partial"), withIntermediateDirectories: false)
        writeBytes(Array("{\"format\": \"nacre-cap".utf8), journal)
        writeBytes([1, 2, 3], folder.file("a.h5.partial/.unfinished.h5.4711-x.tmp"))
        writeBytes([1, 2, 3], data)
        let partial = try open()
        #expect(partial.resumedPrompts == 0)
        try add(partial, 0..<6)
        try partial.finish()
        #expect(try folder.names == ["a.h5"] && readBytes(path) == whole())
    }

    @Test("a process that ended between the finished file's two names touches it no more")
    func finishedTwice() throws {
        let partial = try open()
        try add(partial, 0..<6)
        try FileManager.default.linkItem(atPath: data, toPath: path)
        let finished = readBytes(path)
        let exists = #expect(throws: HDF5Error.self) { try open() }
        #expect(exists?.kind == .exists)
        let again = try open(overwrite: true)
        #expect(again.resumedPrompts == 0)
        try fill(again, 0..<2)
        #expect(readBytes(path) == finished)
        again.discard()
        #expect(folder.names == ["a.h5"] && readBytes(path) == finished)
    }

    @Test("a finished capture leaves alone what another command has begun in its place since")
    func finishedThenBegun() throws {
        let first = try open()
        try add(first, 0..<6)
        try first.finish()
        #expect(first.completedPrompts == 0)
        let second = try open(overwrite: true)
        try add(second, 0..<2)
        first.discard()
        #expect(throws: CheckpointError.self) { try first.finish() }
        #expect(second.completedPrompts == 2)
        try add(second, 2..<6)
        try second.finish()
        #expect(try folder.names == ["a.h5"] && readBytes(path) == whole())
    }

    @Test("what is in the way is left alone")
    func inTheWay() throws {
        writeBytes([1], folder.file("a.h5.partial"))
        #expect(throws: CheckpointError.self) { try open(restart: true) }
        #expect(readBytes(folder.file("a.h5.partial")) == [1])
        try FileManager.default.removeItem(atPath: folder.file("a.h5.partial"))
        try FileManager.default.createDirectory(atPath: folder.file("a.h5.partial"), withIntermediateDirectories: false)
        writeBytes([1], folder.file("a.h5.partial/mine"))
        let error = #expect(throws: CheckpointError.self) { try open(restart: true) }
        #expect(error?.object == "mine")
        #expect(readBytes(folder.file("a.h5.partial/mine")) == [1])
        let nowhere = #expect(throws: HDF5Error.self) {
            try PartialCapture(
                folder.file("none/a.h5"), overwrite: false, layout: Self.layout, identity: identity(), restart: false)
        }
        #expect(nowhere?.kind == .notFound)
    }

    @Test("an unfinished capture is not taken for a finished one")
    func unfinished() throws {
        try add(try open(), 0..<3)
        for path in [data, folder.file("a.h5.partial")] {
            let error = #expect(throws: CheckpointError.self) { try CaptureFile.open(path) }
            #expect(error?.problem == "this is an unfinished capture")
        }
        #expect(PartialCapture.unfinished(in: folder.path) == ["a.h5.partial"])
        let partial = try open()
        #expect(throws: CheckpointError.self) { try partial.finish() }
        // Values of the wrong size or place are errors of the program, and said so.
        for row in [-1, 21, Int.max] {
            let error = #expect(throws: CheckpointError.self) {
                try [1, 2, 3].withUnsafeBufferPointer {
                    try partial.write(site: "hook_embed", firstRow: row, values: $0)
                }
            }
            #expect(error?.remedy == "report this")
        }
        partial.discard()
        #expect(folder.names.isEmpty)
    }

    @Test("a file that is replaced keeps its permissions, and a link its place")
    func replaced() throws {
        let target = folder.file("target.h5")
        _ = FileManager.default.createFile(atPath: target, contents: nil, attributes: [.posixPermissions: 0o600])
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: target)
        #expect(throws: HDF5Error.self) { try open() }
        let partial = try open(overwrite: true)
        #expect(folder.names == ["a.h5", "target.h5", "target.h5.partial"])
        try add(partial, 0..<6)
        try partial.finish()
        #expect(try folder.names == ["a.h5", "target.h5"] && readBytes(target) == whole())
        #expect(try FileManager.default.attributesOfItem(atPath: target)[.posixPermissions] as? Int == 0o600)
    }

    @Test("what a killed writer left is found, and what a living one is writing is not")
    func leftovers() throws {
        let gone = Process()
        gone.executableURL = URL(filePath: "/bin/true")
        try gone.run()
        gone.waitUntilExit()
        for name in [
            ".a.h5.\(gone.processIdentifier)-abc.tmp", ".b.h5.\(getpid())-abc.tmp", ".c.h5.tmp", "d.1-x.tmp",
            ".e.x-y.tmp",
        ] { writeBytes([1], folder.file(name)) }
        #expect(FilePlacement.leftovers(in: folder.path) == [".a.h5.\(gone.processIdentifier)-abc.tmp"])
    }
}
