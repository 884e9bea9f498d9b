internal import LinearAlgebra

/// Eigenvalues of many patches of one size, a batch at a time: each task of a thread pool has one of its own.
///
/// Patches are handed out in the order of adding, when a batch is full and at `finish`; which patches share a batch does
/// not change their bits.
package final class PatchEigenvalues {
    /// Above this size a batch would hold more than 34 MB, and LAPACK is nearly as fast.
    static let largestBatched = 1024

    /// Points of each patch.
    package let size: Int
    /// Coordinates of each point: eigenvalues beyond min(size, width) are 0 by construction and left out.
    package let width: Int
    private let solver: SymmetricEigenvalues?
    private var patches: [Int] = []

    /// - Parameters:
    ///   - size: k, at least 2.
    ///   - width: D.
    /// - Throws: `GeometryError`.
    package init(size: Int, width: Int) throws {
        guard size >= 2 else { throw GeometryError.tooFewPoints(found: size, needed: 2) }
        self.size = size
        self.width = width
        solver = size <= Self.largestBatched ? SymmetricEigenvalues(size: size) : nil
    }

    /// - Parameters:
    ///   - kernel: a patch of `size` points; it is copied.
    ///   - patch: the number that its eigenvalues come back under.
    ///   - deliver: gets a patch's number and its eigenvalues, largest first, as `LocalPCARule` reads them.
    /// - Throws: `GeometryError` for NaN, `LinearAlgebraError`, and what `deliver` throws.
    package func add(
        _ kernel: borrowing PatchKernel, patch: Int, deliver: (_ patch: Int, _ eigenvalues: [Double]) throws -> Void
    ) throws {
        precondition(kernel.size == size, "a patch of \(kernel.size) points among patches of \(size)")
        guard let solver else {
            try deliver(patch, LocalPCA.eigenvalues(kernel, width: width))
            return
        }
        let isFinite = kernel.values.withUnsafeBufferPointer { solver.add($0.baseAddress!) }
        guard isFinite else { throw GeometryError.kernelNotFinite }
        patches.append(patch)
        if solver.isFull { try finish(deliver: deliver) }
    }

    /// Hands out what is left of the last batch.
    package func finish(deliver: (_ patch: Int, _ eigenvalues: [Double]) throws -> Void) throws {
        guard let solver else { return }
        let numbers = patches
        patches.removeAll(keepingCapacity: true)
        for (patch, values) in zip(numbers, try solver.solve()) {
            try deliver(patch, LocalPCA.eigenvalues(ofKernel: values, width: width))
        }
    }
}
