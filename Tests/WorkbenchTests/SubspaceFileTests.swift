import Checkpoints
import Workbench
import HDF5
import LinearAlgebra
import Models
import Sites
import Statistics
import TestSupport
import Testing

@Suite("Subspace files")
struct SubspaceFileTests {
    private let folder = TemporaryFolder()

    private static func sample(_ k: Int, _ width: Int) throws -> Subspace {
        var random = SeededRandom(seed: 21)
        let vectors = Matrix(rows: k, columns: width, values: random.normal(count: k * width).map(Float.init))
        var subspace = try Subspace(
            vectors: vectors, site: Site(.residPre, layer: 4), position: "-2",
            recipe: #"{"command": "direction ä b"}"#)
        subspace.negativeMean = (0..<width).map { Float($0) }
        return subspace
    }

    /// A file as another program may write it.
    private func write(
        _ name: String, format: String? = "nacre-subspace", version: Int = 1, _ datasets: [(String, [Int], [Float])],
        site: String? = nil
    ) throws -> String {
        let path = folder.file(name)
        let file = try FileWriter(path, overwrite: false, expectedBytes: 4096)
        if let format {
            try file.setAttribute("format", format)
            try file.setAttribute("format_version", version)
        }
        for (dataset, shape, values) in datasets {
            try file.createDataset(dataset, type: .float32, shape: shape)
            try values.withUnsafeBytes { try file.writeRows(dataset, first: 0, count: shape[0], $0) }
        }
        if let site { try file.createText("/site", Array(site.utf8)) }
        try file.commit { _ in }
        return path
    }

    @Test("a subspace comes back from HDF5 bit for bit, and only whole files are there")
    func roundTrip() throws {
        for subspace in [try Self.sample(3, 16), try Subspace(vectors: try Self.sample(1, 8).vectors)] {
            let path = folder.file("r\(subspace.width).h5")
            try SubspaceFile.write(subspace, to: path, overwrite: false, createdBy: "nacre test")
            #expect(try SubspaceFile.read(path) == subspace)
            #expect(try SubspaceFile.isSubspace(path))
            let error = #expect(throws: HDF5Error.self) {
                try SubspaceFile.write(subspace, to: path, overwrite: false, createdBy: "nacre test")
            }
            #expect(error?.kind == .exists)
            try SubspaceFile.write(subspace, to: path, overwrite: true, createdBy: "nacre test")
        }
        #expect(folder.names == ["r16.h5", "r8.h5"])
        let contents = try File(folder.file("r16.h5")).contents
        #expect(
            contents.datasets.map(\.name) == [
                "/basis", "/negative_mean", "/position", "/recipe.json", "/site", "/vectors",
            ])
        #expect(contents.attributes["format_version"]?.integer == 1)
        #expect(contents.attributes["created_by"]?.text == "nacre test")
    }

    @Test("vectors go out as .npy and come back, without a site unless one is named")
    func npy() throws {
        let subspace = try Self.sample(2, 6)
        let bytes = SubspaceFile.npy(subspace.vectors)
        #expect((bytes.count - 2 * 6 * 4) % 64 == 0)
        writeBytes(bytes, folder.file("v.npy"))
        let read = try SubspaceFile.read(folder.file("v.npy"))
        #expect(read.vectors == subspace.vectors && read.basis == subspace.basis)
        #expect(read.site == nil && read.position == nil)
        let site = Site(.residPost, layer: 7)
        #expect(try SubspaceFile.read(folder.file("v.npy"), at: site).site == site)
    }

    @Test("a one-dimensional .npy of f64 is one direction")
    func vector() throws {
        var head = "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }"
        head += String(repeating: " ", count: 117 - head.utf8.count) + "\n"
        var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0] + Array(head.utf8)
        for value in [3.0, 0, 4] { withUnsafeBytes(of: value) { bytes += $0 } }
        writeBytes(bytes, folder.file("v.npy"))
        let read = try SubspaceFile.read(folder.file("v.npy"))
        #expect(read.vectors == Matrix(rows: 1, columns: 3, values: [3, 0, 4]))
        #expect(read.basis.values == [0.6, 0, 0.8])
    }

    @Test("bare vectors are orthonormalised, also those of a foreign file")
    func bareVectors() throws {
        let values: [Float] = [3, 0, 0, 1, 2, 0]
        for path in [
            try write("bare.h5", [("/vectors", [2, 3], values)], site: "blocks.2.hook_resid_post"),
            try write("foreign.h5", format: nil, [("/directions", [2, 3], values)]),
        ] {
            let read = try SubspaceFile.read(path)
            #expect(read.basis.values == [1, 0, 0, 0, 1, 0])
            #expect(read.vectors.values == values)
        }
        #expect(try SubspaceFile.read(folder.file("bare.h5")).site == Site(.residPost, layer: 2))
        #expect(try SubspaceFile.read(folder.file("foreign.h5"), dataset: "/directions").site == nil)
        #expect(try !SubspaceFile.isSubspace(folder.file("foreign.h5")))
    }

    @Test("a basis that is not orthonormal is refused")
    func notOrthonormal() throws {
        let skew = try write("skew.h5", [("/basis", [2, 2], [1, 0, 0.6, 0.8])])
        #expect(throws: SubspaceError.notOrthonormal(first: 0, second: 1, product: Double(Float(0.6)))) {
            try SubspaceFile.read(skew)
        }
        let long = try write("long.h5", [("/basis", [1, 2], [2, 0])])
        #expect(throws: SubspaceError.notOrthonormal(first: 0, second: 0, product: 4)) {
            try SubspaceFile.read(long)
        }
        let bad = try write("nan.h5", [("/basis", [1, 2], [.nan, 0])])
        #expect(throws: SubspaceError.notFinite(vector: 0)) { try SubspaceFile.read(bad) }
    }

    @Test("files whose parts contradict one another are refused, each for its reason")
    func contradictions() throws {
        let basis: (String, [Int], [Float]) = ("/basis", [1, 2], [1, 0])
        func problem(_ path: String, at site: Site? = nil) -> String? {
            #expect(throws: CheckpointError.self) { try SubspaceFile.read(path, at: site) }?.problem
        }
        #expect(problem(try write("a.h5", [])) == "there is neither /basis nor /vectors")
        #expect(
            problem(try write("b.h5", [basis, ("/vectors", [1, 3], [1, 0, 0])]))
                == "its shape is 1 x 3, but that of /basis is 1 x 2")
        #expect(
            problem(try write("c.h5", [basis, ("/vectors", [1, 2], [1, 1])]))
                == "row 0 does not lie in the span of /basis")
        #expect(problem(try write("d.h5", [basis], site: "blocks.x.hook")) == "\"blocks.x.hook\" is no site")
        #expect(
            problem(try write("e.h5", version: 2, [basis])) == "it has format version 2, and this program knows 1")
        #expect(problem(try write("f.h5", [("/basis", [2], [1, 0])])) == "it must be [k, width] of float32")
        let named = try write("g.h5", [basis], site: "blocks.3.hook_resid_pre")
        #expect(
            problem(named, at: Site(.residPost, layer: 3))
                == "the directions were found at resid_pre[3], not at resid_post[3]")
        let many = try write("h.h5", [("/vectors", [1100, 2], [Float](repeating: 1, count: 2200))])
        #expect(problem(many)?.hasPrefix("1100 directions of width 2 are more than 1024") == true)
    }
}
