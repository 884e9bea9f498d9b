package import Control
package import LinearAlgebra
import Synchronization

/// Exact nearest neighbours of every point among all others: inner products tile by tile, each tile used for its rows
/// and its columns, the nearest kept by partial selection, and their distances computed again from the rows.
///
/// A search of N points of width D takes about N² D multiplications and additions. Products are f32 about the mean of
/// the set; a distance is computed again in float64 where its rank is among the first `exactRanks`, or where it is so
/// much smaller than the points' distance from the mean that the inner products can't tell it. A point whose candidates
/// the products can't have told from the rest, as in a tight cluster far from the mean, is compared with every other in
/// float64.
package struct NeighbourSearch: Sendable {
    package let neighbours: NearestNeighbours
    /// [N, N] inner products about the mean of the set, f32, if they were to be kept.
    package let gram: Matrix?

    /// Rows and columns of a tile of inner products.
    private static let tile = 512

    /// Coordinates, 256 MB of them, up to which all points are centred at once.
    private static let centredLimit = 1 << 26

    /// Squared distances below this share of the points' squared norms are computed again: f32 products are off by
    /// some 2e-7 of the norms, so that the others are right to about 1e-5.
    private static let cancellation: Float = 0.01

    /// What a squared distance from f32 products may be off by, as a share of the points' squared norms.
    private static let error = 1e-6

    /// - Parameters:
    ///   - set: N distinct points.
    ///   - k: neighbours of each; fewer than N.
    ///   - exactRanks: the nearest so many are always computed again, in float64.
    ///   - keepsGram: whether inner products are kept, 4 N² bytes.
    /// - Throws: `GeometryError.tooFewPoints` if N is not above k; `CancellationError`.
    package init(
        _ set: PointSet, k: Int, exactRanks: Int = 24, keepsGram: Bool = false, pool: ThreadPool, control: RunControl
    ) throws {
        let (n, d) = (set.count, set.width)
        guard n > k else { throw GeometryError.tooFewPoints(found: n, needed: k + 1) }
        precondition(k > 0, "no neighbours to look for")
        let tile = min(Self.tile, n)
        let blocks = (n + tile - 1) / tile
        let centre = set.mean.map { Float($0) }
        // Centred once where there is room, otherwise tile by tile.
        var centred: [Float] = []
        if n * d <= Self.centredLimit {
            centred = [Float](unsafeUninitializedCapacity: n * d) { target, count in
                set.points.values.withUnsafeBufferPointer {
                    Self.centre($0, 0, n, d, centre, target.baseAddress!)
                }
                count = n * d
            }
        }
        // Each block of points stands on the right of many products: the panels that these read are made once.
        func bytes(_ points: Int) -> Int { Products.packedByteCount(outputs: points, inputs: d, type: .f32) }
        let memory = centred.isEmpty || blocks == 1 ? nil : PageArena.scratch(byteCount: bytes(n))
        defer { memory?.deallocate() }
        nonisolated(unsafe) let panels = memory?.baseAddress
        if let panels {
            try centred.withUnsafeBufferPointer { centred in
                nonisolated(unsafe) let start = UnsafeRawPointer(centred.baseAddress!)
                try pool.run(tasks: blocks) { block, worker in
                    try control.checkCancellation()
                    let from = block * tile
                    worker.products.pack(
                        ProductWeight(start + from * d * 4, .f32, .rows(stride: d)), outputs: min(tile, n - from),
                        inputs: d, into: panels + bytes(from))
                }
            }
        }
        let norms = Self.squaredNorms(set, centre: centre)
        let candidates = NearestCandidates(points: n, kept: min(n - 1, k + 8 + k / 16))
        let locks = BlockLocks(count: blocks)
        var inner = keepsGram ? [Float](repeating: 0, count: n * n) : []
        let tiles = Self.tiles(blocks)
        let step = control.counter(tiles.count, "tiles")
        try set.points.values.withUnsafeBufferPointer { values in
            try inner.withUnsafeMutableBufferPointer { inner in
                nonisolated(unsafe) let inner = inner
                try pool.run(tasks: tiles.count) { task, worker in
                    try control.checkCancellation()
                    let (rows, columns) = tiles[task]
                    let (from, to) = (rows * tile, columns * tile)
                    let (height, breadth) = (min(tile, n - from), min(tile, n - to))
                    let products = worker.scratch(2, count: tile * tile)
                    if centred.isEmpty {
                        let a = worker.scratch(0, count: tile * d)
                        let b = rows == columns ? a : worker.scratch(1, count: tile * d)
                        Self.centre(values, from, height, d, centre, a)
                        if rows != columns { Self.centre(values, to, breadth, d, centre, b) }
                        worker.products.multiply(
                            a, rows: height, by: ProductWeight(b, .f32, .rows(stride: d)), outputs: breadth, inputs: d,
                            into: products)
                    } else {
                        centred.withUnsafeBufferPointer { centred in
                            let start = centred.baseAddress!
                            let others =
                                panels.map { ProductWeight($0 + bytes(to), .f32, .panels) }
                                ?? ProductWeight(start + to * d, .f32, .rows(stride: d))
                            worker.products.multiply(
                                start + from * d, rows: height, by: others, outputs: breadth, inputs: d, into: products)
                        }
                    }
                    if keepsGram, let start = inner.baseAddress {
                        Self.keep(products, height, breadth, start, n, from, to, mirrored: rows != columns)
                    }
                    locks.withLock(rows, columns) {
                        Self.scan(
                            products, from..<from + height, to..<to + breadth, norms, candidates,
                            mirrored: rows != columns)
                    }
                    step()
                }
            }
        }
        gram = keepsGram ? Matrix(rows: n, columns: n, values: inner) : nil
        neighbours = try Self.refined(
            candidates, set, norms: norms, k: k, exactRanks: exactRanks, pool: pool, control: control)
    }

    /// Tiles of the upper triangle, by diagonals, so that those computed at the same time seldom share a block.
    private static func tiles(_ blocks: Int) -> [(rows: Int, columns: Int)] {
        (0..<blocks).flatMap { shift in (0..<blocks - shift).map { ($0, $0 + shift) } }
    }

    private static func squaredNorms(_ set: PointSet, centre: [Float]) -> [Float] {
        let (n, d) = (set.count, set.width)
        return set.points.values.withUnsafeBufferPointer { values in
            (0..<n).map { row in
                var sum = 0.0
                for column in 0..<d {
                    let value = Double(values[row * d + column] - centre[column])
                    sum += value * value
                }
                return Float(sum)
            }
        }
    }

    private static func centre(
        _ values: UnsafeBufferPointer<Float>, _ from: Int, _ rows: Int, _ width: Int, _ centre: [Float],
        _ target: UnsafeMutablePointer<Float>
    ) {
        centre.withUnsafeBufferPointer { centre in
            for row in 0..<rows {
                let source = (from + row) * width
                let place = row * width
                for column in 0..<width { target[place + column] = values[source + column] - centre[column] }
            }
        }
    }

    private static func keep(
        _ products: UnsafePointer<Float>, _ height: Int, _ breadth: Int, _ gram: UnsafeMutablePointer<Float>, _ n: Int,
        _ from: Int, _ to: Int, mirrored: Bool
    ) {
        for row in 0..<height {
            (gram + (from + row) * n + to).update(from: products + row * breadth, count: breadth)
        }
        guard mirrored else { return }
        // In strips, so that a strip of the target stays in cache.
        for strip in stride(from: 0, to: height, by: 16) {
            let end = min(height, strip + 16)
            for column in 0..<breadth {
                let target = gram + (to + column) * n + from
                for row in strip..<end { target[row] = products[row * breadth + column] }
            }
        }
    }

    /// Offers a tile's distances to its rows, and to its columns where they are other points.
    private static func scan(
        _ products: UnsafePointer<Float>, _ rows: Range<Int>, _ columns: Range<Int>, _ norms: [Float],
        _ candidates: borrowing NearestCandidates, mirrored: Bool
    ) {
        let breadth = columns.count
        let limits = candidates.limits
        norms.withUnsafeBufferPointer { norms in
            let columnNorms = norms.baseAddress! + columns.lowerBound
            let columnLimits = limits + columns.lowerBound
            func offer(_ row: Int, _ line: UnsafePointer<Float>, _ place: Int) {
                let column = columns.lowerBound &+ place
                let squared = (columnNorms[place] + norms[row]) - 2 * line[place]
                // What is not a number, as where products overflow, is below no limit.
                if squared <= limits[row], column != row {
                    candidates.insert(row, squared: max(0, squared), row: column)
                }
                if mirrored, squared <= limits[column] {
                    candidates.insert(column, squared: max(0, squared), row: row)
                }
            }
            for row in rows {
                let line = products + (row - rows.lowerBound) * breadth
                let norm = norms[row]
                var place = 0
                while place &+ 8 <= breadth {
                    let inner = UnsafeRawPointer(line + place).loadUnaligned(as: SIMD8<Float>.self)
                    let other = UnsafeRawPointer(columnNorms + place).loadUnaligned(as: SIMD8<Float>.self)
                    let squared = (other + norm) - 2 * inner
                    // A lane's sign is set where the distance is above the limit. Comparing lanes would fall apart
                    // into scalars.
                    var above = unsafeBitCast(limits[row] - squared, to: SIMD8<Int32>.self)
                    if mirrored {
                        let limit = UnsafeRawPointer(columnLimits + place).loadUnaligned(as: SIMD8<Float>.self)
                        above &= unsafeBitCast(limit - squared, to: SIMD8<Int32>.self)
                    }
                    if above.max() >= 0 {
                        for lane in place..<place &+ 8 { offer(row, line, lane) }
                    }
                    place &+= 8
                }
                while place < breadth {
                    offer(row, line, place)
                    place &+= 1
                }
            }
        }
    }

    private static func refined(
        _ candidates: borrowing NearestCandidates, _ set: PointSet, norms: [Float], k: Int, exactRanks: Int,
        pool: ThreadPool, control: RunControl
    ) throws -> NearestNeighbours {
        let (n, d) = (set.count, set.width)
        var indices = [Int32](repeating: 0, count: n * k)
        var distances = [Double](repeating: 0, count: n * k)
        let share = 64
        let slack = exactRanks + 8
        try set.points.values.withUnsafeBufferPointer { values in
            try indices.withUnsafeMutableBufferPointer { indices in
                try distances.withUnsafeMutableBufferPointer { distances in
                    nonisolated(unsafe) let indices = indices
                    nonisolated(unsafe) let distances = distances
                    try pool.run(tasks: (n + share - 1) / share) { task, _ in
                        try control.checkCancellation()
                        for point in task * share..<min(n, (task + 1) * share) {
                            var list = candidates.nearest(point).enumerated().map { place, word in
                                let row = Int(UInt32(truncatingIfNeeded: word))
                                let squared = Float(bitPattern: UInt32(word >> 32))
                                let isExact =
                                    place < slack || squared < cancellation * (norms[point] + norms[row])
                                return (
                                    squared: isExact
                                        ? squaredDistance(values, point, row, d) : Double(squared), row: row
                                )
                            }
                            list.sort { ($0.squared, $0.row) < ($1.squared, $1.row) }
                            // Fewer than k only where products overflow.
                            if list.count < k
                                || list.count < n - 1
                                    && !isProven(list[k - 1].squared, candidates.limits[point], norm: norms[point])
                            {
                                try control.checkCancellation()
                                list = allDistances(values, point, n, d)
                            }
                            for place in 0..<k {
                                indices[point * k + place] = Int32(list[place].row)
                                distances[point * k + place] = list[place].squared.squareRoot()
                            }
                        }
                    }
                }
            }
        }
        return NearestNeighbours(count: n, k: k, indices: indices, distances: distances)
    }

    /// Whether no point beyond the candidates can be nearer than the k-th: what they were left out by, less what
    /// the products may be off by, is above it.
    private static func isProven(_ squared: Double, _ limit: Float, norm: Float) -> Bool {
        let limit = Double(limit)
        let reach = Double(norm).squareRoot() + limit.squareRoot()
        return squared <= limit - error * (Double(norm) + reach * reach)
    }

    /// A point's distances to all others in float64, nearest first.
    private static func allDistances(_ values: UnsafeBufferPointer<Float>, _ point: Int, _ n: Int, _ d: Int)
        -> [(squared: Double, row: Int)]
    {
        (0..<n).filter { $0 != point }.map { (squaredDistance(values, point, $0, d), $0) }
            .sorted { ($0.0, $0.1) < ($1.0, $1.1) }
    }

    /// In float64, from the rows.
    private static func squaredDistance(_ values: UnsafeBufferPointer<Float>, _ a: Int, _ b: Int, _ width: Int)
        -> Double
    {
        let left = values.baseAddress! + a * width
        let right = values.baseAddress! + b * width
        var sums = SIMD8<Double>.zero
        var more = SIMD8<Double>.zero
        var place = 0
        while place + 16 <= width {
            let first =
                SIMD8<Double>(UnsafeRawPointer(left + place).loadUnaligned(as: SIMD8<Float>.self))
                - SIMD8<Double>(UnsafeRawPointer(right + place).loadUnaligned(as: SIMD8<Float>.self))
            let second =
                SIMD8<Double>(UnsafeRawPointer(left + place + 8).loadUnaligned(as: SIMD8<Float>.self))
                - SIMD8<Double>(UnsafeRawPointer(right + place + 8).loadUnaligned(as: SIMD8<Float>.self))
            sums += first * first
            more += second * second
            place += 16
        }
        var sum = (sums + more).sum()
        while place < width {
            let difference = Double(left[place]) - Double(right[place])
            sum += difference * difference
            place += 1
        }
        return sum
    }
}

/// A lock for each block of points; two are taken in their order.
private final class BlockLocks: Sendable {
    private let locks: [Lock]

    private final class Lock: Sendable {
        let mutex = Mutex<Void>(())
    }

    init(count: Int) { locks = (0..<count).map { _ in Lock() } }

    func withLock(_ first: Int, _ second: Int, _ body: () -> Void) {
        locks[min(first, second)].mutex.withLock { _ in
            if first == second { return body() }
            locks[max(first, second)].mutex.withLock { _ in body() }
        }
    }
}
