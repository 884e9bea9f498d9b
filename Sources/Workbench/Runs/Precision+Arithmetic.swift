package import LinearAlgebra
package import Sites

extension Precision {
    /// What recipes say of it: the precision, and the unit that multiplies where bits depend on it. The matrix unit's sums
    /// differ from those of the same operands elsewhere.
    package func arithmetic(on level: KernelLevel) -> String {
        rawValue + (self == .bf16 && level.hasMatrixUnit ? ", matrix unit" : "")
    }

    package func arithmetic(on kernel: Kernel) -> String { arithmetic(on: kernel.level) }
}
