internal import COpenBLAS

/// Eigenvalues, without vectors, of many small symmetric matrices of one size: eight at a time, one in each SIMD lane.
///
/// A matrix of 100 rows is too small for LAPACK to keep the processor busy: `dsyevd` takes 0.42 ms for it where this
/// takes 0.09 ms. Householder's reduction to a tridiagonal matrix (from the last row up, as EISPACK's tred1; the update of
/// one step and the product of the next share a pass), then QL without square roots as LAPACK's `dsterf` (Pal, Walker
/// and Kahan). Errors are a small multiple of 2^-52 of the largest eigenvalue.
///
/// Holds the memory for a batch; belongs to one thread at a time.
package final class SymmetricEigenvalues {
    /// Matrices in a full batch.
    package static let lanes = 8

    typealias Half = SIMD4<Double>
    typealias Lanes = SIMD8<Double>
    typealias Mask = SIMDMask<Lanes.MaskStorage>

    package let size: Int
    /// Matrices added since the last `solve`.
    package private(set) var count = 0

    // Rows of the lower triangle, one after another: two halves of four matrices, so that the reduction's inner loop
    // finds room in 16 registers.
    private let triangle: UnsafeMutablePointer<Half>
    private let triangleCount: Int
    private let vectors: UnsafeMutablePointer<Half>
    private let diagonal: UnsafeMutablePointer<Lanes>
    // Element i couples i and i + 1; squared while QL runs.
    private let offDiagonal: UnsafeMutablePointer<Lanes>
    // Powers of two that bring each matrix's largest element to 1...2.
    private var scales = [Double](repeating: 1, count: lanes)

    /// - Parameter size: rows of each matrix, 1 or more.
    package init(size: Int) {
        precondition(size >= 1 && size <= 1 << 15, "symmetric matrices of size \(size)")
        self.size = size
        triangleCount = size * (size + 1) / 2
        triangle = .allocate(capacity: 2 * triangleCount)
        vectors = .allocate(capacity: 4 * size)
        diagonal = .allocate(capacity: 2 * size)
        offDiagonal = .allocate(capacity: 2 * size)
        triangle.initialize(repeating: .zero, count: 2 * triangleCount)
        vectors.initialize(repeating: .zero, count: 4 * size)
        diagonal.initialize(repeating: .zero, count: 2 * size)
        offDiagonal.initialize(repeating: .zero, count: 2 * size)
    }

    deinit {
        triangle.deallocate()
        vectors.deallocate()
        diagonal.deallocate()
        offDiagonal.deallocate()
    }

    package var isFull: Bool { count == Self.lanes }

    /// Takes a matrix into the batch, which must not be full.
    ///
    /// - Parameter matrix: [size, size] row-major; only the lower triangle is read.
    /// - Returns: false, with nothing added, if it holds NaN or Inf.
    package func add(_ matrix: UnsafePointer<Double>) -> Bool {
        precondition(count < Self.lanes, "a ninth matrix in a batch of eight")
        var largest = 0.0
        for row in 0..<size {
            let elements = matrix + row * size
            for column in 0...row {
                let magnitude = abs(elements[column])
                // NaN fails every comparison that Inf passes.
                guard magnitude <= Double.greatestFiniteMagnitude else { return false }
                largest = max(largest, magnitude)
            }
        }
        let scale = largest > 0 ? Double(sign: .plus, exponent: -largest.exponent.clamped, significand: 1) : 1
        scales[count] = scale
        let start = UnsafeMutableRawPointer(triangle + (count >> 2) * triangleCount).assumingMemoryBound(
            to: Double.self)
        var place = start + (count & 3)
        for row in 0..<size {
            let elements = matrix + row * size
            for column in 0...row {
                place.pointee = elements[column] * scale
                place += 4
            }
        }
        count += 1
        return true
    }

    /// Solves for the matrices added, and empties the batch.
    ///
    /// - Returns: eigenvalues of each matrix in the order of adding, largest first.
    /// - Throws: `LinearAlgebraError.lapack` if there is no convergence.
    package func solve() throws -> [[Double]] {
        guard count > 0 else { return [] }
        defer { count = 0 }
        // What a lane holds of an earlier batch does no harm, but would take time.
        for half in 0...((count - 1) >> 2) {
            for lane in max(0, count - 4 * half)..<max(4, count - 4 * half) where lane < 4 {
                clear(half: half, lane: lane)
            }
            reduce(half: half)
        }
        if count <= 4 { clearUpperHalf() }
        let saved = (diagonal + size, offDiagonal + size)
        saved.0.update(from: diagonal, count: size)
        saved.1.update(from: offDiagonal, count: size)
        for index in 0..<size { offDiagonal[index] *= offDiagonal[index] }
        let failed = Self.rootFreeQL(diagonal, offDiagonal, size)
        return try (0..<count).map { lane in
            var values: [Double]
            if !failed[lane] {
                values = (0..<size).map { diagonal[$0][lane] }
                values.sort(by: >)
            } else {
                values = try solveAlone((0..<size).map { saved.0[$0][lane] }, (0..<size).map { saved.1[$0][lane] })
            }
            let scale = scales[lane]
            return values.map { $0 / scale }
        }
    }

    /// LAPACK's own QL, for a matrix that would not converge.
    private func solveAlone(_ diagonal: [Double], _ offDiagonal: [Double]) throws -> [Double] {
        var (d, e) = (diagonal, offDiagonal)
        var n = Int32(size)
        var info: Int32 = 0
        dsterf_(&n, &d, &e, &info)
        guard info == 0 else { throw LinearAlgebraError.lapack(routine: "dsterf", info: Int(info)) }
        return d.reversed()
    }

    private func clear(half: Int, lane: Int) {
        let start = triangle + half * triangleCount
        for index in 0..<triangleCount { start[index][lane] = 0 }
    }

    private func clearUpperHalf() {
        for index in 0..<size {
            diagonal[index].highHalf = .zero
            offDiagonal[index].highHalf = .zero
        }
    }

    /// Householder's reduction of four matrices; fills their lanes of `diagonal` and `offDiagonal`.
    private func reduce(half: Int) {
        let n = size
        let a = triangle + half * triangleCount
        // A <- A - v q' - q v' of the step before is done together with p <- A u of this one.
        var (v, q, u, p) = (vectors, vectors + n, vectors + 2 * n, vectors + 3 * n)
        for index in 0..<n { (v[index], q[index]) = (.zero, .zero) }
        var i = n - 1
        while i >= 1 {
            let row = a + i * (i + 1) / 2
            let (vi, qi) = (v[i], q[i])
            for c in 0...i { row[c] = row[c] - vi * q[c] - qi * v[c] }
            set(half, &diagonal[i], row[i])
            // The reflection takes row[0..<i] to a multiple of its last unit vector.
            var rest = Half.zero
            for c in 0..<(i - 1) {
                u[c] = row[c]
                rest += row[c] * row[c]
            }
            let last = row[i - 1]
            let square = last * last + rest
            let norm = square.squareRoot()
            let image = norm.replacing(with: -norm, where: last .>= 0)
            let isDone = rest .== 0
            set(half, &offDiagonal[i - 1], image.replacing(with: last, where: isDone))
            u[i - 1] = (last - image).replacing(with: 0, where: isDone)
            let inverse = (1 / (square - last * image)).replacing(with: 0, where: isDone)
            Self.update(a, size: i, v: v, q: q, u: u, p: p)
            var k = Half.zero
            for c in 0..<i {
                p[c] *= inverse
                k += p[c] * u[c]
            }
            k *= 0.5 * inverse
            for c in 0..<i { p[c] -= k * u[c] }
            swap(&v, &u)
            swap(&q, &p)
            i -= 1
        }
        set(half, &diagonal[0], a[0] - 2 * v[0] * q[0])
        set(half, &offDiagonal[n - 1], .zero)
    }

    private func set(_ half: Int, _ target: inout Lanes, _ value: Half) {
        if half == 0 { target.lowHalf = value } else { target.highHalf = value }
    }

    /// A <- A - v q' - q v' and p <- A u for the leading rows of a lower triangle, two rows at a time.
    ///
    /// `addingProduct` is a fused multiply-add of all lanes here, 2.6 times as fast as `+ x * y`.
    private static func update(
        _ a: UnsafeMutablePointer<Half>, size m: Int, v: UnsafeMutablePointer<Half>, q: UnsafeMutablePointer<Half>,
        u: UnsafeMutablePointer<Half>, p: UnsafeMutablePointer<Half>
    ) {
        for c in 0..<m { p[c] = .zero }
        var r = 0
        if m & 1 == 1 {
            a[0] -= 2 * v[0] * q[0]
            p[0] = a[0] * u[0]
            r = 1
        }
        while r < m {
            let r0 = a + r * (r + 1) / 2
            let r1 = r0 + (r + 1)
            let (v0, q0, u0) = (-v[r], -q[r], u[r])
            let (v1, q1, u1) = (-v[r + 1], -q[r + 1], u[r + 1])
            var (s0, s1) = (Half.zero, Half.zero)
            for c in 0..<r {
                let (vc, qc, uc) = (v[c], q[c], u[c])
                let x = r0[c].addingProduct(v0, qc).addingProduct(q0, vc)
                let y = r1[c].addingProduct(v1, qc).addingProduct(q1, vc)
                r0[c] = x
                r1[c] = y
                s0 = s0.addingProduct(x, uc)
                s1 = s1.addingProduct(y, uc)
                p[c] = p[c].addingProduct(x, u0).addingProduct(y, u1)
            }
            let x = r0[r].addingProduct(v0, q[r]).addingProduct(q0, v[r])
            let y = r1[r].addingProduct(v1, q[r]).addingProduct(q1, v[r])
            let z = r1[r + 1].addingProduct(v1, q[r + 1]).addingProduct(q1, v[r + 1])
            r0[r] = x
            r1[r] = y
            r1[r + 1] = z
            p[r] = s0 + x * u0 + y * u1
            p[r + 1] = s1 + y * u0 + z * u1
            r += 2
        }
    }

    /// QL with implicit shifts in all lanes at once, on a diagonal and squared off-diagonal elements.
    ///
    /// A lane whose element has vanished waits for the others, so that no matrix's bits depend on its company.
    ///
    /// - Returns: lanes in which an element did not vanish in 60 sweeps.
    private static func rootFreeQL(
        _ d: UnsafeMutablePointer<Lanes>, _ squares: UnsafeMutablePointer<Lanes>, _ n: Int
    ) -> Mask {
        var failed = Mask(repeating: false)
        var norm = Lanes.zero
        for index in 0..<n {
            norm = larger(norm, larger(d[index], -d[index]))
            norm = larger(norm, squares[index].squareRoot())
        }
        let negligible = (norm * 0x1p-53) * (norm * 0x1p-53)
        for l in 0..<(n - 1) {
            var sweeps = 0
            while true {
                let isDone = squares[l] .<= negligible .| failed
                if all(isDone) { break }
                sweeps += 1
                if sweeps > 60 {
                    failed = failed .| .!isDone
                    break
                }
                sweep(d, squares, from: n - 1, to: l, isDone: isDone)
            }
        }
        return failed
    }

    private static func sweep(
        _ d: UnsafeMutablePointer<Lanes>, _ squares: UnsafeMutablePointer<Lanes>, from m: Int, to l: Int,
        isDone: Mask
    ) {
        // Wilkinson's shift: the eigenvalue of the leading 2 x 2 block that is nearer its first element.
        let element = squares[l].squareRoot().replacing(with: 1, where: isDone)
        let half = (d[l + 1] - d[l]) / (2 * element)
        let root = (half * half + 1).squareRoot()
        let shift = (d[l] - element / (half + root.replacing(with: -root, where: half .< 0)))
            .replacing(with: d[l], where: isDone)
        var c = Lanes(repeating: 1)
        var s = Lanes.zero
        var gamma = d[m] - shift
        var p = gamma * gamma
        var i = m - 1
        while i >= l {
            let square = squares[i]
            let r = p + square
            squares[i + 1] = (s * r).replacing(with: squares[i + 1], where: isDone)
            // r = 0: the two are apart already, and the rotation is none.
            let isApart = r .== 0
            let divisor = r.replacing(with: 1, where: isApart)
            let before = c
            c = (p / divisor).replacing(with: 1, where: isApart)
            s = square / divisor
            let gammaBefore = gamma
            let alpha = d[i]
            gamma = c * (alpha - shift) - s * gammaBefore
            let next = gammaBefore + (alpha - gamma)
            d[i + 1] = next.replacing(with: d[i + 1], where: isDone)
            // gamma² / c, as gamma² r / p: its division need not wait for that of c.
            let isZero = c .== 0
            let dividend = p.replacing(with: divisor, where: isZero .| isApart)
            p = (gamma * gamma * (divisor / dividend)).replacing(with: before * square, where: isZero)
            i -= 1
        }
        squares[l] = (s * p).replacing(with: squares[l], where: isDone)
        d[l] = (shift + gamma).replacing(with: d[l], where: isDone)
    }

    private static func larger(_ a: Lanes, _ b: Lanes) -> Lanes { a.replacing(with: b, where: a .< b) }
}

extension Int {
    /// An exponent whose power of two, and that power's inverse, are normal numbers.
    fileprivate var clamped: Int { Swift.min(1000, Swift.max(-1000, self)) }
}
