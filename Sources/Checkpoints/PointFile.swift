internal import HDF5
package import LinearAlgebra
import TerminalText

/// A two-dimensional array of numbers in a file, a point in each row: a dataset of any HDF5 file, or a .npy file.
///
/// Its extents are checked against the file when it is opened; numbers are read on demand.
package struct PointFile: Sendable {
    enum Source: Sendable {
        /// The array's first byte.
        case npy(RegularFile, offset: Int)
        case hdf5(File, Dataset)
    }

    /// `acts.npy`, `acts.h5:/sites/x`, without the folder.
    package let name: String
    package let path: String
    package let rows: Int
    package let columns: Int
    package let type: ElementType
    let isBigEndian: Bool
    let isColumnMajor: Bool
    let source: Source

    /// - Parameters:
    ///   - dataset: its path in an HDF5 file, or its last name alone; needed if the file has several that are
    ///     two-dimensional.
    ///   - acceptsVector: takes a one-dimensional .npy array as one row.
    /// - Throws: `CheckpointError` or `HDF5Error`.
    package static func open(_ path: String, dataset: String? = nil, acceptsVector: Bool = false) throws -> PointFile {
        let file = try RegularFile(path, remedy: "name an HDF5 file or a .npy file")
        let prefix = try file.read(0..<min(NPYHeader.prefixCount, file.size))
        if prefix.starts(with: NPYHeader.signature) {
            guard dataset == nil else {
                throw CheckpointError(
                    .name, file: path, problem: "a .npy file holds one array, and no datasets",
                    remedy: "leave out what follows the colon")
            }
            return try PointFile(npy: file, prefix, acceptsVector)
        }
        if prefix.starts(with: Array("PK\u{3}\u{4}".utf8)) {
            throw CheckpointError(
                .format, file: path, problem: "this is an archive, such as numpy.savez makes",
                remedy: "save one array with numpy.save")
        }
        do {
            return try PointFile(File(path), dataset)
        } catch let error as HDF5Error where error.kind == .notHDF5 && file.size > 0 {
            throw CheckpointError(
                .format, file: path, problem: "this is neither an HDF5 file nor a .npy file",
                remedy: "write it with h5py, or with numpy.save")
        }
    }

    private init(npy file: RegularFile, _ prefix: [UInt8], _ acceptsVector: Bool) throws {
        func failure(_ kind: CheckpointError.Kind, _ problem: String, _ remedy: String) -> CheckpointError {
            CheckpointError(kind, file: file.path, problem: problem, remedy: remedy)
        }
        let again = "the file was not copied whole; copy it again from where it came"
        let head = try NPYHeader.range(prefix, path: file.path)
        guard head.upperBound <= file.size else { throw failure(.truncated, "the file ends inside its head", again) }
        var header = try NPYHeader(file.read(head), path: file.path)
        if acceptsVector, header.shape.count == 1 { header.shape.insert(1, at: 0) }
        let shape = shapeText(header.shape)
        guard header.shape.count == 2 else {
            throw failure(
                .inconsistent, "its shape is \(shape), and points are [rows, columns]", Self.reshaping(header.shape))
        }
        guard let byteCount = checkedProduct(header.shape + [header.type.byteCount]) else {
            throw failure(.limit, "its shape \(shape) overflows", "the file is damaged or forged")
        }
        let rest = file.size - head.upperBound
        guard byteCount <= rest else {
            throw failure(
                .truncated, "its shape \(shape) needs \(byteCount) bytes after the head, but the file has \(rest)",
                again)
        }
        guard byteCount == rest else {
            throw failure(
                .inconsistent,
                "its shape \(shape) needs \(byteCount) bytes after the head, but the file has \(rest)",
                "save each array to a file of its own")
        }
        guard byteCount > 0 else {
            throw failure(.inconsistent, "its shape is \(shape): there are no numbers in it", "save some points")
        }
        name = FilePlacement.split(file.path).name
        path = file.path
        rows = header.shape[0]
        columns = header.shape[1]
        type = header.type
        isBigEndian = header.isBigEndian
        isColumnMajor = header.isColumnMajor
        source = .npy(file, offset: head.upperBound)
    }

    private init(_ file: File, _ wanted: String?) throws {
        let dataset = try Self.find(wanted, in: file)
        name = "\(FilePlacement.split(file.path).name):\(dataset.name)"
        path = file.path
        rows = dataset.shape[0]
        columns = dataset.shape[1]
        type = ElementType(dataset.type)
        isBigEndian = dataset.order == .big
        isColumnMajor = false
        source = .hdf5(file, dataset)
    }

    private static func find(_ wanted: String?, in file: File) throws -> Dataset {
        func failure(_ kind: CheckpointError.Kind, _ object: String?, _ problem: String, _ remedy: String)
            -> CheckpointError
        { CheckpointError(kind, file: file.path, object: object, problem: problem, remedy: remedy) }
        let candidates = file.contents.datasets.filter { $0.shape.count == 2 && $0.count > 0 }
        let list = candidates.prefix(8).map { "\($0.name) [\($0.shape[0]), \($0.shape[1])]" }.joined(separator: ", ")
        let choices = "\(list)\(candidates.count > 8 ? " and \(candidates.count - 8) more" : "")"
        guard let wanted else {
            guard let first = candidates.first else {
                throw failure(
                    .inconsistent, nil, "it has no two-dimensional dataset with numbers",
                    "store points as [rows, columns]")
            }
            guard candidates.count == 1 else {
                throw failure(
                    .name, nil, "it has \(candidates.count) two-dimensional datasets: \(choices)",
                    "name one after a colon, as in FILE:\(first.name)")
            }
            return first
        }
        let parts = wanted.split(separator: "/").map(String.init)
        let alike = candidates.filter { $0.path.last == parts.last && parts.count == 1 }
        guard let found = file.contents.dataset(parts) ?? (alike.count == 1 ? alike[0] : nil) else {
            throw failure(
                .name, wanted, alike.isEmpty ? "there is no such dataset" : "several datasets have this name",
                candidates.isEmpty ? "the file has none that is two-dimensional" : "it has \(choices)")
        }
        guard found.shape.count == 2 else {
            throw failure(
                .inconsistent, found.name, "its shape is \(shapeText(found.shape)), and points are [rows, columns]",
                reshaping(found.shape))
        }
        guard found.count > 0 else {
            throw failure(
                .inconsistent, found.name, "its shape is \(shapeText(found.shape)): there are no numbers in it",
                "store some points")
        }
        return found
    }

    private static func reshaping(_ shape: [Int]) -> String {
        shape.count < 2
            ? "save it as a.reshape(-1, 1) if each number is a point"
            : "save it as a.reshape(len(a), -1), or a part of it"
    }

    /// How the numbers become the f32 that they are read as: nil if they are or fit exactly.
    package var rounding: String? {
        switch type {
        case .f32, .f16, .bf16, .i8, .i16, .u8, .u16: nil
        default: "\(type.rawValue) rounded to f32"
        }
    }

    /// The most memory that reading so many rows takes, in bytes; nil if that is beyond all bounds.
    package func memory(rows count: Int) -> Int? {
        guard let result = checkedProduct([count, columns, 4]) else { return nil }
        guard case .hdf5(_, let dataset) = source, !dataset.isContiguous else { return result }
        // Decoded as a whole, and given back as fast as it is converted.
        return max(result, dataset.byteCount)
    }
}
