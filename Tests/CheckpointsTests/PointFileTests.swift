import Control
import Foundation
import HDF5
import LinearAlgebra
import Statistics
import TestSupport
import Testing

@testable import Checkpoints

/// The array of Scripts/goldens/point_files.py, in every form that numpy and h5py save it in.
@Suite struct PointFileTests {
    private static let values = (0..<24).map(Float.init)

    static func fixture(_ name: String) -> String {
        NacreProcess.root.appending(path: "Tests/Fixtures/points/\(name)").path
    }

    private func matrix(_ file: PointFile, _ rows: Range<Int>? = nil) throws -> Matrix {
        try file.matrix(rows: rows ?? 0..<file.rows, control: RunControl())
    }

    @Test(arguments: [
        "f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "big-f8", "fortran-f4", "fortran-f8",
        "version-2", "version-3",
    ])
    func npyIsReadExactly(name: String) throws {
        let file = try PointFile.open(Self.fixture("\(name).npy"))
        #expect(file.name == "\(name).npy")
        #expect(try matrix(file) == Matrix(rows: 6, columns: 4, values: Self.values))
        #expect(try matrix(file, 2..<4).values == Array(Self.values[8..<16]))
        #expect(try file.matrix(rows: [0, 3, 5], control: RunControl()).row(1).elementsEqual(Self.values[12..<16]))
    }

    @Test(arguments: [
        "types/f2", "types/f4", "types/f8", "types/i1", "types/i2", "types/i4", "types/i8", "types/u1", "types/u2",
        "types/u4", "types/u8", "types/big-f8", "types/bf16", "packed",
    ])
    func hdf5IsReadExactly(name: String) throws {
        let file = try PointFile.open(Self.fixture("arrays.h5"), dataset: name)
        #expect(file.name == "arrays.h5:/\(name)")
        #expect(try matrix(file).values == Self.values)
        #expect(
            try file.matrix(rows: [1, 4], control: RunControl()).values
                == Array(Self.values[4..<8] + Self.values[16..<20]))
    }

    @Test func datasetsAreNamed() throws {
        let path = Self.fixture("arrays.h5")
        func problem(_ dataset: String?) -> String {
            do {
                _ = try PointFile.open(path, dataset: dataset)
                return ""
            } catch { return "\(error)" }
        }
        #expect(try PointFile.open(path, dataset: "/types/f8").type == .f64)
        #expect(try PointFile.open(path, dataset: "bf16").type == .bf16)
        #expect(problem(nil).contains("has 14 two-dimensional datasets: /packed [6, 4], /types/bf16 [6, 4]"))
        #expect(problem(nil).contains("and 6 more"))
        #expect(problem("nothing").contains("there is no such dataset; it has /packed"))
        #expect(
            problem("vector").contains("its shape is [5], and points are [rows, columns]; save it as a.reshape(-1, 1)"))
        #expect(problem("cube").contains("its shape is [2, 3, 4]"))
        #expect(problem("none").contains("there are no numbers in it"))
        #expect(throws: CheckpointError.self) { try PointFile.open(Self.fixture("f4.npy"), dataset: "x") }
    }

    /// A block holds 4 MiB, so these take several, with rows between the chosen ones that are read over.
    @Test func blocksJoin() throws {
        let folder = TemporaryFolder()
        let (rows, columns) = (3000, 1000)
        var values = [Float](repeating: 0, count: rows * columns)
        for index in values.indices { values[index] = Float(index) }
        let chosen = Array(stride(from: 7, to: 3000, by: 611))
        for (order, name) in [(false, "rows"), (true, "columns")] {
            var stored = values
            if order {
                for row in 0..<rows {
                    for column in 0..<columns { stored[column * rows + row] = values[row * columns + column] }
                }
            }
            let head = NPYBytes.head(
                "{'descr': '<f4', 'fortran_order': \(order ? "True" : "False"), 'shape': (3000, 1000)}")
            writeBytes(head + stored.withUnsafeBytes { Array($0) }, folder.file(name))
            let file = try PointFile.open(folder.file(name))
            #expect(try matrix(file).values == values)
            let some = try file.matrix(rows: chosen, control: RunControl())
            #expect(some.values == chosen.flatMap { values[$0 * columns..<($0 + 1) * columns] })
        }
    }

    @Test func cancelling() throws {
        let control = RunControl()
        control.cancel()
        let file = try PointFile.open(Self.fixture("f4.npy"))
        #expect(throws: CancellationError.self) { try file.matrix(rows: 0..<6, control: control) }
    }

    @Test func whatIsBeyondF32IsNamed() throws {
        let folder = TemporaryFolder()
        let numbers: [Double] = [1, .nan, .infinity, 4, 5, -1e39]
        let path = folder.file("a.npy")
        for order in ["False", "True"] {
            writeBytes(
                NPYBytes.head("{'descr': '<f8', 'fortran_order': \(order), 'shape': (3, 2)}")
                    + numbers.withUnsafeBytes { Array($0) }, path)
            let file = try PointFile.open(path)
            let error = #expect(throws: CheckpointError.self) { try matrix(file) }
            #expect(error?.problem == "row 2, column 1 holds -1e+39, beyond the range of f32")
            let kept = try matrix(file, 0..<2)
            #expect(kept.nonFiniteCount == (order == "True" ? 1 : 2))
            #expect(kept.firstNonFinite! == (order == "True" ? (1, 0) : (0, 1)))
        }
    }
}

enum NPYBytes {
    static func head(_ text: String, version: UInt8 = 1, length: Int? = nil) -> [UInt8] {
        let count = length ?? text.utf8.count
        let bytes = (0..<(version == 1 ? 2 : 4)).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) }
        return NPYHeader.signature + [version, 0] + bytes + Array(text.utf8)
    }
}

@Suite struct MalformedPointFileTests {
    private func error(_ bytes: [UInt8]) -> CheckpointError? {
        let folder = TemporaryFolder()
        writeBytes(bytes, folder.file("a.npy"))
        do {
            _ = try PointFile.open(folder.file("a.npy"))
            return nil
        } catch { return error as? CheckpointError }
    }

    /// A head of this text and 96 bytes of numbers, which is right for (6, 4) of f4.
    private func error(head: String) -> CheckpointError? {
        error(NPYBytes.head(head) + [UInt8](repeating: 0, count: 96))
    }

    @Test func theWellFormedOpens() {
        for head in [
            "{'descr': '<f4', 'fortran_order': False, 'shape': (6, 4), }    \n",
            "{\"shape\":(6,4),\"descr\":\"<f4\",\"fortran_order\":True}",
            "{'shape': (6, 4,), 'fortran_order': False, 'descr': '<i4'}",
        ] { #expect(error(head: head) == nil, "\(head)") }
    }

    @Test(arguments: [
        "", "{", "}", "{}", "[]", "None", "{'descr': '<f4'}", "{'descr': '<f4', 'fortran_order': False}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (6, 4)",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (6, 4)}}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (6, 4), 'x': 1}",
        "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (6, 4)}",
        "{'descr': '<f4' 'fortran_order': False, 'shape': (6, 4)}",
        "{'descr': '<f4', 'fortran_order': 0, 'shape': (6, 4)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': [6, 4]}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-6, -4)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (6.0, 4)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (24)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (6 4)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (6, 99999999999999999999)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': __import__('os').getpid()}",
        "{'descr': '<f\\x34', 'fortran_order': False, 'shape': (6, 4)}", "{'descr': '<f4, 'fortran_order': False}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (6, 4)} # x",
    ])
    func headsThatAreNone(head: String) {
        #expect(error(head: head)?.problem == "its head is no dictionary of descr, fortran_order and shape")
    }

    @Test(arguments: [
        ("|O", "its elements are Python objects, which only running code from the file could read (|O)"),
        ("<c8", "its elements are complex numbers (<c8)"), ("|b1", "its elements are truth values (|b1)"),
        ("<U5", "its elements are texts (<U5)"), ("<M8[ns]", "its elements are times (<M8[ns])"),
        ("|V2", "its elements are raw bytes, as which bfloat16 is saved (|V2)"),
        ("<f16", "its elements are of a type that is not known (<f16)"),
        ("|f4", "its elements are of a type that is not known (|f4)"),
        ("f4", "its elements are of a type that is not known (f4)"),
        ("", "its elements are of a type that is not known ()"),
    ])
    func types(code: String, problem: String) {
        #expect(error(head: "{'descr': '\(code)', 'fortran_order': False, 'shape': (6, 4)}")?.problem == problem)
    }

    @Test func records() {
        let head = "{'descr': [('a', '<f4'), ('b', '<i4')], 'fortran_order': False, 'shape': (12,)}"
        #expect(error(head: head)?.problem == "its elements are records of several fields")
    }

    @Test(arguments: [
        ("(24,)", "its shape is [24], and points are [rows, columns]"),
        ("()", "its shape is [], and points are [rows, columns]"),
        ("(2, 3, 4)", "its shape is [2, 3, 4], and points are [rows, columns]"),
        ("(6, 5)", "its shape [6, 5] needs 120 bytes after the head, but the file has 96"),
        ("(6, 3)", "its shape [6, 3] needs 72 bytes after the head, but the file has 96"),
        (
            "(1000000, 1000000)",
            "its shape [1000000, 1000000] needs 4000000000000 bytes after the head, but the file has 96"
        ),
        ("(9223372036854775807, 4)", "its shape [9223372036854775807, 4] overflows"),
        ("(4294967296, 4294967296)", "its shape [4294967296, 4294967296] overflows"),
    ])
    func shapes(shape: String, problem: String) {
        #expect(error(head: "{'descr': '<f4', 'fortran_order': False, 'shape': \(shape)}")?.problem == problem)
    }

    @Test func emptyShapes() {
        let head = NPYBytes.head("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 4)}")
        #expect(error(head)?.problem == "its shape is [0, 4]: there are no numbers in it")
    }

    @Test func prefixes() {
        let head = "{'descr': '<f4', 'fortran_order': False, 'shape': (6, 4)}"
        let whole = NPYBytes.head(head) + [UInt8](repeating: 0, count: 96)
        // Cut anywhere, it is an error and no crash.
        for end in whole.indices { #expect(throws: (any Error).self) { try openBytes(Array(whole[..<end])) } }
        #expect(
            error(NPYHeader.signature + [4, 0, 1, 0, 0, 0])?.problem.hasPrefix("it has format version 4.0") == true)
        #expect(error(NPYBytes.head(head, version: 2, length: 1 << 30))?.kind == .limit)
        #expect(error(NPYBytes.head(head, version: 3, length: 0xFFFF_FFFF))?.kind == .limit)
        #expect(error(NPYBytes.head(head, version: 1, length: 60_000))?.problem == "the file ends inside its head")
        #expect(
            error(Array("PK\u{3}\u{4}............".utf8))?.problem == "this is an archive, such as numpy.savez makes")
        #expect(
            error(Array("some text, longer than a head".utf8))?.problem
                == "this is neither an HDF5 file nor a .npy file")
    }

    private func openBytes(_ bytes: [UInt8]) throws {
        let folder = TemporaryFolder()
        writeBytes(bytes, folder.file("a.npy"))
        _ = try PointFile.open(folder.file("a.npy"))
    }

    @Test func otherThings() {
        let folder = TemporaryFolder()
        #expect(throws: CheckpointError.self) { try PointFile.open(folder.path) }
        #expect(throws: CheckpointError.self) { try PointFile.open(folder.file("nothing.npy")) }
        #expect(mkfifo(folder.file("fifo"), 0o600) == 0)
        #expect(throws: CheckpointError.self) { try PointFile.open(folder.file("fifo")) }
    }

    /// Reproducible damage: whatever the bytes of a head become, opening ends in an answer.
    @Test func damagedHeads() {
        var random = SeededRandom(seed: 7)
        let whole = readBytes(PointFileTests.fixture("f4.npy"))
        for _ in 0..<3000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                bytes[Int.random(in: 0..<128, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            try? openBytes(bytes)
        }
    }
}
