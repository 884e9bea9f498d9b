/// The type of one element of a stored tensor.
///
/// Only the floating-point types can be read as numbers by the engine; integers are listed and shown.
package enum ElementType: String, Sendable, CaseIterable, Codable {
    case f64, f32, f16, bf16
    case i8, i16, i32, i64
    case u8, u16, u32, u64

    /// Bytes an element takes in a file and in memory.
    package var byteCount: Int {
        switch self {
        case .i8, .u8: 1
        case .f16, .bf16, .i16, .u16: 2
        case .f32, .i32, .u32: 4
        case .f64, .i64, .u64: 8
        }
    }

    package var isFloatingPoint: Bool {
        switch self {
        case .f64, .f32, .f16, .bf16: true
        default: false
        }
    }
}
