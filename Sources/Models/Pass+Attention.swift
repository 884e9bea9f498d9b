import LinearAlgebra

extension Pass {
    /// Turns pairs (x[i], x[i + d/2]) of every head by position · θ^(-2i/d), and lays heads out one after another.
    /// (Su et al. 2021, eq. 15, in the half-split order of the Hugging Face checkpoints.)
    ///
    /// - Parameters:
    ///   - x: [rows, heads · d]
    ///   - result: [head, rows, d]
    func rotate(
        _ x: UnsafePointer<Float>, heads: Int, _ table: RotaryTable, into result: UnsafeMutablePointer<Float>
    ) throws {
        let d = table.dimension
        let half = d / 2
        let rows = rows
        let positions = positionOfRow()
        try table.withPointers { cosine, sine in
            try forRows { range in
                for row in range {
                    let c = cosine + positions[row] * half
                    let s = sine + positions[row] * half
                    for head in 0..<heads {
                        let source = x + (row * heads + head) * d
                        let target = result + (head * rows + row) * d
                        for i in 0..<half {
                            let a = source[i]
                            let b = source[i + half]
                            target[i] = a * c[i] - b * s[i]
                            target[i + half] = b * c[i] + a * s[i]
                        }
                    }
                }
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

    /// Causal attention of every prompt within itself: softmax(Q K' / sqrt(d)) V. (Vaswani et al. 2017, eq. 1.)
    ///
    /// Queries go in blocks of 64 of one prompt and head, against the keys up to the block's end, so what a block
    /// computes depends on its prompt alone.
    /// - Parameters:
    ///   - q: [head, rows, d]
    ///   - k, v: [key-value head, rows, d]
    ///   - z: [rows, heads · d]
    func causalAttention(
        q: UnsafePointer<Float>, k: UnsafePointer<Float>, v: UnsafePointer<Float>, layer: Int, heads: Int, group: Int,
        d: Int, into z: UnsafeMutablePointer<Float>
    ) throws {
        try control.checkCancellation()
        let block = 64
        var tasks: [(prompt: Int, start: Int, count: Int, first: Int)] = []
        for prompt in prompts {
            let range = sequences.rows(of: prompt)
            // The longest tasks first, so that no thread is left with one at the end.
            for first in stride(from: (range.count - 1) / block * block, through: 0, by: -block) {
                tasks.append((prompt, range.lowerBound - firstRow, range.count, first))
            }
        }
        let rows = rows
        let scale = 1 / Float(d).squareRoot()
        let scoreTaps = patterns.filter { $0.wants(Site(.attnScores, layer: layer)) }
        let patternTaps = patterns.filter { $0.wants(Site(.pattern, layer: layer)) }
        try pool.run(tasks: tasks.count * heads) { index, worker in
            try control.checkCancellation()
            let task = tasks[index / heads]
            let head = index % heads
            let queries = min(block, task.count - task.first)
            let keys = task.first + queries
            let scores = worker.scratch(0, count: queries * keys)
            let result = worker.scratch(1, count: queries * d)
            let shared = (head / group * rows + task.start) * d
            try worker.products.multiplyTransposed(
                q + (head * rows + task.start + task.first) * d, k + shared, into: scores, rows: queries,
                columns: keys, depth: d)
            func show(_ kind: Site.Kind, _ values: UnsafePointer<Float>, _ taps: [any PatternTap]) throws {
                let block = PatternBlock(
                    prompt: task.prompt, head: head, firstQuery: task.first, queries: queries, keys: keys,
                    values: values)
                for tap in taps { try tap.receive(Site(kind, layer: layer), block) }
            }
            if !scoreTaps.isEmpty {
                let scaled = worker.scratch(2, count: queries * keys)
                for row in 0..<queries {
                    for key in 0..<keys {
                        scaled[row * keys + key] =
                            key <= task.first + row ? scores[row * keys + key] * scale : -.infinity
                    }
                }
                try show(.attnScores, scaled, scoreTaps)
            }
            for row in 0..<queries {
                VectorMath.softmax(scores + row * keys, count: task.first + row + 1, width: keys, scale: scale)
            }
            if !patternTaps.isEmpty { try show(.pattern, scores, patternTaps) }
            try worker.products.multiply(scores, v + shared, into: result, rows: queries, columns: d, depth: keys)
            for row in 0..<queries {
                let target = z + ((task.start + task.first + row) * heads + head) * d
                target.update(from: result + row * d, count: d)
            }
        }
    }

    /// Attention of one new token to all tokens in the cache, itself included.
    ///
    /// - Parameters:
    ///   - q: [head, 1, d]
    ///   - z: [1, heads · d]
    func cachedAttention(
        q: UnsafePointer<Float>, layer: Int, heads: Int, group: Int, d: Int, into z: UnsafeMutablePointer<Float>
    ) throws {
        guard let cache else { preconditionFailure("cachedAttention needs a cache") }
        let keys = cache.count + 1
        let scale = 1 / Float(d).squareRoot()
        try pool.run(tasks: heads) { head, worker in
            let scores = worker.scratch(0, count: keys)
            let k = cache.keys(layer: layer, head: head / group)
            let v = cache.values(layer: layer, head: head / group)
            for key in 0..<keys { scores[key] = VectorMath.dot(q + head * d, k + key * d, count: d) }
            VectorMath.softmax(scores, count: keys, width: keys, scale: scale)
            let target = z + head * d
            target.update(repeating: 0, count: d)
            for key in 0..<keys { VectorMath.add(v + key * d, times: scores[key], to: target, count: d) }
        }
    }

    /// silu(gate) · up, elementwise. [rows, width]
    func siluProduct(
        _ gate: UnsafePointer<Float>, _ up: UnsafePointer<Float>, width: Int, into post: UnsafeMutablePointer<Float>
    ) throws {
        try forRows { range in
            let start = range.lowerBound * width
            VectorMath.siluProduct(gate + start, up + start, into: post + start, count: range.count * width)
        }
    }

    /// The residual stream += x W' + b, by way of the site's own rows when somebody looks at them.
    func addToResidual(_ x: UnsafePointer<Float>, _ weight: Weight, site: Site) throws {
        guard isWatched(site) else {
            try linear(x, [(weight, .add(residual))])
            return
        }
        let out = workspace.buffer(.out, rows * weight.outputs)
        try linear(x, [(weight, .store(out))])
        try visit(site, out, width: weight.outputs)
        let residual = residual!
        try forRows { range in
            let start = range.lowerBound * weight.outputs
            VectorMath.add(out + start, to: residual + start, count: range.count * weight.outputs)
        }
    }

    /// Positions that rotary embedding needs for this pack.
    var longest: Int { past + (prompts.map { sequences.rows(of: $0).count }.max() ?? 0) }

    /// The position within its prompt of every row of the pack.
    private func positionOfRow() -> [Int] {
        var result: [Int] = []
        result.reserveCapacity(rows)
        for prompt in prompts { result += past..<past + sequences.rows(of: prompt).count }
        return result
    }
}
