import Geometry
import LinearAlgebra
import Statistics

/// Nearest neighbours of every point by all distances in float64: what the tests hold estimators to.
func neighbours(of points: Matrix, k: Int) -> NearestNeighbours {
    let n = points.rows
    var indices: [Int32] = []
    var distances: [Double] = []
    for i in 0..<n {
        let row = (0..<n).filter { $0 != i }.map { j in
            var square = 0.0
            for column in 0..<points.columns {
                let difference = Double(points[i, column]) - Double(points[j, column])
                square += difference * difference
            }
            return (distance: square.squareRoot(), index: j)
        }
        for (distance, index) in row.sorted(by: { ($0.distance, $0.index) < ($1.distance, $1.index) }).prefix(k) {
            indices.append(Int32(index))
            distances.append(distance)
        }
    }
    return NearestNeighbours(count: n, k: k, indices: indices, distances: distances)
}

/// The kernel of a point's k nearest neighbours, the point itself not among them.
func patchKernel(_ points: Matrix, _ table: NearestNeighbours, of point: Int, k: Int) -> PatchKernel {
    var kernel = PatchKernel()
    kernel.fill(points, members: table.indices[point * table.k..<point * table.k + k])
    return kernel
}

/// N points of an isotropic Gaussian in `dimension` coordinates, turned into `width` coordinates by reflections.
func flatGaussian(_ count: Int, dimension: Int, width: Int, seed: UInt64) -> Matrix {
    var random = SeededRandom(seed: seed)
    let normal = random.normal(count: count * dimension)
    let axes = (0..<3).map { _ in
        let axis = random.normal(count: width)
        let norm = axis.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return axis.map { $0 / norm }
    }
    var points = Matrix(rows: count, columns: width)
    for row in 0..<count {
        var x = [Double](repeating: 0, count: width)
        for column in 0..<dimension { x[column] = normal[row * dimension + column] }
        for axis in axes {
            let along = zip(x, axis).reduce(0) { $0 + $1.0 * $1.1 }
            for column in 0..<width { x[column] -= 2 * along * axis[column] }
        }
        for column in 0..<width { points[row, column] = Float(x[column]) }
    }
    return points
}
