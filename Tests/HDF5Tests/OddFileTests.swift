import HDF5
import Testing
import TestSupport

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// Files made by Scripts/goldens/odd_files.py, and others that are no files at all: one clear error each.
struct OddFileTests {
    @Test(
        arguments: [
            ("external-link", .link, "/weights/b", "into another file"),
            ("soft-link", .link, "/weights/b", "soft link"),
            ("soft-link-dangling", .link, "/weights/b", "soft link"),
            ("external-storage", .layout, "/weights/b", "external storage"),
            ("virtual", .layout, "/weights/b", "virtual dataset"),
            ("huge-contiguous", .size, "/weights/b", "1000000 x 1000000) were never written"),
            ("huge-chunked", .size, "/weights/b", "1000000 x 1000000) were never written"),
            ("huge-chunk", .limit, "/weights/b", "chunks have 400000000 bytes"),
            ("overflowing-shape", .size, "/weights/b", "2147483648 x 2147483648 overflows"),
            ("outside", .size, "/weights/b", "but the file has"),
            ("overlap", .overlap, "/weights/b", "overlap those of /weights/a"),
            ("short-storage", .size, "/weights/b", "needs 4936 bytes but 16 are stored"),
            ("bomb", .limit, "/weights/b", "more than 100 for each"),
            ("scalar", .rank, "/weights/b", "scalar"),
            ("null", .rank, "/weights/b", "empty"),
            ("nine-dimensions", .rank, "/weights/b", "9 dimensions"),
            ("compound", .type, "/weights/b", "compound"),
            ("strings", .type, "/weights/b", "string"),
            ("fixed-strings", .type, "/weights/b", "string"),
            ("variable-length", .type, "/weights/b", "variable-length"),
            ("references", .type, "/weights/b", "reference"),
            ("array-type", .type, "/weights/b", "array"),
            ("odd-float", .type, "/weights/b", "2 byte float of an unknown format"),
            ("named-type", .type, "/weights/b", "neither a group nor a dataset"),
            ("lzf", .filter, "/weights/b", "filter 32000 (lzf)"),
            ("szip", .filter, "/weights/b", "filter 4 (szip)"),
            ("scaleoffset", .filter, "/weights/b", "filter 6 (scaleoffset)"),
            ("user-filter", .filter, "/weights/b", "filter 32015"),
            ("escape-in-name", .link, "/weights/\u{1B}[31mred\u{202E}evil\u{200B}", "soft link"),
            ("long-name", .link, "/weights", "2000 bytes"),
            ("deep", .structure, nil, "more than 32 deep"),
            ("cycle", .structure, "/weights/loop", "the same as /weights"),
            ("cycle-root", .structure, "/weights/loop", "the same as /"),
            ("empty", .notHDF5, nil, "empty"),
            ("text", .notHDF5, nil, "not an HDF5 file"),
            ("signature-only", .notHDF5, nil, "first block is damaged"),
        ] as [(String, HDF5Error.Kind, String?, String)])
    func fileIsRefused(name: String, kind: HDF5Error.Kind, object: String?, problem: String) throws {
        let error = try #require(errorOfOpening(oddFile(name)))
        #expect(error.kind == kind)
        if let object { #expect(error.object == object) }
        #expect(error.problem.contains(problem), "\(error.problem)")
        #expect(error.file == oddFile(name))
        #expect(!error.remedy.isEmpty)
        #expect(error.description.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x202E })
    }

    /// Damage in packed values is found when they are read.
    @Test(
        arguments: [
            ("bomb-chunk", .limit, "inflates to more than its 16384 bytes"),
            ("bad-deflate", .filter, "not valid deflate"),
            ("bad-fletcher", .library, "Fletcher32"),
            ("unwritten-chunk", .size, "chunk at [4, 0] was never written"),
        ] as [(String, HDF5Error.Kind, String)])
    func valuesAreRefused(name: String, kind: HDF5Error.Kind, problem: String) throws {
        let file = try File(oddFile(name))
        let dataset = try #require(file.contents.dataset(["weights", "b"]))
        let error = try #require(throws: HDF5Error.self) { _ = try file.decode(dataset) }
        #expect(error.kind == kind)
        #expect(error.object == "/weights/b")
        #expect(error.problem.contains(problem), "\(error.problem)")
    }

    @Test func limitsOnAttributesHold() throws {
        var limits = Limits()
        limits.attributeBytes = 999
        #expect(errorOfOpening(oddFile("large-attribute"), limits: limits)?.kind == .attribute)
        #expect(errorOfOpening(oddFile("large-attribute")) == nil)
        limits = Limits()
        limits.attributes = 29
        #expect(errorOfOpening(oddFile("many-attributes"), limits: limits)?.kind == .attribute)
        limits.attributes = 30
        #expect(errorOfOpening(oddFile("many-attributes"), limits: limits) == nil)
    }

    @Test func longTextAttributeIsRefused() throws {
        let folder = TemporaryFolder()
        let path = folder.file("a.h5")
        let writer = try FileWriter(path, overwrite: false, expectedBytes: 0)
        try writer.setAttribute("note", String(repeating: "x", count: 65_537))
        let error = #expect(throws: HDF5Error.self) { try writer.commit { _ in } }
        #expect(error?.kind == .attribute)
        #expect(folder.names.isEmpty)
    }

    @Test func limitsOnObjectsAndDecodingHold() throws {
        var limits = Limits()
        limits.objects = 3
        #expect(errorOfOpening(oddFile("packed"), limits: limits)?.kind == .limit)
        limits = Limits()
        limits.decodedBytes = 959
        let file = try File(oddFile("packed"), limits: limits)
        let dataset = try #require(file.contents.dataset(["weights", "deflated"]))
        let error = #expect(throws: HDF5Error.self) { _ = try file.decode(dataset) }
        #expect(error?.problem == "its shape 20 x 12 needs 960 bytes in memory, more than 959")
    }

    @Test func truncatedFilesAreRefused() throws {
        let folder = TemporaryFolder()
        let whole = readBytes(oddFile("packed"))
        for count in [1, 7, 8, 40, 96, 500, 2048, whole.count / 2, whole.count - 1] {
            let path = folder.file("cut.h5")
            writeBytes(Array(whole[0..<count]), path)
            let error = try #require(errorOfOpening(path), "\(count) bytes opened")
            #expect([.truncated, .notHDF5].contains(error.kind), "\(count): \(error)")
        }
    }

    @Test func whatIsNoFileIsRefused() throws {
        let folder = TemporaryFolder()
        #expect(errorOfOpening(folder.file("none.h5"))?.kind == .notFound)
        #expect(errorOfOpening(folder.path)?.problem == "this is a folder")
        mkfifo(folder.file("fifo.h5"), 0o600)
        #expect(errorOfOpening(folder.file("fifo.h5"))?.problem == "this is a FIFO")
        #expect(errorOfOpening("/dev/zero")?.problem == "this is a device")
    }

    @Test(.enabled(if: geteuid() != 0, "root may read everything"))
    func unreadableFileIsRefused() throws {
        let folder = TemporaryFolder()
        writeBytes(readBytes(oddFile("flat")), folder.file("a.h5"))
        chmod(folder.file("a.h5"), 0)
        #expect(errorOfOpening(folder.file("a.h5"))?.problem == "you may not read this file")
    }

    @Test func lockedFileIsSaidToBeLocked() throws {
        let folder = TemporaryFolder()
        let path = folder.file("a.h5")
        writeBytes(readBytes(oddFile("flat")), path)
        let descriptor = open(path, O_RDWR)
        #expect(flock(descriptor, LOCK_EX) == 0)
        #expect(errorOfOpening(path)?.kind == .locked)
        flock(descriptor, LOCK_UN)
        close(descriptor)
        #expect(errorOfOpening(path) == nil)
    }

    @Test func fileThatShrinksIsNoticed() throws {
        let folder = TemporaryFolder()
        let path = folder.file("a.h5")
        writeBytes(readBytes(oddFile("flat")), path)
        let file = try File(path)
        try file.checkUnchanged()
        truncate(path, 100)
        let error = #expect(throws: HDF5Error.self) { try file.checkUnchanged() }
        #expect(error?.kind == .changed)
        #expect(throws: HDF5Error.self) { _ = try file.map() }
    }
}
