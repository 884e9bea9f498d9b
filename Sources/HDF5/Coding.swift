/// What passes from the child process to this one, as bytes. Little-endian 8-byte integers; texts with their length.
struct Encoder {
    private(set) var bytes: [UInt8] = []

    mutating func append(_ number: Int) { append(UInt64(bitPattern: Int64(number))) }

    mutating func append(_ number: UInt64) {
        withUnsafeBytes(of: number.littleEndian) { bytes += $0 }
    }

    mutating func append(_ text: String) {
        append(text.utf8.count)
        bytes += text.utf8
    }

    mutating func append<Element>(_ list: [Element], _ each: (inout Encoder, Element) -> Void) {
        append(list.count)
        for element in list { each(&self, element) }
    }

    mutating func append(_ contents: Contents) {
        append(contents.groups) { encoder, group in
            encoder.append(group.path) { $0.append($1) }
            encoder.append(group.attributes)
        }
        append(contents.datasets) { encoder, dataset in encoder.append(dataset) }
    }

    private mutating func append(_ dataset: Dataset) {
        append(dataset.path) { $0.append($1) }
        append(dataset.type.rawValue)
        append(dataset.order.rawValue)
        append(dataset.shape) { $0.append($1) }
        switch dataset.layout {
        case .contiguous(let offset):
            append(0)
            append(offset ?? -1)
        case .compact: append(1)
        case .chunked(let chunk, let filters):
            append(2)
            append(chunk) { $0.append($1) }
            append(filters) { $0.append(Int($1.rawValue)) }
        }
        append(dataset.storedBytes)
        append(dataset.attributes)
        append(dataset.address)
    }

    private mutating func append(_ attributes: [String: Attribute]) {
        append(attributes.sorted { $0.key < $1.key }) { encoder, entry in
            encoder.append(entry.key)
            switch entry.value {
            case .text(let text):
                encoder.append(0)
                encoder.append(text)
            case .integer(let value):
                encoder.append(1)
                encoder.append(value)
            case .other(let byteCount):
                encoder.append(2)
                encoder.append(byteCount)
            }
        }
    }
}

/// Reads what `Encoder` wrote, believing none of it.
struct Decoder {
    private struct Malformed: Error {}
    private let bytes: [UInt8]
    private var position = 0

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Nil if the bytes are not contents, or not such that fit in a file of this size.
    static func contents(_ bytes: [UInt8], fileSize: Int) -> Contents? {
        var decoder = Decoder(bytes)
        return try? decoder.contents(fileSize)
    }

    static func error(_ bytes: [UInt8]) -> HDF5Error? {
        var decoder = Decoder(bytes)
        return try? decoder.error()
    }

    private mutating func number() throws -> UInt64 {
        guard bytes.count - position >= 8 else { throw Malformed() }
        defer { position += 8 }
        return bytes.withUnsafeBytes {
            UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: position, as: UInt64.self))
        }
    }

    private mutating func integer() throws -> Int { Int(Int64(bitPattern: try number())) }

    private mutating func text() throws -> String {
        let count = try integer()
        guard count >= 0, count <= bytes.count - position else { throw Malformed() }
        defer { position += count }
        return String(decoding: bytes[position..<position + count], as: UTF8.self)
    }

    private mutating func list<Element>(_ each: (inout Decoder) throws -> Element) throws -> [Element] {
        let count = try integer()
        // Every element takes at least 8 bytes.
        guard count >= 0, count <= (bytes.count - position) / 8 else { throw Malformed() }
        var list: [Element] = []
        list.reserveCapacity(count)
        for _ in 0..<count { list.append(try each(&self)) }
        return list
    }

    private mutating func contents(_ fileSize: Int) throws -> Contents {
        var contents = Contents()
        contents.groups = try list { Group(path: try $0.list { try $0.text() }, attributes: try $0.attributes()) }
        contents.datasets = try list { try $0.dataset(fileSize) }
        guard position == bytes.count else { throw Malformed() }
        return contents
    }

    private mutating func dataset(_ fileSize: Int) throws -> Dataset {
        let path = try list { try $0.text() }
        let type = StorageType(rawValue: try text())
        let order = ByteOrder(rawValue: try text())
        let shape = try list { try $0.integer() }
        guard !path.isEmpty, let type, let order, (1...8).contains(shape.count),
            let byteCount = checkedProduct(shape + [type.byteCount])
        else { throw Malformed() }
        let layout: Dataset.Layout
        switch try integer() {
        case 0:
            let offset = try integer()
            if offset == -1, byteCount == 0 {
                layout = .contiguous(offset: nil)
            } else {
                guard offset >= 0, offset <= fileSize, byteCount <= fileSize - offset else { throw Malformed() }
                layout = .contiguous(offset: offset)
            }
        case 1: layout = .compact
        case 2:
            let chunk = try list { try $0.integer() }
            let filters = try list { Dataset.Filter(rawValue: Int32(truncatingIfNeeded: try $0.integer())) }
            guard chunk.count == shape.count, chunk.allSatisfy({ $0 > 0 }), !filters.contains(nil) else {
                throw Malformed()
            }
            layout = .chunked(chunk: chunk, filters: filters.compactMap { $0 })
        default: throw Malformed()
        }
        return Dataset(
            path: path, type: type, order: order, shape: shape, layout: layout, byteCount: byteCount,
            storedBytes: try integer(), attributes: try attributes(), address: try number())
    }

    private mutating func attributes() throws -> [String: Attribute] {
        let entries = try list { decoder -> (String, Attribute) in
            let name = try decoder.text()
            switch try decoder.integer() {
            case 0: return (name, .text(try decoder.text()))
            case 1: return (name, .integer(try decoder.integer()))
            default: return (name, .other(byteCount: try decoder.integer()))
            }
        }
        return Dictionary(entries) { first, _ in first }
    }

    private mutating func error() throws -> HDF5Error {
        guard let kind = HDF5Error.Kind(rawValue: try text()) else { throw Malformed() }
        let file = try text()
        let object = try list { try $0.text() }
        return HDF5Error(kind, file: file, object: object.first, problem: try text(), remedy: try text())
    }
}

/// A child's last word: what it found or why not, whole or not at all.
enum Answer {
    case success([UInt8])
    case failure(HDF5Error)

    private static let end: [UInt8] = Array("nacre.end".utf8)

    static func encode(_ answer: Answer) -> [UInt8] {
        switch answer {
        case .success(let bytes): return [1] + bytes + end
        case .failure(let error):
            var encoder = Encoder()
            encoder.append(error.kind.rawValue)
            encoder.append(error.file)
            encoder.append(error.object.map { [$0] } ?? []) { $0.append($1) }
            encoder.append(error.problem)
            encoder.append(error.remedy)
            return [0] + encoder.bytes + end
        }
    }

    init?(_ bytes: [UInt8]) {
        guard bytes.count > Self.end.count, bytes.suffix(Self.end.count).elementsEqual(Self.end) else { return nil }
        let body = Array(bytes[1..<bytes.count - Self.end.count])
        if bytes[0] == 1 {
            self = .success(body)
        } else if let error = Decoder.error(body) {
            self = .failure(error)
        } else {
            return nil
        }
    }
}
