import LinearAlgebra
import Statistics

/// Computes the largest eigenvalue of a positive semidefinite matrix by Lanczos's method with full reorthogonalisation.
enum LargestEigenvalue {
    /// - Parameters:
    ///   - matrix: a positive semidefinite matrix, [size, size], with both triangles filled in.
    ///   - steps: the number of Lanczos iterations; after 40, the value of a noise spectrum is right to about 1e-6 of
    ///     itself.
    static func of(_ matrix: [Double], size: Int, steps: Int = 40) throws -> Double {
        guard size > 0 else { return 0 }
        var random = SeededRandom(seed: 0)
        var vector = random.normal(count: size)
        let norm = Arithmetic.norm(vector)
        vector = vector.map { $0 / norm }
        var basis: [[Double]] = []
        var diagonal: [Double] = []
        var coupling: [Double] = []
        for step in 0..<min(steps, size) {
            basis.append(vector)
            var image = (0..<size).map { Arithmetic.dot(matrix, $0 * size, vector) }
            diagonal.append(Arithmetic.dot(image, 0, vector))
            for _ in 0..<2 {
                for other in basis {
                    Arithmetic.add(other, 0, times: -Arithmetic.dot(image, 0, other), to: &image)
                }
            }
            let rest = Arithmetic.norm(image)
            guard step + 1 < min(steps, size), rest > 1e-13 * abs(diagonal[0]) else { break }
            coupling.append(rest)
            vector = image.map { $0 / rest }
        }
        let k = diagonal.count
        var tridiagonal = [Double](repeating: 0, count: k * k)
        for index in 0..<k {
            tridiagonal[index * k + index] = diagonal[index]
            if index + 1 < k {
                tridiagonal[index * k + index + 1] = coupling[index]
                tridiagonal[(index + 1) * k + index] = coupling[index]
            }
        }
        return max(0, try SymmetricEigen(of: tridiagonal, size: k, vectors: false).values[0])
    }
}
