import LinearAlgebra

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
        let tables = prompts.map { rotary.table(length: past + sequences.rows(of: $0).count, limit: limit) }
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
    /// block's end: what a block computes depends on its prompt alone, and keys and values are read once for a group.
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
            let keys = block.keys
            let queries = block.queries
            let scores = worker.scratch(0, count: group * queries * keys)
            let result = worker.scratch(1, count: group * queries * d)
            // [group, queries, d]
            let gathered = worker.scratch(2, count: group * queries * d)
            for member in 0..<group {
                let source = q + ((block.firstHead + member) * rows + task.start + task.first) * d
                (gathered + member * queries * d).update(from: source, count: queries * d)
            }
            let offset = (index % shared * rows + task.start + block.firstKey) * d
            try worker.products.multiplyTransposed(
                gathered, k + offset, into: scores, rows: group * queries, columns: keys, depth: d)
            var scale = options.scale
            if let cap = options.softCap {
                VectorMath.softCap(scores, cap: cap, scale: scale, count: group * queries * keys)
                scale = 1
            }
            if !scoreTaps.isEmpty {
                try block.show(
                    scores, worker, Site(.attnScores, layer: layer), scoreTaps, masked: -.infinity
                ) { _ in scale }
            }
            let inverses = worker.scratch(3, count: group * queries)
            for row in 0..<group * queries {
                let range = block.visible(row % queries)
                let start = scores + row * keys
                start.update(repeating: 0, count: range.lowerBound)
                inverses[row] = VectorMath.softmaxNumerators(
                    start + range.lowerBound, count: range.count, width: keys - range.lowerBound, scale: scale)
            }
            if !patternTaps.isEmpty {
                try block.show(
                    scores, worker, Site(.pattern, layer: layer), patternTaps, masked: 0
                ) { inverses[$0] }
            }
            try worker.products.multiply(
                scores, v + offset, into: result, rows: group * queries, columns: d, depth: keys)
            for row in 0..<group * queries {
                let head = block.firstHead + row / queries
                let target = z + ((task.start + task.first + row % queries) * heads + head) * d
                target.update(from: result + row * d, count: d)
                VectorMath.multiply(target, by: inverses[row], count: d)
            }
        }
    }

    /// Attention of one new token to all tokens in the cache that it sees, itself included.
    ///
    /// - Parameters:
    ///   - q: [head, 1, d]
    ///   - z: [1, heads · d]
    func cachedAttention(
        q: UnsafePointer<Float>, layer: Int, heads: Int, group: Int, d: Int, _ options: AttentionConfiguration,
        into z: UnsafeMutablePointer<Float>
    ) throws {
        guard let cache else { preconditionFailure("cachedAttention needs a cache") }
        let first = options.window.map { max(0, cache.count + 1 - $0) } ?? 0
        let keys = cache.count + 1 - first
        try pool.run(tasks: heads) { head, worker in
            let scores = worker.scratch(0, count: keys)
            let k = cache.keys(layer: layer, head: head / group) + first * d
            let v = cache.values(layer: layer, head: head / group) + first * d
            for key in 0..<keys { scores[key] = VectorMath.dot(q + head * d, k + key * d, count: d) }
            var scale = options.scale
            if let cap = options.softCap {
                VectorMath.softCap(scores, cap: cap, scale: scale, count: keys)
                scale = 1
            }
            VectorMath.softmax(scores, count: keys, width: keys, scale: scale)
            let target = z + head * d
            target.update(repeating: 0, count: d)
            for key in 0..<keys { VectorMath.add(v + key * d, times: scores[key], to: target, count: d) }
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
            for position in past..<past + sequences.rows(of: prompt).count { result.append((index, position)) }
        }
        return result
    }
}
