import Checkpoints
package import Control
import HDF5
package import LinearAlgebra
import Models
package import Sites

/// Reads and writes subspaces: orthonormal sets of directions with the vectors they were made of.
///
/// A nacre subspace file, version 1, is plain HDF5: `/basis` [k, width] f32 with orthonormal rows, `/vectors` [k,
/// width] f32 as they were found, and `/recipe.json`; `/site` (the full name), `/position` and `/negative_mean` [width]
/// f32 are there if they are known. Texts are 1-D uint8. Root attributes: `format` = "nacre-subspace", `format_version`
/// = 1, `created_by`.
package enum SubspaceFile {
    package static let format = "nacre-subspace"
    package static let version = 1
    /// The largest number of directions in one subspace file; their cost grows with the square of their number.
    package static let directionLimit = 1024
    /// The largest number of values in one matrix of a subspace file.
    package static let numberLimit = 1 << 26

    /// Writes a subspace as an HDF5 file: under another name, then read back and compared, then renamed.
    ///
    /// - Throws: `HDF5Error`, `CheckpointError`.
    package static func write(_ subspace: Subspace, to path: String, overwrite: Bool, createdBy: String) throws {
        let (k, width) = (subspace.dimension, subspace.width)
        let recipe = Array(subspace.recipe.utf8)
        let file = try FileWriter(
            path, overwrite: overwrite, expectedBytes: (2 * k + 1) * width * 4 + recipe.count + 4096)
        do {
            try file.setAttribute("format", format)
            try file.setAttribute("format_version", version)
            try file.setAttribute("created_by", createdBy)
            for (name, matrix) in [("/basis", subspace.basis), ("/vectors", subspace.vectors)] {
                try file.createDataset(name, type: .float32, shape: [k, width])
                try matrix.values.withUnsafeBytes { try file.writeRows(name, first: 0, count: k, $0) }
            }
            if let mean = subspace.negativeMean {
                try file.createDataset("/negative_mean", type: .float32, shape: [width])
                try mean.withUnsafeBytes { try file.writeRows("/negative_mean", first: 0, count: width, $0) }
            }
            if let site = subspace.site { try file.createText("/site", Array(site.fullName.utf8)) }
            if let position = subspace.position { try file.createText("/position", Array(position.utf8)) }
            try file.createText("/recipe.json", recipe)
            try file.commit { written in
                guard try read(written, at: nil, position: nil) == subspace else {
                    throw CheckpointError(
                        .digest, file: path, problem: "what was read back differs from what was written",
                        remedy: "check the disk, then save it again")
                }
            }
        } catch {
            file.abandon()
            throw error
        }
    }

    /// Returns the bytes of a .npy file with the vectors of directions, [k, width] f32. (NumPy Enhancement Proposal 1,
    /// version 1.0.) It has no place for site and recipe.
    package static func npy(_ vectors: Matrix) -> [UInt8] {
        var head = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(vectors.rows), \(vectors.columns)), }"
        // The values begin at a multiple of 64 bytes.
        let length = (10 + head.utf8.count + 1 + 63) / 64 * 64 - 10
        head += String(repeating: " ", count: length - head.utf8.count - 1) + "\n"
        var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 0xFF), UInt8(length >> 8)]
        bytes += Array(head.utf8)
        for value in vectors.values {
            withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 }
        }
        return bytes
    }

    /// Returns whether an HDF5 file declares itself a nacre subspace file.
    package static func isSubspace(_ path: String) throws -> Bool {
        try File(path).contents.attributes["format"]?.text == format
    }

    /// Reads a subspace from a nacre subspace file (as `write` makes it), from a .npy file of [k, width] or [width], or
    /// from a two-dimensional dataset of any HDF5 file. If a nacre file has no `/basis`, or if the file is of another
    /// kind, its vectors are orthonormalised.
    ///
    /// Only a nacre file can say at which site its directions belong; for other files the caller gives `site`. Other
    /// programs number the layers in their own ways. Layer l of Hugging Face's `hidden_states` and of the program
    /// refusal_direction is our `resid_pre[l]`, which equals `resid_post[l - 1]`; only the last of `hidden_states` is
    /// taken after the final norm. Layer l of the programs heretic and repeng is our `resid_post[l]`.
    ///
    /// - Parameters:
    ///   - dataset: the dataset to read, for an HDF5 file that is not a nacre subspace file and has several.
    ///   - site: the site where the directions belong; it must not contradict the file.
    ///   - position: the token position where the directions were found, used if the file does not say.
    /// - Throws: `HDF5Error` or `CheckpointError` if the file can't be read; `SubspaceError` if the vectors are not
    ///   directions, or if the rows of `/basis` are not orthonormal.
    package static func read(
        _ path: String, dataset: String? = nil, at site: Site? = nil, position: String? = nil,
        control: RunControl = RunControl()
    ) throws -> Subspace {
        if dataset == nil {
            do {
                let file = try File(path)
                if file.contents.attributes["format"]?.text == format {
                    return try read(file, at: site, position: position)
                }
            } catch let error as HDF5Error where error.kind == .notHDF5 {
                // The file may be a .npy file; if not, the error of the next line says so.
            }
        }
        let points = try PointFile.open(path, dataset: dataset, acceptsVector: true)
        try checkShape(points.rows, points.columns, path, nil)
        return try Subspace(
            vectors: try points.matrix(rows: 0..<points.rows, control: control), site: site, position: position)
    }

    private static func read(_ file: File, at wanted: Site?, position: String?) throws -> Subspace {
        let contents = file.contents
        guard let version = contents.attributes["format_version"]?.integer, version >= 1 else {
            throw failure(.version, file, "/", "the attribute `format_version` is no positive integer")
        }
        guard version <= Self.version else {
            throw CheckpointError(
                .version, file: file.path,
                problem: "it has format version \(version), and this program knows \(Self.version)",
                remedy: "update nacre")
        }
        let basis = try matrix("basis", file)
        let vectors = try matrix("vectors", file)
        let found = try text("site", file).map { name in
            guard let site = Site(fullName: name) else {
                throw failure(.inconsistent, file, "/site", "\"\(name)\" is no site", "write a full name: help sites")
            }
            return site
        }
        if let found, let wanted, found != wanted {
            throw CheckpointError(
                .inconsistent, file: file.path, object: "/site",
                problem: "the directions were found at \(found.shortName), not at \(wanted.shortName)",
                remedy: "load the file without naming a site")
        }
        let place = (found ?? wanted, try text("position", file) ?? position)
        let recipe = try text("recipe.json", file) ?? "{}"
        guard let basis else {
            guard let vectors else {
                throw failure(.inconsistent, file, "/vectors", "there is neither /basis nor /vectors")
            }
            var subspace = try Subspace(vectors: vectors, site: place.0, position: place.1, recipe: recipe)
            subspace.negativeMean = try negativeMean(file, width: subspace.width)
            return subspace
        }
        if let vectors, vectors.rows != basis.rows || vectors.columns != basis.columns {
            throw failure(
                .inconsistent, file, "/vectors",
                "its shape is \(vectors.rows) x \(vectors.columns), but that of /basis is \(basis.rows) x \(basis.columns)"
            )
        }
        var subspace = try Subspace(
            basis: basis, vectors: vectors ?? basis, site: place.0, position: place.1, recipe: recipe)
        try checkSpan(subspace, file)
        subspace.negativeMean = try negativeMean(file, width: subspace.width)
        return subspace
    }

    /// Checks that a subspace's vectors lie in the span of its basis: ablation uses the basis and steering the vectors,
    /// so both must be of one subspace.
    private static func checkSpan(_ subspace: Subspace, _ file: File) throws {
        for index in 0..<subspace.dimension {
            let vector = subspace.vectors.row(index)
            let (length, part) = (square(vector), square(subspace.projection(of: vector)))
            guard length > 0, part > 0.998 * length else {
                throw failure(
                    .inconsistent, file, "/vectors", "row \(index) does not lie in the span of /basis",
                    "leave /basis out, and it is made of /vectors")
            }
        }
    }

    private static func square(_ x: some Sequence<Float>) -> Double { x.reduce(0) { $0 + Double($1) * Double($1) } }

    private static func matrix(_ name: String, _ file: File) throws -> Matrix? {
        guard let dataset = file.contents.dataset([name]) else { return nil }
        guard dataset.type == .float32, dataset.shape.count == 2 else {
            throw failure(.inconsistent, file, dataset.name, "it must be [k, width] of float32")
        }
        let (k, width) = (dataset.shape[0], dataset.shape[1])
        try checkShape(k, width, file.path, dataset.name)
        return Matrix(rows: k, columns: width, values: try file.decode(dataset).array(of: Float.self))
    }

    private static func negativeMean(_ file: File, width: Int) throws -> [Float]? {
        guard let dataset = file.contents.dataset(["negative_mean"]) else { return nil }
        guard dataset.type == .float32, dataset.shape == [width] else {
            throw failure(.inconsistent, file, dataset.name, "it must be [\(width)] of float32, as wide as the vectors")
        }
        let mean = try file.decode(dataset).array(of: Float.self)
        guard mean.allSatisfy(\.isFinite) else {
            throw failure(.inconsistent, file, dataset.name, "it holds NaN or infinity")
        }
        return mean
    }

    private static func checkShape(_ k: Int, _ width: Int, _ path: String, _ object: String?) throws {
        guard k > 0, width > 0 else {
            throw CheckpointError(
                .inconsistent, file: path, object: object,
                problem: "its shape is \(k) x \(width): there are no directions",
                remedy: "store [k, width], a direction in each row")
        }
        guard k <= directionLimit, let count = checkedProduct([k, width]), count <= numberLimit else {
            throw CheckpointError(
                .limit, file: path, object: object,
                problem:
                    "\(k) directions of width \(width) are more than \(directionLimit), or than \(numberLimit) numbers",
                remedy: "store [k, width], a direction in each row, and fewer of them")
        }
    }

    private static func text(_ name: String, _ file: File) throws -> String? {
        guard let dataset = file.contents.dataset([name]) else { return nil }
        guard let text = String(validating: try file.text(dataset), as: UTF8.self) else {
            throw failure(.inconsistent, file, dataset.name, "its bytes are not UTF-8")
        }
        return text
    }

    private static func failure(
        _ kind: CheckpointError.Kind, _ file: File, _ object: String, _ problem: String,
        _ remedy: String = "save the subspace again"
    ) -> CheckpointError {
        CheckpointError(kind, file: file.path, object: object, problem: problem, remedy: remedy)
    }
}
