package import Control
internal import HDF5
package import LinearAlgebra

extension PointFile {
    /// Bytes that are read at a time.
    private static let blockBytes = 4 << 20

    /// Reads rows as f32, [count, columns], in one pass over the file: beside the result it takes a block of some MB.
    /// What a dataset is packed in (chunks, filters) is unpacked first, and given back as it is converted.
    ///
    /// - Parameter selection: row numbers, ascending.
    /// - Throws: `CheckpointError` at a number beyond the range of f32, with its row and column; `CancellationError`.
    package func matrix<Rows: RandomAccessCollection<Int>>(rows selection: Rows, control: RunControl) throws -> Matrix
    where Rows.Index == Int {
        let bytes = try Bytes(self)
        let count = selection.count * columns
        let values = try [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
            let target = UnsafeMutableBufferPointer(rebasing: buffer[0..<count])
            if isColumnMajor {
                try readColumns(bytes, selection, into: target, control)
            } else {
                try readRows(bytes, selection, into: target, control)
            }
            initialized = count
        }
        return Matrix(rows: selection.count, columns: columns, values: values)
    }

    private func readRows<Rows: RandomAccessCollection<Int>>(
        _ bytes: Bytes, _ selection: Rows, into target: UnsafeMutableBufferPointer<Float>, _ control: RunControl
    ) throws where Rows.Index == Int {
        let rowBytes = columns * type.byteCount
        let most = max(1, Self.blockBytes / rowBytes)
        let start = selection.startIndex
        var next = start
        while next < selection.endIndex {
            try control.checkCancellation()
            control.report(done: next - start, total: selection.count, unit: "rows")
            let first = selection[next]
            // Rows that no one asked for are read over where they lie between two of a block.
            var end = next + 1
            while end < selection.endIndex, selection[end] - first < most { end += 1 }
            let last = selection[end - 1]
            try bytes.with(first * rowBytes..<(last + 1) * rowBytes) { block in
                var row = next
                while row < end {
                    // Neighbours are converted together.
                    var after = row + 1
                    while after < end, selection[after] == selection[after - 1] + 1 { after += 1 }
                    let place = block + (selection[row] - first) * rowBytes
                    let part = (row - start) * columns..<(after - start) * columns
                    if let bad = NumberConversion.convert(place, type, into: .init(rebasing: target[part])) {
                        throw beyondRange(place, bad, row: selection[row] + bad / columns, column: bad % columns)
                    }
                    row = after
                }
            }
            next = end
        }
    }

    /// Whole columns at a time, each spread over the rows of the result.
    private func readColumns<Rows: RandomAccessCollection<Int>>(
        _ bytes: Bytes, _ selection: Rows, into target: UnsafeMutableBufferPointer<Float>, _ control: RunControl
    ) throws where Rows.Index == Int {
        guard let first = selection.first, let last = selection.last else { return }
        let span = last - first + 1
        let scratch = UnsafeMutableBufferPointer<Float>.allocate(capacity: span)
        defer { scratch.deallocate() }
        for column in 0..<columns {
            try control.checkCancellation()
            control.report(done: column, total: columns, unit: "columns")
            let start = (column * rows + first) * type.byteCount
            try bytes.with(start..<start + span * type.byteCount) { block in
                if let bad = NumberConversion.convert(block, type, into: scratch) {
                    // One that was not asked for does no harm.
                    if selection.contains(first + bad) {
                        throw beyondRange(block, bad, row: first + bad, column: column)
                    }
                }
            }
            for (place, row) in selection.enumerated() { target[place * columns + column] = scratch[row - first] }
        }
    }

    private func beyondRange(_ place: UnsafeRawPointer, _ index: Int, row: Int, column: Int) -> CheckpointError {
        let number = place.assumingMemoryBound(to: Double.self)[index]
        return CheckpointError(
            .inconsistent, file: path, problem: "row \(row), column \(column) holds \(number), beyond the range of f32",
            remedy: "scale the numbers, or leave that row out with --rows")
    }

    /// Where the array's bytes come from, counted from its first.
    private final class Bytes {
        private enum Place {
            case npy(RegularFile, Int)
            case contiguous(File, Dataset)
            case decoded(DecodedBytes)
        }

        private let place: Place
        private let elementSize: Int
        private let swaps: Bool
        private var block = UnsafeMutableRawBufferPointer(start: nil, count: 0)

        init(_ file: PointFile) throws {
            elementSize = file.type.byteCount
            swaps = file.isBigEndian
            switch file.source {
            case .npy(let file, let offset): place = .npy(file, offset)
            case .hdf5(let file, let dataset):
                place =
                    dataset.isContiguous ? .contiguous(file, dataset) : .decoded(try file.decode(dataset))
            }
        }

        deinit { block.deallocate() }

        /// Little-endian elements, aligned, until `body` returns. Ranges must ascend.
        func with(_ range: Range<Int>, _ body: (UnsafeRawPointer) throws -> Void) throws {
            if case .decoded(let bytes) = place {
                // Decoded bytes are little-endian, whatever the file has.
                guard let start = bytes.bytes.baseAddress else { return }
                try body(start + range.lowerBound)
                return bytes.discard(upTo: range.upperBound)
            }
            if block.count < range.count {
                block.deallocate()
                block = .allocate(byteCount: range.count, alignment: 64)
            }
            let target = UnsafeMutableRawBufferPointer(rebasing: block[0..<range.count])
            switch place {
            case .npy(let file, let offset):
                try file.read(offset + range.lowerBound..<offset + range.upperBound, into: target)
            case .contiguous(let file, let dataset): try file.read(range, of: dataset, into: target)
            case .decoded: return
            }
            if swaps { swapBytes(target, elementSize: elementSize) }
            guard let start = target.baseAddress else { return }
            try body(start)
        }
    }
}
