internal import CHDF5

extension Walk {
    /// An open object and what its header says of it.
    struct Found {
        let handle: Handle
        let isGroup: Bool
        let address: UInt64
        let attributeCount: UInt64
    }

    func examine(_ handle: Handle, _ there: Context) throws -> Found {
        var kind: Int32 = 2
        var address: UInt64 = 0
        var attributeCount: UInt64 = 0
        _ = try there.check(nh5_examine(handle.id, &kind, &address, &attributeCount), "examining the object")
        guard kind < 2 else {
            throw there.error(.type, "this is neither a group nor a dataset", "leave it out of the file")
        }
        return Found(handle: handle, isGroup: kind == 0, address: address, attributeCount: attributeCount)
    }

    /// Names and kinds of a group's links, in order of name, none followed yet.
    func links(of group: Handle, _ here: Context, _ objects: inout Int) throws -> [Link] {
        var info = H5G_info_t()
        _ = try here.check(H5Gget_info(group.id, &info), "counting the group's links")
        let (total, overflow) = objects.addingReportingOverflow(Int(clamping: info.nlinks))
        guard !overflow, total <= limits.objects else {
            throw here.error(
                .limit, "the file has more than \(limits.objects) links",
                "it is beyond the limit `objects`, see show limits")
        }
        let collected = LinkList(limit: Int(info.nlinks), nameBytes: limits.nameBytes)
        let status = withExtendedLifetime(collected) {
            H5Literate(
                group.id, H5_INDEX_NAME, H5_ITER_NATIVE, nil,
                { _, name, info, list in
                    guard let name, let info, let list else { return -1 }
                    return Unmanaged<LinkList>.fromOpaque(list).takeUnretainedValue().add(name, info.pointee.type)
                }, Unmanaged.passUnretained(collected).toOpaque())
        }
        if let problem = collected.problem {
            throw here.error(.link, problem, "rename the object with a tool you trust, or leave it out")
        }
        _ = try here.check(status, "listing the group's links")
        objects = total
        return collected.links.sorted { $0.name < $1.name }
    }

    func follow(_ link: Link, in group: Handle, _ linkPath: [String], _ there: Context) throws -> Found {
        switch link.type {
        case H5L_TYPE_HARD: break
        case H5L_TYPE_SOFT:
            throw there.error(
                .link, "this is a soft link, which is not followed", "put the data itself there, or a hard link")
        case H5L_TYPE_EXTERNAL:
            throw there.error(
                .link, "this is a link into another file, which is not followed", "copy the data into this file")
        default: throw there.error(.link, "this is a link of an unknown kind", "put the data itself there")
        }
        let handle = try there.handle(H5Oopen(group.id, link.name, nh5_default()), H5Oclose, "opening the object")
        let found = try examine(handle, there)
        if found.isGroup, linkPath.count > limits.depth {
            throw there.error(
                .structure, "groups are nested more than \(limits.depth) deep",
                "it is beyond the limit `depth`, see show limits")
        }
        return found
    }

    /// Two datasets must not share bytes; two names of one dataset may.
    func checkOverlaps(_ datasets: [Dataset]) throws {
        var extents: [(start: Int, end: Int, index: Int)] = []
        for (index, dataset) in datasets.enumerated() {
            if case .contiguous(let offset?) = dataset.layout, dataset.byteCount > 0 {
                extents.append((offset, offset + dataset.byteCount, index))
            }
        }
        extents.sort { ($0.start, $0.index) < ($1.start, $1.index) }
        for (first, second) in zip(extents, extents.dropFirst()) where second.start < first.end {
            if datasets[first.index].address == datasets[second.index].address { continue }
            throw HDF5Error(
                .overlap, file: path, object: datasets[second.index].name,
                problem: "its bytes overlap those of \(datasets[first.index].name)",
                remedy: "the file is damaged or forged; copy it again from where it came")
        }
    }
}

struct Link {
    let name: String
    let type: H5L_type_t
}

/// Collects links inside a C callback.
private final class LinkList {
    private(set) var links: [Link] = []
    private(set) var problem: String?
    private let limit: Int
    private let nameBytes: Int

    init(limit: Int, nameBytes: Int) {
        self.limit = limit
        self.nameBytes = nameBytes
    }

    func add(_ name: UnsafePointer<CChar>, _ type: H5L_type_t) -> herr_t {
        guard links.count < limit else {
            problem = "the group has more links than it says"
            return -1
        }
        guard let text = String(validatingCString: name) else {
            problem = "the name \"\(String(cString: name))\" is not UTF-8"
            return -1
        }
        guard text.utf8.count <= nameBytes else {
            problem = "a name of \(text.utf8.count) bytes is longer than \(nameBytes)"
            return -1
        }
        guard !text.isEmpty, text != ".", !text.utf8.contains(UInt8(ascii: "/")) else {
            problem = "the name \"\(text)\" cannot be followed"
            return -1
        }
        links.append(Link(name: text, type: type))
        return 0
    }
}
