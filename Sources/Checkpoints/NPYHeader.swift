internal import LinearAlgebra

/// What the head of a .npy file says of the array after it (NumPy Enhancement Proposal 1; versions 1, 2 and 3).
///
/// The head is a Python dictionary of three known keys. It is read as that, character by character, and never
/// evaluated: anything else in it is an error.
struct NPYHeader: Equatable {
    static let signature: [UInt8] = [0x93] + Array("NUMPY".utf8)
    /// Signature, version, and the longest form of the head's length.
    static let prefixCount = 12
    /// Bytes of a head, which are some hundred in an honest file.
    static let byteLimit = 65_536

    var type: ElementType
    var isBigEndian: Bool
    /// Whether the first index varies fastest.
    var isColumnMajor: Bool
    var shape: [Int]

    /// Where the head lies, by a file's first `prefixCount` bytes, of which there may be fewer.
    static func range(_ prefix: [UInt8], path: String) throws -> Range<Int> {
        func failure(_ kind: CheckpointError.Kind, _ problem: String, _ remedy: String) -> CheckpointError {
            CheckpointError(kind, file: path, problem: problem, remedy: remedy)
        }
        let again = "copy it again from where it came"
        guard prefix.starts(with: signature) else {
            throw failure(.format, "this is no .npy file", "write one with numpy.save")
        }
        guard prefix.count == prefixCount else { throw failure(.truncated, "the file ends inside its head", again) }
        let (major, minor) = (prefix[6], prefix[7])
        guard (1...3).contains(major), minor == 0 else {
            throw failure(
                .version, "it has format version \(major).\(minor), and this program knows 1.0, 2.0 and 3.0",
                "save it anew with numpy.save")
        }
        // Two bytes in version 1, four since; little-endian.
        let start = major == 1 ? 10 : 12
        let length = prefix[8..<start].reversed().reduce(0) { $0 << 8 | Int($1) }
        guard length <= byteLimit else {
            throw failure(
                .limit, "its head would have \(length) bytes, more than \(byteLimit)", "the file is damaged or forged")
        }
        return start..<start + length
    }

    init(_ bytes: [UInt8], path: String) throws {
        func failure(_ kind: CheckpointError.Kind, _ problem: String, _ remedy: String) -> CheckpointError {
            CheckpointError(kind, file: path, problem: problem, remedy: remedy)
        }
        var scanner = Scanner(bytes)
        guard let fields = scanner.dictionary(), let order = fields.isColumnMajor, let shape = fields.shape,
            let kind = fields.type
        else {
            throw failure(
                .format, "its head is no dictionary of descr, fortran_order and shape",
                "the file is damaged or forged; save it anew with numpy.save")
        }
        guard case .text(let code) = kind else {
            throw failure(
                .type, "its elements are records of several fields", "save one array of numbers: a[\"field\"]")
        }
        isColumnMajor = order
        self.shape = shape
        do throws(TypeError) {
            (type, isBigEndian) = try Self.element(code)
        } catch {
            throw failure(.type, "its elements are \(error.kind) (\(code))", error.remedy)
        }
    }

    // MARK: Element types

    private struct TypeError: Error {
        let kind: String
        var remedy = "save numbers: numpy.save(FILE, a.astype(\"float32\"))"
    }

    /// `<f4`, `|u1`, `>i8`: byte order, kind, bytes.
    private static func element(_ code: String) throws(TypeError) -> (ElementType, isBigEndian: Bool) {
        let order = code.first ?? " "
        let rest = code.dropFirst()
        let types: [Substring: ElementType] = [
            "f2": .f16, "f4": .f32, "f8": .f64, "i1": .i8, "i2": .i16, "i4": .i32, "i8": .i64, "u1": .u8, "u2": .u16,
            "u4": .u32, "u8": .u64,
        ]
        if let type = types[rest], order == "<" || order == ">" || order == "|" && type.byteCount == 1 {
            return (type, order == ">")
        }
        switch rest.first {
        case "O":
            throw TypeError(
                kind: "Python objects, which only running code from the file could read",
                remedy: "save numbers instead: numpy.save(FILE, numpy.stack(a).astype(\"float32\"))")
        case "c": throw TypeError(kind: "complex numbers", remedy: "save a.real and a.imag, or abs(a)")
        case "b": throw TypeError(kind: "truth values")
        case "S", "U", "a": throw TypeError(kind: "texts")
        case "M", "m": throw TypeError(kind: "times")
        case "V": throw TypeError(kind: "raw bytes, as which bfloat16 is saved")
        default: throw TypeError(kind: "of a type that is not known")
        }
    }

    // MARK: The dictionary

    private struct Fields {
        enum Kind {
            case text(String)
            case records
        }

        var type: Kind?
        var isColumnMajor: Bool?
        var shape: [Int]?
    }

    private struct Scanner {
        private let bytes: [UInt8]
        private var index = 0

        init(_ bytes: [UInt8]) { self.bytes = bytes }

        /// The whole head; nil if it is anything but the three keys, each once, and blanks.
        mutating func dictionary() -> Fields? {
            var fields = Fields()
            guard take("{") else { return nil }
            while !take("}") {
                guard let key = text(), take(":") else { return nil }
                switch key {
                case "descr" where fields.type == nil:
                    if peek() == UInt8(ascii: "[") {
                        // Records are not read, so neither is what follows.
                        fields.type = .records
                        fields.isColumnMajor = false
                        fields.shape = []
                        return fields
                    }
                    guard let code = text() else { return nil }
                    fields.type = .text(code)
                case "fortran_order" where fields.isColumnMajor == nil:
                    if word("True") {
                        fields.isColumnMajor = true
                    } else if word("False") {
                        fields.isColumnMajor = false
                    } else {
                        return nil
                    }
                case "shape" where fields.shape == nil:
                    guard let shape = tuple() else { return nil }
                    fields.shape = shape
                default: return nil
                }
                if !take(","), peek() != UInt8(ascii: "}") { return nil }
            }
            return peek() == nil ? fields : nil
        }

        /// The next byte that is no blank; nil at the end.
        private mutating func peek() -> UInt8? {
            while index < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[index]) { index += 1 }
            return index < bytes.count ? bytes[index] : nil
        }

        private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
            guard peek() == UInt8(ascii: scalar) else { return false }
            index += 1
            return true
        }

        private mutating func word(_ word: String) -> Bool {
            guard peek() != nil, bytes[index...].starts(with: word.utf8) else { return false }
            index += word.utf8.count
            return true
        }

        /// Printable ASCII between quotes of one kind, without escapes.
        private mutating func text() -> String? {
            guard let quote = peek(), quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else { return nil }
            guard let end = bytes[(index + 1)...].firstIndex(of: quote) else { return nil }
            let inside = bytes[index + 1..<end]
            guard inside.allSatisfy({ (0x20...0x7E).contains($0) && $0 != UInt8(ascii: "\\") }) else { return nil }
            index = end + 1
            return String(decoding: inside, as: UTF8.self)
        }

        /// `(3, 4)`, `(3,)`, `()`.
        private mutating func tuple() -> [Int]? {
            guard take("(") else { return nil }
            var numbers: [Int] = []
            while !take(")") {
                guard let number = number() else { return nil }
                numbers.append(number)
                if !take(",") {
                    // One number in brackets is no tuple.
                    return numbers.count > 1 && take(")") ? numbers : nil
                }
            }
            return numbers
        }

        private mutating func number() -> Int? {
            guard peek() != nil else { return nil }
            let digits = bytes[index...].prefix { (0x30...0x39).contains($0) }
            index += digits.count
            return Int(String(decoding: digits, as: UTF8.self))
        }
    }
}
