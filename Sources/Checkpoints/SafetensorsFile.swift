internal import HDF5
import Synchronization

/// A safetensors file, its header read and checked; it is mapped when a tensor is first asked for.
final class SafetensorsFile: Sendable {
    let path: String
    let size: Int
    /// In order of their bytes; `range` counts from the file's beginning.
    let tensors: [SafetensorsHeader.Tensor]
    private let file: RegularFile
    private let mapping = Mutex<MappedFile?>(nil)

    /// - Parameter remedy: what to do when it is not there.
    init(_ path: String, limits: Limits, remedy: String) throws {
        file = try RegularFile(path, remedy: remedy)
        self.path = path
        size = file.size
        func failure(_ kind: CheckpointError.Kind, _ problem: String, _ remedy: String) -> CheckpointError {
            CheckpointError(kind, file: path, problem: problem, remedy: remedy)
        }
        let again = "copy it again from where it came"
        guard size > 0 else { throw failure(.format, "the file is empty", again) }
        guard size >= 8 else { throw failure(.format, "the file ends before its header's length", again) }
        let word = try file.read(0..<8)
        if word == Array("version ".utf8) {
            throw failure(
                .format, "this is a Git LFS pointer that stands for the file", "fetch the file itself: git lfs pull")
        }
        // 64 bits, little-endian.
        let length = word.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= SafetensorsHeader.byteLimit else {
            throw failure(
                .limit, "its header would have \(length) bytes, more than the format's \(SafetensorsHeader.byteLimit)",
                "this is no safetensors file, or a damaged one; \(again)")
        }
        let end = 8 + Int(length)
        guard end <= size else {
            throw failure(
                .truncated, "its header goes to byte \(end), but the file has \(size)",
                "the file was not copied whole; \(again)")
        }
        let header = try SafetensorsHeader(
            file.read(8..<end), dataCount: size - end, path: path, limits: limits)
        tensors = header.tensors.map {
            SafetensorsHeader.Tensor(
                name: $0.name, type: $0.type, shape: $0.shape,
                range: $0.range.lowerBound + end..<$0.range.upperBound + end)
        }
    }

    /// The file's name, device, inode, size and time of writing, as they were when it was opened.
    var state: String { file.state }

    func checkUnchanged() throws { try file.checkUnchanged() }

    /// The file's map; throws if the file was cut.
    func map() throws -> MappedFile {
        try file.checkUnchanged()
        return try mapping.withLock { known in
            if let known { return known }
            let map = try file.map()
            known = map
            return map
        }
    }
}
