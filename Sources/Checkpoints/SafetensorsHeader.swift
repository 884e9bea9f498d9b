internal import HDF5
import JSON
internal import LinearAlgebra
import TerminalText
internal import Tokenizers

/// What the header of a safetensors file says, checked against the file's size and against itself.
///
/// Format: github.com/huggingface/safetensors, README, "Format". Nothing may overlap, and no byte may belong to nothing.
struct SafetensorsHeader {
    struct Tensor: Equatable {
        let name: String
        /// The file's name for it: "BF16".
        let type: String
        let shape: [Int]
        /// Bytes of the byte buffer, which follows the header.
        let range: Range<Int>
    }

    /// In order of their bytes.
    let tensors: [Tensor]

    /// The format's own limit on the length of a header.
    static let byteLimit = 100_000_000

    /// Bits of an element, and how nacre reads it; nil for what is listed but can't be read.
    static let types: [String: (bits: Int, element: ElementType?)] = [
        "F64": (64, .f64), "F32": (32, .f32), "F16": (16, .f16), "BF16": (16, .bf16),
        "I64": (64, .i64), "I32": (32, .i32), "I16": (16, .i16), "I8": (8, .i8),
        "U64": (64, .u64), "U32": (32, .u32), "U16": (16, .u16), "U8": (8, .u8),
        // Truth values are bytes 0 and 1, as in HDF5 files of h5py.
        "BOOL": (8, .u8),
        "F8_E4M3": (8, nil), "F8_E5M2": (8, nil), "F8_E8M0": (8, nil), "F8_E4M3FNUZ": (8, nil),
        "F8_E5M2FNUZ": (8, nil), "F6_E2M3": (6, nil), "F6_E3M2": (6, nil), "F4": (4, nil), "C64": (64, nil),
    ]

    /// - Parameters:
    ///   - text: the header's bytes.
    ///   - dataCount: bytes of the file after the header.
    ///   - path: for errors.
    init(_ text: [UInt8], dataCount: Int, path: String, limits: Limits) throws {
        guard text.first == UInt8(ascii: "{") else {
            throw CheckpointError(
                .format, file: path, problem: "its header does not begin with {",
                remedy: "this is no safetensors file, or a damaged one; copy it again from where it came")
        }
        let json = try parseTensorList(text, subject: "its header", path: path, limits: limits)
        let parser = Parser(path: path, dataCount: dataCount, limits: limits)
        guard case .object(let members) = json else { throw parser.error(.format, nil, "its header is no JSON object") }
        try parser.refuseDuplicates(members, nil, "its header")
        guard members.count <= limits.objects else {
            throw CheckpointError(
                .limit, file: path, problem: "it has \(members.count) tensors, more than \(limits.objects)",
                remedy: "it is beyond the limit `objects`, see show limits")
        }
        var tensors: [Tensor] = []
        for member in members {
            if member.key == "__metadata__" {
                try parser.checkMetadata(member.value)
            } else {
                tensors.append(try parser.tensor(member.key, member.value))
            }
        }
        tensors.sort { ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound) }
        try parser.checkCoverage(tensors)
        self.tensors = tensors
    }
}

private struct Parser {
    let path: String
    let dataCount: Int
    let limits: Limits

    func error(
        _ kind: CheckpointError.Kind, _ name: String?, _ problem: String,
        remedy: String = "the file is damaged or forged; copy it again from where it came"
    ) -> CheckpointError {
        CheckpointError(kind, file: path, object: name, problem: problem, remedy: remedy)
    }

    func refuseDuplicates(_ object: JSONObject, _ name: String?, _ what: String) throws {
        guard let key = object.duplicateKeys.first else { return }
        throw error(.name, name, "\(what) has the key \"\(key.escapedForTerminal(limit: 200))\" twice")
    }

    /// A map from text to text; what it says is not used.
    func checkMetadata(_ value: JSONValue) throws {
        guard let object = value.object else { throw error(.format, "__metadata__", "it is \(value.kind), no object") }
        try refuseDuplicates(object, "__metadata__", "it")
        if let member = object.first(where: { $0.value.string == nil }) {
            throw error(
                .format, "__metadata__",
                "\"\(member.key.escapedForTerminal(limit: 60))\" is \(member.value.kind), no text")
        }
    }

    func tensor(_ name: String, _ value: JSONValue) throws -> SafetensorsHeader.Tensor {
        guard !name.isEmpty else { throw error(.name, nil, "it has a tensor without a name") }
        guard name.utf8.count <= limits.nameBytes else {
            throw error(
                .limit, name, "its name has \(name.utf8.count) bytes, more than \(limits.nameBytes)",
                remedy: "it is beyond the limit `nameBytes`, see show limits")
        }
        guard let object = value.object else { throw error(.format, name, "it is \(value.kind), no object") }
        try refuseDuplicates(object, name, "it")
        guard let type = object["dtype"]?.string else { throw error(.format, name, "its dtype is missing, or no text") }
        guard let shape = integers(object["shape"]) else {
            throw error(.format, name, "its shape is missing, or no list of whole numbers from 0")
        }
        guard let offsets = integers(object["data_offsets"]), offsets.count == 2 else {
            throw error(.format, name, "its data_offsets are missing, or no two whole numbers from 0")
        }
        guard shape.count <= 8 else {
            throw error(.inconsistent, name, "it has \(shape.count) dimensions, more than 8")
        }
        guard offsets[0] <= offsets[1] else {
            throw error(.inconsistent, name, "its bytes end at \(offsets[1]), before they begin at \(offsets[0])")
        }
        guard offsets[1] <= dataCount else {
            throw error(
                .truncated, name, "its bytes go to \(offsets[1]), but only \(dataCount) follow the header",
                remedy: "the file was not copied whole; copy it again from where it came")
        }
        let extents = shape.map(String.init).joined(separator: " x ")
        // Elements may be smaller than a byte.
        guard let count = checkedProduct(shape), let bits = checkedProduct([count, bits(type)]) else {
            throw error(.inconsistent, name, "its shape \(extents) overflows")
        }
        let size = offsets[1] - offsets[0]
        if SafetensorsHeader.types[type] != nil, bits % 8 != 0 || bits / 8 != size {
            let isWhole = bits % 8 == 0
            let needed = isWhole ? "\(bits / 8) bytes, but it has \(size)" : "\(bits) bits, but it has \(size * 8)"
            throw error(
                .inconsistent, name,
                "its shape \(shapeText(shape)) of \(type) needs \(needed)")
        }
        // An unknown type has at least one bit for an element; sums of elements can then not overflow either.
        guard SafetensorsHeader.types[type] != nil || count / 8 <= size else {
            throw error(
                .inconsistent, name,
                "its shape \(shapeText(shape)) can't be in \(size) bytes")
        }
        return SafetensorsHeader.Tensor(name: name, type: type, shape: shape, range: offsets[0]..<offsets[1])
    }

    /// Nothing is known of the size of an unknown type: 1 serves for the product of the shape.
    private func bits(_ type: String) -> Int { SafetensorsHeader.types[type]?.bits ?? 1 }

    private func integers(_ value: JSONValue?) -> [Int]? {
        guard let values = value?.array else { return nil }
        let numbers = values.compactMap { $0.int.flatMap { $0 >= 0 ? $0 : nil } }
        return numbers.count == values.count ? numbers : nil
    }

    /// Every byte after the header belongs to exactly one tensor.
    func checkCoverage(_ tensors: [SafetensorsHeader.Tensor]) throws {
        var end = 0
        var previous: String?
        for tensor in tensors {
            let begin = tensor.range.lowerBound
            if begin < end {
                throw error(
                    .inconsistent, tensor.name,
                    "its bytes overlap those of \((previous ?? "").escapedForTerminal(limit: 200))")
            }
            if begin > end {
                throw error(.inconsistent, tensor.name, "the \(begin - end) bytes before its own belong to no tensor")
            }
            end = tensor.range.upperBound
            previous = tensor.name
        }
        if end < dataCount {
            throw error(.inconsistent, nil, "its last \(dataCount - end) bytes belong to no tensor")
        }
    }
}
