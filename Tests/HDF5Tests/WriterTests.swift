import HDF5
import Testing
import TestSupport

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

struct WriterTests {
    private struct Refusal: Error {}

    @Test(arguments: StorageType.allCases)
    func everyTypeRoundTrips(type: StorageType) throws {
        let folder = TemporaryFolder()
        let path = folder.file("a.h5")
        var random = SplitMix(state: 7)
        let bytes = (0..<3 * 5 * 2 * type.byteCount).map { _ in UInt8.random(in: 0...255, using: &random) }
        let writer = try FileWriter(path, overwrite: false, expectedBytes: bytes.count)
        try writer.createGroup("/weights")
        try writer.createDataset("/weights/a.b", type: type, shape: [3, 5, 2])
        try bytes.withUnsafeBytes { try writer.writeRows("/weights/a.b", first: 0, count: 3, $0) }
        #expect(folder.names.allSatisfy { $0.hasSuffix(".tmp") })
        try writer.commit { _ in }
        #expect(folder.names == ["a.h5"])
        let file = try File(path)
        let dataset = try #require(file.contents.dataset(["weights", "a.b"]))
        #expect(dataset.type == type)
        #expect(dataset.shape == [3, 5, 2])
        #expect(try #require(dataset.mappableOffset) % 64 == 0)
        #expect(try file.decode(dataset).array(of: UInt8.self) == bytes)
    }

    @Test func rowsAreWrittenInAnyOrder() throws {
        let folder = TemporaryFolder()
        let path = folder.file("a.h5")
        let writer = try FileWriter(path, overwrite: false, expectedBytes: 48)
        try writer.createDataset("/a", type: .float32, shape: [4, 3])
        let values: [Float] = (0..<12).map(Float.init)
        try values.withUnsafeBytes { bytes in
            try writer.writeRows("/a", first: 2, count: 2, UnsafeRawBufferPointer(rebasing: bytes[24...]))
            try writer.writeRows("/a", first: 0, count: 2, UnsafeRawBufferPointer(rebasing: bytes[..<24]))
            #expect(throws: HDF5Error.self) { try writer.writeRows("/a", first: 1, count: 4, bytes) }
            #expect(throws: HDF5Error.self) { try writer.writeRows("/a", first: 0, count: 1, bytes) }
        }
        try writer.commit { _ in }
        let file = try File(path)
        #expect(try file.decode(try #require(file.contents.dataset(["a"]))).array(of: Float.self) == values)
    }

    @Test func attributesAndTextsRoundTrip() throws {
        let folder = TemporaryFolder()
        let path = folder.file("a.h5")
        let writer = try FileWriter(path, overwrite: false, expectedBytes: 0)
        try writer.createText("/config.json", Array("{\"λ\": 1}".utf8))
        try writer.createText("/empty", [])
        try writer.setAttribute("format", "λ\u{1B}")
        try writer.setAttribute("nothing", "")
        try writer.setAttribute("version", -3)
        try writer.setAttribute("sha256", "ab", on: "/config.json")
        try writer.commit { _ in }
        let file = try File(path)
        #expect(
            file.contents.attributes == ["format": .text("λ\u{1B}"), "nothing": .text(""), "version": .integer(-3)])
        let config = try #require(file.contents.dataset(["config.json"]))
        #expect(config.attributes == ["sha256": .text("ab")])
        #expect(try file.text(config) == Array("{\"λ\": 1}".utf8))
        #expect(try file.text(try #require(file.contents.dataset(["empty"]))) == [])
    }

    @Test func theSameValuesMakeTheSameFile() throws {
        let folder = TemporaryFolder()
        for name in ["a.h5", "b.h5"] {
            let writer = try FileWriter(folder.file(name), overwrite: false, expectedBytes: 0)
            try writer.createText("/a", [1, 2, 3])
            try writer.setAttribute("x", "y")
            try writer.createGroup("/g")
            try writer.commit { _ in }
            // Were times kept, they would differ by a second.
            usleep(1_100_000)
        }
        let isSame = readBytes(folder.file("a.h5")) == readBytes(folder.file("b.h5"))
        #expect(isSame)
    }

    @Test func existingFileStaysUnlessToldOtherwise() throws {
        let folder = TemporaryFolder()
        let path = folder.file("a.h5")
        writeBytes([1, 2, 3], path)
        let error = #expect(throws: HDF5Error.self) { _ = try FileWriter(path, overwrite: false, expectedBytes: 0) }
        #expect(error?.kind == .exists)
        chmod(path, 0o600)
        let writer = try FileWriter(path, overwrite: true, expectedBytes: 0)
        try writer.createText("/a", [1])
        #expect(readBytes(path) == [1, 2, 3])
        try writer.commit { _ in }
        #expect(try File(path).contents.datasets.count == 1)
        var status = stat()
        stat(path, &status)
        #expect(status.st_mode & 0o777 == 0o600)
    }

    @Test func fileThatAppearsMeanwhileIsNotReplaced() throws {
        let folder = TemporaryFolder()
        let path = folder.file("a.h5")
        let writer = try FileWriter(path, overwrite: false, expectedBytes: 0)
        writeBytes([1, 2, 3], path)
        let error = #expect(throws: HDF5Error.self) { try writer.commit { _ in } }
        #expect(error?.kind == .exists)
        #expect(readBytes(path) == [1, 2, 3])
        #expect(folder.names == ["a.h5"])
    }

    @Test func failureLeavesTheOldFileAndNothingElse() throws {
        let folder = TemporaryFolder()
        let path = folder.file("a.h5")
        writeBytes([1, 2, 3], path)
        let writer = try FileWriter(path, overwrite: true, expectedBytes: 0)
        #expect(throws: Refusal.self) { try writer.commit { _ in throw Refusal() } }
        #expect(folder.names == ["a.h5"])
        do {
            let abandoned = try FileWriter(path, overwrite: true, expectedBytes: 0)
            try abandoned.createText("/a", [1])
            #expect(folder.names.count == 2)
        }
        #expect(folder.names == ["a.h5"])
        #expect(readBytes(path) == [1, 2, 3])
    }

    @Test func fileThatCouldNotBeWrittenIsNotCommitted() throws {
        let folder = TemporaryFolder()
        let writer = try FileWriter(folder.file("a.h5"), overwrite: false, expectedBytes: 0)
        try writer.createText("/a", [1])
        #expect(throws: HDF5Error.self) { try writer.createText("/a", [1]) }
        #expect(throws: HDF5Error.self) { try writer.commit { _ in } }
        #expect(folder.names.isEmpty)
    }

    @Test func symbolicLinkStaysAndItsTargetIsReplaced() throws {
        let folder = TemporaryFolder()
        writeBytes([1], folder.file("real.h5"))
        symlink("real.h5", folder.file("link.h5"))
        let writer = try FileWriter(folder.file("link.h5"), overwrite: true, expectedBytes: 0)
        try writer.createText("/a", [1])
        try writer.commit { _ in }
        #expect(folder.names == ["link.h5", "real.h5"])
        #expect(try File(folder.file("real.h5")).contents.datasets.count == 1)
    }

    @Test func fullDiskIsAnErrorBeforeAnythingIsWritten() throws {
        let folder = TemporaryFolder()
        let error = #expect(throws: HDF5Error.self) {
            _ = try FileWriter(folder.file("a.h5"), overwrite: false, expectedBytes: 1 << 60)
        }
        #expect(error?.kind == .diskFull)
        #expect(folder.names.isEmpty)
    }

    @Test func foldersAndDevicesAreNotTargets() throws {
        let folder = TemporaryFolder()
        for path in [folder.path, "/dev/null"] {
            let error = #expect(throws: HDF5Error.self) {
                _ = try FileWriter(path, overwrite: true, expectedBytes: 0)
            }
            #expect(error?.kind == .notRegular)
        }
        #expect(throws: HDF5Error.self) {
            _ = try FileWriter(folder.file("none/a.h5"), overwrite: true, expectedBytes: 0)
        }
    }
}
