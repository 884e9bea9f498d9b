extension ModelFolder {
    /// Whether a path is opened as a folder of safetensors, by what stands there and by its ending.
    static func isOne(_ path: String) -> Bool {
        Folder.isFolder(path) || path.hasSuffix(Folder.ending) || path.hasSuffix(Folder.indexEnding)
    }

    /// The folder's name; the file's for a safetensors file that is not called as usual.
    static func label(of path: String) -> String {
        let folder = Folder(path)
        if let file = folder.file, file != Folder.single, !file.hasSuffix(Folder.indexEnding) { return file }
        return folder.name
    }

    /// Why a file that is neither HDF5 nor safetensors is not opened, where its first bytes tell what it is.
    static func refusal(ofFile path: String) -> CheckpointError? {
        guard let file = try? RegularFile(path), let start = try? file.read(0..<min(file.size, 4)) else { return nil }
        if start == Array("GGUF".utf8) {
            return CheckpointError(.format, file: path, problem: "this is a GGUF file", remedy: Folder.convertGGUF)
        }
        // A zip archive of torch.save, or a bare pickle of protocol 2 and later.
        let isZip = start == Array("PK".utf8) + [3, 4]
        let isPickle = start.count > 1 && start[0] == 0x80 && (2...5).contains(start[1])
        guard isZip || isPickle else { return nil }
        return CheckpointError(
            .format, file: path, problem: "this is a pickle, which can run code when it is read; it is not opened",
            remedy: Folder.convertPickle)
    }
}
