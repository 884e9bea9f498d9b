package import LinearAlgebra
package import Sites

extension Precision {
    /// Returns what recipes record of the precision: its name, and the processor's matrix unit if the bits depend on
    /// it, because its sums differ from those of the same operands elsewhere.
    package func arithmetic(on level: KernelLevel) -> String {
        rawValue + (self == .bf16 && level.hasMatrixUnit ? ", matrix unit" : "")
    }

    package func arithmetic(on kernel: Kernel) -> String { arithmetic(on: kernel.level) }
}
