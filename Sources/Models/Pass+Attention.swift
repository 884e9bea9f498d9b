import Control
import LinearAlgebra
import Sites

extension Pass {
    /// Turns pairs (x[i], x[i + r/2]) of every head's first r values by position · θᵢ, and lays heads out one after
    /// another. (Su et al. 2021, eq. 15, in the half-split order of the Hugging Face checkpoints.)
    ///
    /// - Parameters:
    ///   - x: [rows, heads · d]
    ///   - result: [head, rows, d]
    func rotate(
        _ x: UnsafePointer<Float>, heads: Int, d: Int, _ rotary: Rotary, limit: Int,
        into result: UnsafeMutablePointer<Float>
    ) throws {
        let turned = rotary.configuration.dimension
        let half = turned / 2
        let rows = rows
        // Frequencies may depend on the length of the prompt: one table for each prompt.
        let tables = prompts.map { rotary.table(length: past(of: $0) + sequences.rows(of: $0).count, limit: limit) }
        let places = placeOfRow()
        try withExtendedLifetime(tables) {
            try forRows { range in
                for row in range {
                    let table = tables[places[row].prompt]
                    let c = table.cosines + places[row].position * half
                    let s = table.sines + places[row].position * half
                    for head in 0..<heads {
                        let source = x + (row * heads + head) * d
                        let target = result + (head * rows + row) * d
                        for i in 0..<half {
                            let a = source[i]
                            let b = source[i + half]
                            target[i] = a * c[i] - b * s[i]
                            target[i + half] = b * c[i] + a * s[i]
                        }
                        if turned < d { (target + turned).update(from: source + turned, count: d - turned) }
                    }
                }
            }
        }
    }

    /// Takes queries, keys and values of every head apart. fused: [rows, (head, 3, d)]; q, k, v: [rows, heads · d]
    func separate(
        _ fused: UnsafePointer<Float>, heads: Int, d: Int, _ q: UnsafeMutablePointer<Float>,
        _ k: UnsafeMutablePointer<Float>, _ v: UnsafeMutablePointer<Float>
    ) throws {
        try forRows { range in
            for index in range.lowerBound * heads..<range.upperBound * heads {
                let source = fused + index * 3 * d
                (q + index * d).update(from: source, count: d)
                (k + index * d).update(from: source + d, count: d)
                (v + index * d).update(from: source + 2 * d, count: d)
            }
        }
    }

    /// [rows, heads · d] -> [head, rows, d]
    func splitHeads(_ x: UnsafePointer<Float>, heads: Int, d: Int, into result: UnsafeMutablePointer<Float>) throws {
        let rows = rows
        try forRows { range in
            for row in range {
                for head in 0..<heads {
                    (result + (head * rows + row) * d).update(from: x + (row * heads + head) * d, count: d)
                }
            }
        }
    }

    /// [head, rows, d] -> [rows, heads · d]
    func mergeHeads(_ x: UnsafePointer<Float>, heads: Int, d: Int, into result: UnsafeMutablePointer<Float>) throws {
        let rows = rows
        try forRows { range in
            for row in range {
                for head in 0..<heads {
                    (result + (row * heads + head) * d).update(from: x + (head * rows + row) * d, count: d)
                }
            }
        }
    }

    /// A site whose rows the engine keeps head by head: laid out by rows for edits and taps, and put back if edited.
    func visitHeads(_ site: Site, _ x: UnsafeMutablePointer<Float>, heads: Int, d: Int) throws {
        guard isWatched(site) else { return }
        let gathered = workspace.buffer(.gathered, rows * heads * d)
        try mergeHeads(x, heads: heads, d: d, into: gathered)
        try visit(site, gathered, width: heads * d)
        if edits.contains(where: { $0.applies(to: site) }) {
            try splitHeads(gathered, heads: heads, d: d, into: x)
        }
    }

    /// Causal attention of every prompt within itself: softmax(scale · Q K') V. (Vaswani et al. 2017, eq. 1.)
    ///
    /// Queries go in blocks of 64 positions of one prompt, all heads of a group together, against the keys up to the
    /// block's end, so that keys and values are read once for a group.
    /// - Parameters:
    ///   - q: [head, rows, d]
    ///   - k, v: [key-value head, rows, d]
    ///   - z: [rows, heads · d]
    func causalAttention(
        q: UnsafePointer<Float>, k: UnsafePointer<Float>, v: UnsafePointer<Float>, layer: Int, heads: Int, group: Int,
        d: Int, _ options: AttentionConfiguration, into z: UnsafeMutablePointer<Float>
    ) throws {
        try control.checkCancellation()
        let length = 64
        var tasks: [(prompt: Int, start: Int, count: Int, first: Int)] = []
        for prompt in prompts {
            let range = sequences.rows(of: prompt)
            // The longest tasks first, so that no thread is left with one at the end.
            for first in stride(from: (range.count - 1) / length * length, through: 0, by: -length) {
                tasks.append((prompt, range.lowerBound - firstRow, range.count, first))
            }
        }
        let shared = heads / group
        let rows = rows
        let scoreTaps = patterns.filter { $0.wants(Site(.attnScores, layer: layer)) }
        let patternTaps = patterns.filter { $0.wants(Site(.pattern, layer: layer)) }
        try pool.run(tasks: tasks.count * shared) { index, worker in
            try control.checkCancellation()
            let task = tasks[index / shared]
            let block = AttentionBlock(
                prompt: task.prompt, firstHead: index % shared * group, group: group, first: task.first,
                queries: min(length, task.count - task.first), window: options.window)
            let offset = (index % shared * rows + task.start + block.firstKey) * d
            try attend(
                block, q: q, firstRow: task.start + task.first, keys: k + offset, values: v + offset, layer: layer,
                heads: heads, d: d, options, scoreTaps, patternTaps, worker, into: z)
        }
    }

    /// Attention of each prompt's new token to all tokens in its cache that it sees, itself included: the same sums, and
    /// so the same bits, as among all tokens of the prompt.
    ///
    /// - Parameters:
    ///   - q: [head, rows, d]
    ///   - z: [rows, heads · d]
    func cachedAttention(
        q: UnsafePointer<Float>, layer: Int, heads: Int, group: Int, d: Int, _ options: AttentionConfiguration,
        into z: UnsafeMutablePointer<Float>
    ) throws {
        guard let caches = cache?.caches else { preconditionFailure("cachedAttention needs a cache") }
        let shared = heads / group
        try pool.run(tasks: rows * shared) { task, worker in
            let (row, head) = (task / shared, task % shared)
            let cache = caches[row]
            let block = AttentionBlock(
                prompt: row, firstHead: head * group, group: group, first: cache.count, queries: 1,
                window: options.window)
            let offset = block.firstKey * d
            try attend(
                block, q: q, firstRow: row, keys: cache.keys(layer: layer, head: head) + offset,
                values: cache.values(layer: layer, head: head) + offset, layer: layer, heads: heads, d: d, options,
                [], [], worker, into: z)
        }
    }

    /// One block of queries.
    ///
    /// - Parameters:
    ///   - firstRow: the row of z of the block's first query.
    ///   - keys, values: [block.keys, d]
    private func attend(
        _ block: AttentionBlock, q: UnsafePointer<Float>, firstRow: Int, keys: UnsafePointer<Float>,
        values: UnsafePointer<Float>, layer: Int, heads: Int, d: Int, _ options: AttentionConfiguration,
        _ scoreTaps: [any PatternTap], _ patternTaps: [any PatternTap], _ worker: Worker,
        into z: UnsafeMutablePointer<Float>
    ) throws {
        let (queries, count) = (block.queries, block.keys)
        let queryRows = block.group * queries
        let scores = worker.scratch(0, count: queryRows * count)
        let result = worker.scratch(1, count: queryRows * d)
        // [group, queries, d]
        let gathered = worker.scratch(2, count: queryRows * d)
        for member in 0..<block.group {
            let source = q + ((block.firstHead + member) * rows + firstRow) * d
            (gathered + member * queries * d).update(from: source, count: queries * d)
        }
        worker.products.multiply(
            gathered, rows: queryRows, by: ProductWeight(keys, .f32, .rows(stride: d)), outputs: count, inputs: d,
            into: scores)
        var scale = options.scale
        if let cap = options.softCap {
            VectorMath.softCap(scores, cap: cap, scale: scale, count: queryRows * count)
            scale = 1
        }
        if !scoreTaps.isEmpty {
            try block.show(scores, worker, Site(.attnScores, layer: layer), scoreTaps, masked: -.infinity) { _ in scale
            }
        }
        let inverses = worker.scratch(3, count: queryRows)
        for row in 0..<queryRows {
            let range = block.visible(row % queries)
            let start = scores + row * count
            start.update(repeating: 0, count: range.lowerBound)
            inverses[row] = VectorMath.softmaxNumerators(
                start + range.lowerBound, count: range.count, width: count - range.lowerBound, scale: scale)
        }
        if !patternTaps.isEmpty {
            try block.show(scores, worker, Site(.pattern, layer: layer), patternTaps, masked: 0) { inverses[$0] }
        }
        worker.products.multiply(
            scores, rows: queryRows, by: ProductWeight(values, .f32, .columns(stride: d)), outputs: d, inputs: count,
            into: result)
        for row in 0..<queryRows {
            let target = z + ((firstRow + row % queries) * heads + block.firstHead + row / queries) * d
            target.update(from: result + row * d, count: d)
            VectorMath.multiply(target, by: inverses[row], count: d)
        }
    }

    /// f(x) · factor, or f(x) without a factor, elementwise. [rows, width]
    func activate(
        _ x: UnsafePointer<Float>, _ activation: Activation, times factor: UnsafePointer<Float>?, width: Int,
        into post: UnsafeMutablePointer<Float>
    ) throws {
        try forRows { range in
            let start = range.lowerBound * width
            activation.apply(
                x + start, times: factor.map { $0 + start }, into: post + start, count: range.count * width)
        }
    }

    /// The residual stream += norm(x W' + b), by way of the site's own rows when somebody looks at them.
    func addToResidual(_ x: UnsafePointer<Float>, _ weight: Weight, norm: Norm?, site: Site) throws {
        guard norm != nil || isWatched(site) else {
            try linear(x, [(weight, .add(residual))])
            return
        }
        let out = workspace.buffer(.out, rows * weight.outputs)
        try linear(x, [(weight, .store(out))])
        if let norm { try normalize(out, norm, into: out) }
        try visit(site, out, width: weight.outputs)
        let residual = residual!
        try forRows { range in
            let start = range.lowerBound * weight.outputs
            VectorMath.add(out + start, to: residual + start, count: range.count * weight.outputs)
        }
    }

    /// The prompt of the pack, counted from its first, and the position within it of every row.
    func placeOfRow() -> [(prompt: Int, position: Int)] {
        var result: [(prompt: Int, position: Int)] = []
        result.reserveCapacity(rows)
        for (index, prompt) in prompts.enumerated() {
            let past = past(of: prompt)
            for position in past..<past + sequences.rows(of: prompt).count { result.append((index, position)) }
        }
        return result
    }
}
