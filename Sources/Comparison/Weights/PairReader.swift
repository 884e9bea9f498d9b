import Checkpoints
import Control
import LinearAlgebra
import Models
import Synchronization

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// Reads the paired tensors of two checkpoints in parts of a fixed size, on all threads of a pool, and asks the disk
/// for them ahead of time.
struct PairReader {
    let pairs: [TensorPairs.Pair]
    let a: Checkpoint
    let b: Checkpoint
    let pool: ThreadPool
    let control: RunControl

    /// The number of elements of a tensor that are read as one part: a millisecond or two of work, and 4 MiB or more of
    /// a file, which a disk reads at full speed.
    private static let partCount = 1 << 21
    /// The number of parts of tensors that the disk is asked for before they are needed.
    private static let readAhead = 8
    /// The bytes of a file that the operating system is asked to read ahead at a time; of more, many a disk's driver
    /// reads only the beginning.
    private static let request = 1 << 20

    private struct Part {
        let tensor: Int
        let range: Range<Int>
    }

    /// Measures each part of each pair of tensors, and joins the results of the parts of each pair in order.
    ///
    /// - Parameters:
    ///   - empty: makes the result for no elements, from which joining starts.
    ///   - join: adds a part's result to the result of its pair of tensors.
    ///   - measure: returns the result for a range of elements of the pair with the index `pair`.
    /// - Returns: one result for each pair of tensors.
    func reduce<Result: Sendable>(
        _ empty: @Sendable () -> Result, _ join: @Sendable (inout Result, Result) -> Void,
        _ measure: @Sendable (_ pair: Int, _ a: TensorView, _ b: TensorView, _ range: Range<Int>) -> Result
    ) throws -> [Result] {
        var results: [Result] = []
        results.reserveCapacity(pairs.count)
        let total = pairs.reduce(0) { $0 + $1.a.byteCount + $1.b.byteCount }
        let done = Atomic(0)
        // Tensors in a memory map are read together; one that must be decoded is in memory only while it is read.
        var first = 0
        while first < pairs.count {
            var group: [(a: TensorView, b: TensorView)] = []
            while first + group.count < pairs.count {
                let pair = pairs[first + group.count]
                guard let one = try a.tensor(pair.a.name), let other = try b.tensor(pair.b.name) else {
                    preconditionFailure("\(pair.name) was listed by both")
                }
                let isMapped = one.isFileMapping && other.isFileMapping
                if !isMapped, !group.isEmpty { break }
                group.append((one, other))
                if !isMapped { break }
            }
            results += try measured(group, from: first, total, done, empty, join, measure)
            first += group.count
        }
        return results
    }

    private func measured<Result: Sendable>(
        _ group: [(a: TensorView, b: TensorView)], from first: Int, _ total: Int, _ done: borrowing Atomic<Int>,
        _ empty: () -> Result, _ join: (inout Result, Result) -> Void,
        _ measure: @Sendable (_ pair: Int, _ a: TensorView, _ b: TensorView, _ range: Range<Int>) -> Result
    ) throws -> [Result] {
        var parts: [Part] = []
        for (tensor, views) in group.enumerated() {
            let count = views.a.count
            parts += stride(from: 0, to: count, by: Self.partCount).map {
                Part(tensor: tensor, range: $0..<min($0 + Self.partCount, count))
            }
        }
        let found = Mutex([Result?](repeating: nil, count: parts.count))
        for part in parts.prefix(Self.readAhead) { Self.prefetch(group[part.tensor], part.range) }
        try pool.run(tasks: parts.count) { task, _ in
            try control.checkCancellation()
            if task + Self.readAhead < parts.count {
                let ahead = parts[task + Self.readAhead]
                Self.prefetch(group[ahead.tensor], ahead.range)
            }
            let part = parts[task]
            let (one, other) = group[part.tensor]
            let result = measure(first + part.tensor, one, other, part.range)
            found.withLock { $0[task] = result }
            let bytes = part.range.count * (one.type.byteCount + other.type.byteCount)
            control.report(
                done: done.wrappingAdd(bytes, ordering: .relaxed).newValue >> 20, total: total >> 20, unit: "MiB")
        }
        var joined = group.map { _ in empty() }
        found.withLock { found in
            for (part, result) in zip(parts, found) {
                if let result { join(&joined[part.tensor], result) }
            }
        }
        return joined
    }

    /// Asks the system to read a range of elements of both tensors from their files into its cache, without waiting for
    /// it.
    private static func prefetch(_ views: (a: TensorView, b: TensorView), _ range: Range<Int>) {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        for view in [views.a, views.b] where view.isFileMapping {
            let start = Int(bitPattern: view.bytes.baseAddress!)
            let first = (start + range.lowerBound * view.type.byteCount) / page * page
            let last = start + range.upperBound * view.type.byteCount
            for place in stride(from: first, to: last, by: request) {
                madvise(UnsafeMutableRawPointer(bitPattern: place), min(request, last - place), MADV_WILLNEED)
            }
        }
    }
}
