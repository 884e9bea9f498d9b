import Checkpoints
import HDF5
import Testing
import TestSupport

struct CaptureTests {
    private let site = "blocks.3.hook_resid_post"
    private let rows = [
        CaptureRow(prompt: 0, position: 2, token: 17), CaptureRow(prompt: 1, position: 0, token: 0),
        CaptureRow(prompt: 1, position: 5, token: 49_151),
    ]
    private let prompts = [CapturePrompt(text: "Grüße", label: "a"), CapturePrompt(text: "")]

    private func writer(_ path: String) throws -> CaptureWriter {
        try CaptureWriter(
            path, overwrite: false, sites: [site: 2, "hook_embed": 1], rows: rows, prompts: prompts,
            recipeJSON: Array("{}".utf8), createdBy: "nacre test")
    }

    private func write(_ writer: CaptureWriter, _ site: String, _ first: Int, _ values: [Float]) throws {
        try values.withUnsafeBufferPointer { try writer.write(site: site, firstRow: first, values: $0) }
    }

    @Test func captureRoundTrips() throws {
        let folder = TemporaryFolder()
        let path = folder.file("a.h5")
        let writer = try writer(path)
        try write(writer, site, 1, [3, 4, 5, 6])
        try write(writer, "hook_embed", 0, [7, .nan, 9])
        try write(writer, site, 0, [1, 2])
        try writer.finish()
        #expect(folder.names == ["a.h5"])
        let capture = try CaptureFile.open(path)
        #expect(capture.sites == [site, "hook_embed"])
        #expect(capture.width(of: site) == 2)
        #expect(capture.rows == rows)
        #expect(capture.prompts == prompts)
        #expect(capture.createdBy == "nacre test")
        #expect(capture.recipeJSON == Array("{}".utf8))
        #expect(try capture.values(of: site) == [1, 2, 3, 4, 5, 6])
        let embedded = try capture.values(of: "hook_embed")
        #expect(embedded[0] == 7 && embedded[1].isNaN && embedded[2] == 9)
        #expect(throws: CheckpointError.self) { _ = try capture.values(of: "none") }
        let error = #expect(throws: CheckpointError.self) { _ = try Checkpoint.open(path) }
        #expect(error?.remedy == "this is a capture; try: load FILE")
    }

    @Test func unfinishedCaptureLeavesNothing() throws {
        let folder = TemporaryFolder()
        let path = folder.file("a.h5")
        let incomplete = try writer(path)
        try write(incomplete, site, 0, [1, 2])
        try write(incomplete, "hook_embed", 0, [1, 2, 3])
        let error = #expect(throws: CheckpointError.self) { try incomplete.finish() }
        #expect(error?.problem == "only 1 of 3 rows were written")
        #expect(folder.names.isEmpty)
        let abandoned = try writer(path)
        #expect(folder.names.count == 1)
        abandoned.abandon()
        #expect(folder.names.isEmpty)
        do {
            let forgotten = try writer(path)
            try write(forgotten, site, 0, [1, 2])
        }
        #expect(folder.names.isEmpty)
    }

    @Test func rowsThatDoNotFitAreRefused() throws {
        let folder = TemporaryFolder()
        let writer = try writer(folder.file("a.h5"))
        #expect(throws: CheckpointError.self) { try write(writer, "none", 0, [1]) }
        #expect(throws: CheckpointError.self) { try write(writer, site, 0, [1]) }
        #expect(throws: CheckpointError.self) { try write(writer, site, 3, [1, 2]) }
        #expect(throws: CheckpointError.self) { try write(writer, site, -1, [1, 2]) }
        #expect(throws: CheckpointError.self) { try write(writer, site, .max, [1, 2]) }
    }

    /// A capture made by hand, with one part changed at a time.
    private struct Parts {
        var format = "nacre-capture"
        var version = 1
        var tokens: [Int32] = [5, 6]
        var prompts: [Int32] = [0, 0]
        var offsets: [Int64] = [0, 3]
        var text: [UInt8] = [0x61, 0x62, 0x63]
        var shape = [2, 3]
        var type = StorageType.float32

        func write(_ path: String) throws {
            let writer = try FileWriter(path, overwrite: true, expectedBytes: 0)
            func array<Number>(_ name: String, _ type: StorageType, _ numbers: [Number]) throws {
                try writer.createDataset(name, type: type, shape: [numbers.count])
                try numbers.withUnsafeBytes { try writer.writeRows(name, first: 0, count: numbers.count, $0) }
            }
            try writer.setAttribute("format", format)
            try writer.setAttribute("format_version", version)
            for group in ["/sites", "/rows", "/prompts"] { try writer.createGroup(group) }
            try writer.createDataset("/sites/s", type: type, shape: shape)
            try array("/rows/prompt", .int32, prompts)
            try array("/rows/position", .int32, [Int32](repeating: 0, count: 2))
            try array("/rows/token", .int32, tokens)
            try writer.createText("/prompts/text", text)
            try array("/prompts/offsets", .int64, offsets)
            try writer.createText("/prompts/labels", [])
            try array("/prompts/label_offsets", .int64, [0, 0] as [Int64])
            try writer.commit { _ in }
        }
    }

    @Test func contradictoryCapturesAreRefused() throws {
        let folder = TemporaryFolder()
        let path = folder.file("a.h5")
        func error(_ edit: (inout Parts) -> Void) throws -> CheckpointError? {
            var parts = Parts()
            edit(&parts)
            try parts.write(path)
            do {
                _ = try CaptureFile.open(path)
                return nil
            } catch {
                return error as? CheckpointError
            }
        }
        #expect(try error { _ in } == nil)
        #expect(try error { $0.format = "nacre-checkpoint" }?.kind == .format)
        #expect(try error { $0.version = 2 }?.kind == .version)
        #expect(try error { $0.version = 0 }?.kind == .version)
        #expect(try error { $0.tokens = [5] }?.object == "/rows")
        #expect(try error { $0.tokens = [5, -1] }?.object == "/rows")
        #expect(try error { $0.prompts = [0, 1] }?.object == "/rows/prompt")
        #expect(try error { $0.offsets = [0, 4] }?.object == "/prompts/offsets")
        #expect(try error { $0.offsets = [0, 4, 3] }?.object == "/prompts/offsets")
        #expect(try error { $0.offsets = [0, -1, 3] }?.object == "/prompts/offsets")
        #expect(try error { $0.offsets = [0, 1, 3] }?.object == "/prompts/labels")
        #expect(try error { $0.text = [0xFF, 0x62, 0x63] }?.object == "/prompts/text")
        #expect(try error { $0.shape = [3, 3] }?.object == "/sites/s")
        #expect(try error { $0.shape = [6] }?.object == "/sites/s")
        #expect(try error { $0.type = .float64 }?.object == "/sites/s")
    }
}
