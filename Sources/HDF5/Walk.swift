internal import CHDF5

/// Lists a file's contents, in a process of its own: libhdf5 crashes on some damaged files.
struct Walk {
    let descriptor: Int32
    let path: String
    let size: Int
    let limits: Limits

    /// Every group and dataset, checked; attributes, but no values.
    ///
    /// What the other process says is checked again, as it may have been led astray.
    func contents() throws -> Contents {
        let answer = try Isolation(file: path, seconds: limits.seconds).run {
            var encoder = Encoder()
            encoder.append(try list())
            return encoder.bytes
        }
        guard let contents = Decoder.contents(answer, fileSize: size) else {
            throw HDF5Error(
                .crash, file: path, problem: "libhdf5 went astray on the file",
                remedy: "the file is damaged or forged; copy it again from where it came")
        }
        return contents
    }

    /// Opens the file again through its descriptor, so that it is the one that was examined.
    func openLibrary() throws -> Handle {
        let context = Context(file: path)
        let access = try context.handle(nh5_reading(), H5Pclose, "preparing to open")
        #if os(Linux)
            let id = nh5_open("/proc/self/fd/\(descriptor)", access.id)
        #else
            let id = nh5_open(path, access.id)
        #endif
        if id >= 0 { return Handle(id, H5Fclose) }
        let detail = Library.detail()
        if detail.contains("truncated") {
            throw HDF5Error(
                .truncated, file: path, problem: "the file is cut short", remedy: "copy it again from where it came")
        }
        if detail.contains("already open for write") {
            throw HDF5Error(
                .locked, file: path, problem: "the file is marked as being written",
                remedy: "close it in the other program; after a crash there, run h5clear -s on a copy")
        }
        throw HDF5Error(
            .notHDF5, file: path, problem: "the file's first block is damaged (libhdf5: \(detail))",
            remedy: "copy it again from where it came")
    }

    /// The walk keeps its own stack, looks at each link before following it, and follows hard links only, one
    /// component at a time. Throws `HDF5Error` at the first thing that is not allowed.
    private func list() throws -> Contents {
        let file = try openLibrary()
        defer { withExtendedLifetime(file) {} }
        var contents = Contents()
        let context = Context(file: path, object: "/")
        let root = try context.handle(H5Gopen2(file.id, "/", nh5_default()), H5Gclose, "opening the root group")
        var visited: [UInt64: String] = [:]
        var seenDatasets: [UInt64: Int] = [:]
        var objects = 0
        var pending: [(group: Found, path: [String])] = [(try examine(root, context), [])]
        while let (group, groupPath) = pending.popLast() {
            let here = Context(file: path, object: "/" + groupPath.joined(separator: "/"))
            if let first = visited.updateValue(here.object ?? "", forKey: group.address) {
                throw here.error(
                    .structure, "this group is the same as \(first)",
                    "groups must form a tree: remove one of the two links")
            }
            contents.groups.append(
                Group(
                    path: groupPath,
                    attributes: try attributes(of: group.handle, count: group.attributeCount, here)))
            for link in try links(of: group.handle, here, &objects) {
                let linkPath = groupPath + [link.name]
                var there = here
                there.object = "/" + linkPath.joined(separator: "/")
                let found = try follow(link, in: group.handle, linkPath, there)
                if found.isGroup {
                    pending.append((found, linkPath))
                } else if let index = seenDatasets[found.address] {
                    // Tied tensors: a second name for a dataset that was checked already.
                    contents.datasets.append(contents.datasets[index].renamed(linkPath))
                } else {
                    seenDatasets[found.address] = contents.datasets.count
                    contents.datasets.append(try inspect(found, linkPath, there))
                }
            }
        }
        try checkOverlaps(contents.datasets)
        contents.datasets.sort { $0.path.lexicographicallyPrecedes($1.path) }
        return contents
    }
}
