package import Control
import LinearAlgebra
internal import Models
import Synchronization

/// What verification found out about one tensor or text.
package struct VerificationRow: Sendable, Equatable {
    package enum State: Sendable, Equatable {
        case matches
        /// The file records no digest.
        case noDigest
        case mismatch
        /// The reason.
        case unreadable(String)
    }

    /// A tensor's name, or a text's path.
    package let name: String
    package let state: State
    package let nanCount: Int
    package let infiniteCount: Int

    package init(name: String, state: State, nanCount: Int, infiniteCount: Int) {
        self.name = name
        self.state = state
        self.nanCount = nanCount
        self.infiniteCount = infiniteCount
    }
}

extension Checkpoint {
    /// Reads every byte: compares digests and counts NaN and infinite values.
    ///
    /// One row for each text, then for each tensor in order of name. Throws only if cancelled or if the file was cut.
    package func verify(control: RunControl, threads: Int = 2) throws -> [VerificationRow] {
        try checkUnchanged()
        var rows = textEntries.map { entry in
            do {
                return row(entry.name, entry.digest, Digest.sha256(try textBytes(entry.name)), (0, 0))
            } catch {
                return VerificationRow(
                    name: entry.name, state: .unreadable("\(error)"), nanCount: 0, infiniteCount: 0)
            }
        }
        let total = tensors.reduce(0) { $0 + $1.byteCount }
        let done = Atomic<Int>(0)
        let found = Mutex<[VerificationRow?]>(Array(repeating: nil, count: tensors.count))
        // The largest first, so that no thread is left alone with one at the end.
        let order = tensors.indices.sorted { tensors[$0].byteCount > tensors[$1].byteCount }
        try forEachInParallel(order.count, threads: threads, control: control) { position in
            let info = tensors[order[position]]
            let result: VerificationRow
            do {
                result = try verify(info, control)
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                try checkUnchanged()
                result = VerificationRow(
                    name: info.name, state: .unreadable("\(error)"), nanCount: 0, infiniteCount: 0)
            }
            found.withLock { $0[order[position]] = result }
            let sum = done.wrappingAdd(info.byteCount, ordering: .relaxed).newValue
            control.report(done: sum, total: total, unit: "bytes verified")
        }
        rows += found.withLock { $0.compactMap { $0 } }
        return rows
    }

    private func verify(_ info: TensorInfo, _ control: RunControl) throws -> VerificationRow {
        // What can't be read is not looked at; there is no digest for it either.
        if info.unreadableType != nil { return row(info.name, nil, "", (0, 0)) }
        guard let view = try tensor(info.name) else { return row(info.name, info.digest, "", (0, 0)) }
        defer { withExtendedLifetime(view) {} }
        var hash = SHA256()
        var counts = (nan: 0, infinite: 0)
        // 64 KiB stay in the cache between the two readers.
        let slab = 1 << 16
        for (index, start) in stride(from: 0, to: view.bytes.count, by: slab).enumerated() {
            if index % 16 == 0 { try control.checkCancellation() }
            let bytes = UnsafeRawBufferPointer(rebasing: view.bytes[start..<min(start + slab, view.bytes.count)])
            hash.update(bytes)
            let more = nonFiniteCounts(bytes, info.type)
            counts.nan += more.nan
            counts.infinite += more.infinite
        }
        return row(info.name, info.digest, hash.finish(), counts)
    }

    private func row(
        _ name: String, _ expected: String?, _ actual: String, _ counts: (nan: Int, infinite: Int)
    ) -> VerificationRow {
        let state: VerificationRow.State =
            expected.map { $0.lowercased() == actual ? .matches : .mismatch } ?? .noDigest
        return VerificationRow(name: name, state: state, nanCount: counts.nan, infiniteCount: counts.infinite)
    }
}

/// Counts NaN and infinite elements by their bits; none for integers.
func nonFiniteCounts(_ bytes: UnsafeRawBufferPointer, _ type: ElementType) -> (nan: Int, infinite: Int) {
    switch type {
    case .f16: nonFiniteCounts(bytes, UInt16(0x7FFF), UInt16(0x7C00))
    case .bf16: nonFiniteCounts(bytes, UInt16(0x7FFF), UInt16(0x7F80))
    case .f32: nonFiniteCounts(bytes, UInt32(0x7FFF_FFFF), UInt32(0x7F80_0000))
    case .f64: nonFiniteCounts(bytes, UInt64(0x7FFF_FFFF_FFFF_FFFF), UInt64(0x7FF0_0000_0000_0000))
    default: (0, 0)
    }
}

@inline(__always)
private func nonFiniteCounts<Word: FixedWidthInteger & UnsignedInteger>(
    _ bytes: UnsafeRawBufferPointer, _ magnitude: Word, _ infinity: Word
) -> (nan: Int, infinite: Int) {
    let words = bytes.assumingMemoryBound(to: Word.self)
    // Rare values: look whether there are any before counting which.
    var any: Word = 0
    for word in words { any |= (word & magnitude) >= infinity ? 1 : 0 }
    if any == 0 { return (0, 0) }
    var nan = 0
    var infinite = 0
    for word in words {
        nan += (word & magnitude) > infinity ? 1 : 0
        infinite += (word & magnitude) == infinity ? 1 : 0
    }
    return (nan, infinite)
}
