package import LinearAlgebra
package import Sites

extension Precision {
    /// Returns what recipes record of a precision: its name, and the unit that multiplies if the bits depend on it. The
    /// matrix unit's sums differ from those of the same operands elsewhere.
    package func arithmetic(on level: KernelLevel) -> String {
        rawValue + (self == .bf16 && level.hasMatrixUnit ? ", matrix unit" : "")
    }

    package func arithmetic(on kernel: Kernel) -> String { arithmetic(on: kernel.level) }
}
