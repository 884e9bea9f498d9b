internal import CHDF5

/// The number types this module reads and writes.
package enum StorageType: String, Sendable, CaseIterable {
    case float16, bfloat16, float32, float64
    case int8, int16, int32, int64
    case uint8, uint16, uint32, uint64

    package var byteCount: Int {
        switch self {
        case .int8, .uint8: 1
        case .float16, .bfloat16, .int16, .uint16: 2
        case .float32, .int32, .uint32: 4
        case .float64, .int64, .uint64: 8
        }
    }

    /// A new little-endian HDF5 type; negative on failure.
    func makeFileType() -> hid_t {
        switch self {
        case .float16: nh5_float_of_16_bits(5, 15)
        case .bfloat16: nh5_float_of_16_bits(8, 127)
        case .float32: nh5_float32()
        case .float64: nh5_float64()
        case .int8, .int16, .int32, .int64: nh5_integer(UInt32(byteCount), 1)
        case .uint8, .uint16, .uint32, .uint64: nh5_integer(UInt32(byteCount), 0)
        }
    }

    /// Recognises an integer of 1, 2, 4 or 8 whole bytes, an IEEE 754 float of 16, 32 or 64 bits, or bfloat16.
    /// An enumeration over a 1-byte integer is how h5py stores truth values, and counts as that integer.
    static func recognise(_ type: hid_t) -> (type: StorageType, order: ByteOrder)? {
        let size = H5Tget_size(type)
        let kind = H5Tget_class(type)
        if kind == H5T_ENUM {
            let base = H5Tget_super(type)
            guard base >= 0 else { return nil }
            defer { _ = H5Tclose(base) }
            guard H5Tget_class(base) == H5T_INTEGER, H5Tget_size(base) == 1 else { return nil }
            return recognise(base)
        }
        guard kind == H5T_INTEGER || kind == H5T_FLOAT, [1, 2, 4, 8].contains(size),
            H5Tget_precision(type) == size * 8, H5Tget_offset(type) == 0
        else { return nil }
        let order: ByteOrder
        switch H5Tget_order(type) {
        case H5T_ORDER_LE: order = .little
        case H5T_ORDER_BE: order = .big
        default: return nil
        }
        if kind == H5T_INTEGER {
            let signed = H5Tget_sign(type) == H5T_SGN_2
            let types: [Int: StorageType] =
                signed
                ? [1: .int8, 2: .int16, 4: .int32, 8: .int64] : [1: .uint8, 2: .uint16, 4: .uint32, 8: .uint64]
            return types[size].map { ($0, order) }
        }
        return recogniseFloat(type).map { ($0, order) }
    }

    private static func recogniseFloat(_ type: hid_t) -> StorageType? {
        var sign = 0
        var exponentAt = 0
        var exponentBits = 0
        var mantissaAt = 0
        var mantissaBits = 0
        guard H5Tget_fields(type, &sign, &exponentAt, &exponentBits, &mantissaAt, &mantissaBits) >= 0,
            H5Tget_norm(type) == H5T_NORM_IMPLIED, mantissaAt == 0, exponentAt == mantissaBits,
            sign == exponentAt + exponentBits
        else { return nil }
        switch (mantissaBits, exponentBits, H5Tget_ebias(type), H5Tget_size(type)) {
        case (10, 5, 15, 2): return .float16
        case (7, 8, 127, 2): return .bfloat16
        case (23, 8, 127, 4): return .float32
        case (52, 11, 1023, 8): return .float64
        default: return nil
        }
    }
}

package enum ByteOrder: String, Sendable {
    case little, big
}
