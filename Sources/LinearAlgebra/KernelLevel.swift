internal import CKernels

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// The instructions that matrix products are computed with.
///
/// Products in f32 are the same bits on every level: the order of summation is the kernel's own. `amx` is AVX-512 for
/// them, and the processor's matrix unit for operands of bf16, whose sums have another order.
package enum KernelLevel: String, Sendable, CaseIterable {
    case portable, avx2, avx512, amx, neon

    /// The levels that this processor has, the fastest last.
    package static let available = allCases.filter(\.isAvailable)

    /// The fastest level that this processor has.
    package static let fastest = available.last ?? .portable

    /// The level named by `$NACRE_KERNEL` if this processor has it, otherwise the fastest.
    package static let standard = requested.flatMap { $0.isAvailable ? $0 : nil } ?? fastest

    /// The value of `$NACRE_KERNEL`; nil where it is not set, or is `auto`.
    package static let environment: String? = getenv(environmentName).map { String(cString: $0) }.flatMap {
        $0 == "auto" || $0.isEmpty ? nil : $0
    }

    package static let environmentName = "NACRE_KERNEL"

    private static let requested = environment.flatMap(KernelLevel.init)

    /// Whether this processor, and the system that it runs, can execute the level.
    package var isAvailable: Bool {
        if self == .amx { return kernel_has_amx() != 0 }
        return kernel_has(number) != 0
    }

    /// The level that products in f32 are computed with: the matrix unit has none of its own.
    package var ofF32: KernelLevel { self == .amx ? .avx512 : self }

    /// Whether operands of bf16 are multiplied by the matrix unit, in its own order of summation.
    package var hasMatrixUnit: Bool { self == .amx }

    var number: Int32 {
        switch self {
        case .portable: Int32(KERNEL_PORTABLE.rawValue)
        case .avx2: Int32(KERNEL_AVX2.rawValue)
        case .avx512, .amx: Int32(KERNEL_AVX512.rawValue)
        case .neon: Int32(KERNEL_NEON.rawValue)
        }
    }

    init(number: Int32) {
        switch number {
        case KernelLevel.avx2.number: self = .avx2
        case KernelLevel.avx512.number: self = .avx512
        case KernelLevel.neon.number: self = .neon
        default: self = .portable
        }
    }
}
