import HDF5
import Testing
import TestSupport

/// h5py's files, read exactly.
struct ReadTests {
    private let expected: [Float] = (0..<240).map { Float($0) / 7 }

    @Test(arguments: ["plain", "chunked", "deflated", "big", "big-deflated"])
    func float32IsReadBitForBit(name: String) throws {
        let file = try File(oddFile("packed"))
        let dataset = try #require(file.contents.dataset(["weights", name]))
        #expect(dataset.type == .float32)
        #expect(dataset.shape == [20, 12])
        #expect(try file.decode(dataset).array(of: Float.self) == expected)
    }

    @Test(arguments: ["half", "big-half"])
    func float16IsReadBitForBit(name: String) throws {
        let file = try File(oddFile("packed"))
        let dataset = try #require(file.contents.dataset(["weights", name]))
        #expect(dataset.type == .float16)
        #expect(try file.decode(dataset).array(of: UInt16.self) == expected.map { Float16($0).bitPattern })
    }

    @Test(arguments: ["bf16", "big-bf16"])
    func bfloat16IsReadBitForBit(name: String) throws {
        let file = try File(oddFile("packed"))
        let dataset = try #require(file.contents.dataset(["weights", name]))
        #expect(dataset.type == .bfloat16)
        #expect(
            try file.decode(dataset).array(of: UInt16.self)
                == expected.map { UInt16(truncatingIfNeeded: $0.bitPattern >> 16) })
    }

    @Test func otherStorageIsRead() throws {
        let file = try File(oddFile("packed"))
        let compact = try #require(file.contents.dataset(["weights", "compact"]))
        #expect(compact.layout == .compact)
        #expect(try file.decode(compact).array(of: Float.self) == [Float](repeating: 1, count: 32))
        let truth = try #require(file.contents.dataset(["weights", "truth"]))
        #expect(truth.type == .int8)
        #expect(try file.decode(truth).array(of: Int8.self) == [1, 0, 1])
        let deflated = try #require(file.contents.dataset(["weights", "deflated"]))
        #expect(deflated.storage == "chunked 8 x 8, shuffle, deflate, fletcher32")
    }

    @Test func uint16IsNeverTakenForBfloat16() throws {
        let file = try File(oddFile("uint16-as-bf16"))
        #expect(file.contents.dataset(["weights", "b"])?.type == .uint16)
    }

    @Test func textsAndAttributesAreRead() throws {
        let file = try File(oddFile("packed"))
        #expect(file.contents.attributes["format"] == .text("nacre-checkpoint"))
        #expect(file.contents.attributes["architecture"] == .text("llama"))
        #expect(file.contents.attributes["format_version"] == .integer(1))
        let config = try #require(file.contents.dataset(["config.json"]))
        #expect(String(decoding: try file.text(config), as: UTF8.self) == #"{"model_type":"llama"}"#)
        let tensor = try #require(file.contents.dataset(["weights", "plain"]))
        let error = #expect(throws: HDF5Error.self) { _ = try file.text(tensor) }
        #expect(error?.kind == .type)
    }

    @Test func twoNamesOfOneDatasetAreAllowed() throws {
        let file = try File(oddFile("tied"))
        let a = try #require(file.contents.dataset(["weights", "a"]))
        let b = try #require(file.contents.dataset(["weights", "b"]))
        #expect(a.address == b.address)
        #expect(a.layout == b.layout)
    }

    @Test func offsetsCountFromTheFilesFirstByte() throws {
        let file = try File(oddFile("user-block"))
        let dataset = try #require(file.contents.dataset(["a"]))
        #expect(try file.decode(dataset).array(of: Float.self) == (0..<8).map(Float.init))
        #expect(try #require(dataset.mappableOffset) >= 512)
    }

    /// The handler of SIGBUS asks for it.
    @Test func mapsAreKnownByAddress() throws {
        let file = try File(oddFile("flat"))
        var map: MappedFile? = try file.map()
        let start = UInt(bitPattern: map?.bytes.baseAddress)
        let end = start + UInt(file.size)
        for address in [start, end - 1] {
            #expect(MappedFiles.path(at: address).map { String(cString: $0) } == oddFile("flat"))
        }
        #expect(MappedFiles.path(at: 0) == nil)
        map = nil
        #expect(MappedFiles.path(at: start).map { String(cString: $0) } != oddFile("flat"))
    }
}
