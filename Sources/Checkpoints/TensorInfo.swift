internal import HDF5
package import LinearAlgebra

/// One line of a checkpoint's index.
package struct TensorInfo: Sendable, Equatable {
    /// The state-dict key.
    package let name: String
    package let type: ElementType
    package let shape: [Int]
    /// Decoded size.
    package let byteCount: Int
    /// Where its bytes are in the file, if they are used from there; nil for what must be decoded.
    package let offset: Int?
    /// How it is stored: "contiguous", "chunked 64 x 64, shuffle, deflate", "contiguous, big-endian".
    package let storage: String
    /// SHA-256 that the file records for its bytes.
    package let digest: String?
    /// The file's name for elements that are listed but can't be read, such as "F8_E4M3"; `type` is then bytes.
    package let unreadableType: String?

    /// For a listing: "bf16", "F8_E4M3".
    package var typeName: String { unreadableType ?? type.rawValue }

    /// Number of elements.
    package var count: Int { unreadableType == nil ? byteCount / type.byteCount : shape.reduce(1, *) }
}

extension ElementType {
    /// As reports write it: `bf16`.
    package var name: String { rawValue }

    init(_ type: StorageType) {
        switch type {
        case .float16: self = .f16
        case .bfloat16: self = .bf16
        case .float32: self = .f32
        case .float64: self = .f64
        case .int8: self = .i8
        case .int16: self = .i16
        case .int32: self = .i32
        case .int64: self = .i64
        case .uint8: self = .u8
        case .uint16: self = .u16
        case .uint32: self = .u32
        case .uint64: self = .u64
        }
    }

    var storage: StorageType {
        switch self {
        case .f16: .float16
        case .bf16: .bfloat16
        case .f32: .float32
        case .f64: .float64
        case .i8: .int8
        case .i16: .int16
        case .i32: .int32
        case .i64: .int64
        case .u8: .uint8
        case .u16: .uint16
        case .u32: .uint32
        case .u64: .uint64
        }
    }
}
