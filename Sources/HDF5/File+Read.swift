internal import CHDF5
import Synchronization

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// Memory that holds a dataset's decoded values, aligned to a page, freed with its last reference.
///
/// It is shared with child processes, one of which may fill it.
package final class DecodedBytes: @unchecked Sendable {
    package let bytes: UnsafeRawBufferPointer
    private let storage: UnsafeMutableRawBufferPointer
    private var discarded = 0

    package init(byteCount: Int, path: String) throws {
        let size = max(byteCount, 1)
        guard let start = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0),
            start != MAP_FAILED
        else { throw HDF5Error.system(path, "\(byteCount) bytes of memory cannot be had", errno) }
        storage = UnsafeMutableRawBufferPointer(start: start, count: size)
        bytes = UnsafeRawBufferPointer(rebasing: storage[0..<byteCount])
    }

    /// A copy of the elements, which must be of the dataset's type.
    package func array<Element: BitwiseCopyable>(of _: Element.Type) -> [Element] {
        withExtendedLifetime(self) { Array(bytes.assumingMemoryBound(to: Element.self)) }
    }

    /// For whoever fills it, before anyone else has it.
    package var mutable: UnsafeMutableRawBufferPointer { .init(rebasing: storage[0..<bytes.count]) }

    /// Gives back the pages that lie wholly before a byte; they must not be read again.
    package func discard(upTo end: Int) {
        let page = Int(getpagesize())
        let whole = end / page * page
        guard whole > discarded else { return }
        #if canImport(Glibc)
            _ = madvise(storage.baseAddress! + discarded, whole - discarded, MADV_REMOVE)
        #endif
        discarded = whole
    }

    deinit { _ = munmap(storage.baseAddress!, storage.count) }
}

/// A file mapped for reading, unmapped with the last reference.
package final class MappedFile: @unchecked Sendable {
    package let bytes: UnsafeRawBufferPointer

    /// - Parameter size: above 0.
    package init(descriptor: Int32, size: Int, path: String) throws {
        guard let start = mmap(nil, size, PROT_READ, MAP_SHARED, descriptor, 0), start != MAP_FAILED else {
            throw HDF5Error.system(path, "the file cannot be mapped into memory", errno)
        }
        bytes = UnsafeRawBufferPointer(start: start, count: size)
        MappedFiles.add(bytes, path: path)
    }

    deinit {
        MappedFiles.remove(bytes)
        _ = munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count)
    }
}

extension File {
    /// Maps the whole file; nothing is read until it is touched.
    package func map() throws -> MappedFile {
        try checkUnchanged()
        return try MappedFile(descriptor: descriptor, size: size, path: path)
    }

    /// Reads a dataset into memory as little-endian values, bit for bit.
    ///
    /// The memory type is the file type, so that no conversion touches a NaN or a bfloat16; the byte order is
    /// turned afterwards. Throws if the size is beyond `limits.decodedBytes`.
    package func decode(_ dataset: Dataset) throws -> DecodedBytes {
        let context = Context(file: path, object: dataset.name)
        try checkUnchanged()
        guard dataset.byteCount <= limits.decodedBytes else {
            throw context.error(
                .limit,
                "its shape \(dataset.shape.map(String.init).joined(separator: " x ")) needs \(dataset.byteCount)"
                    + " bytes in memory, more than \(limits.decodedBytes)",
                "store it contiguous and little-endian, it is beyond the limit `decodedBytes`, see show limits")
        }
        let result = try DecodedBytes(byteCount: dataset.byteCount, path: path)
        if dataset.byteCount > 0 {
            // `result` is used after each call, so its memory stays.
            if case .contiguous(let offset?) = dataset.layout {
                try read(result.mutable, at: offset, context)
            } else {
                try readThroughLibrary(dataset, result.mutable, context)
            }
        }
        if dataset.order == .big { swapBytes(result.mutable, elementSize: dataset.type.byteCount) }
        return result
    }

    /// Reads some bytes of a contiguous dataset's values as they are in the file.
    ///
    /// - Parameters:
    ///   - range: within the dataset's `byteCount`.
    ///   - target: of the range's size.
    package func read(_ range: Range<Int>, of dataset: Dataset, into target: UnsafeMutableRawBufferPointer) throws {
        let context = Context(file: path, object: dataset.name)
        guard case .contiguous(let offset?) = dataset.layout, range.upperBound <= dataset.byteCount,
            target.count == range.count
        else { throw context.error(.usage, "bytes \(range) can't be read by themselves", "decode it as a whole") }
        try read(target, at: offset + range.lowerBound, context)
    }

    /// Reads a 1-D uint8 dataset. Whether it is UTF-8 is the caller's concern.
    package func text(_ dataset: Dataset) throws -> [UInt8] {
        let context = Context(file: path, object: dataset.name)
        guard dataset.type == .uint8, dataset.shape.count == 1 else {
            throw context.error(
                .type, "text must be 1-D uint8, but this is \(dataset.type) with \(dataset.shape.count) dimensions",
                "store the UTF-8 bytes: numpy.frombuffer(text.encode(), numpy.uint8)")
        }
        guard dataset.byteCount <= limits.textBytes else {
            throw context.error(
                .limit, "the text has \(dataset.byteCount) bytes, more than \(limits.textBytes)",
                "it is beyond the limit `textBytes`, see show limits")
        }
        return try decode(dataset).array(of: UInt8.self)
    }

    private func read(_ target: UnsafeMutableRawBufferPointer, at offset: Int, _ context: Context) throws {
        var done = 0
        while done < target.count {
            let count = pread(
                descriptor, target.baseAddress.map { $0 + done }, min(target.count - done, 1 << 30),
                off_t(offset + done))
            if count < 0, errno == EINTR { continue }
            if count < 0 { throw HDF5Error.system(path, "reading \(context.object ?? "") failed", errno) }
            if count == 0 { try checkUnchanged() }
            guard count > 0 else {
                throw context.error(.truncated, "the file ends inside it", "copy it again from where it came")
            }
            done += count
        }
    }

    private func readThroughLibrary(
        _ dataset: Dataset, _ target: UnsafeMutableRawBufferPointer, _ context: Context
    ) throws {
        let seconds = limits.seconds + dataset.byteCount / (32 << 20)
        _ = try Isolation(file: path, seconds: seconds).run {
            let file = try Walk(descriptor: descriptor, path: path, size: size, limits: limits).openLibrary()
            defer { withExtendedLifetime(file) {} }
            let handle = try open(dataset, in: file, context)
            let type = try context.handle(H5Dget_type(handle.id), H5Tclose, "reading the element type")
            guard H5Tget_size(type.id) == dataset.type.byteCount else {
                throw context.error(.type, "its element type has changed", "open the file again")
            }
            if case .chunked(let chunk, let filters) = dataset.layout {
                try checkChunks(of: handle, dataset, chunk, filters, context)
            }
            _ = try context.check(
                H5Dread(handle.id, type.id, nh5_whole(), nh5_whole(), nh5_default(), target.baseAddress),
                "reading the values")
            return []
        }
    }

    /// Opens component by component: no link type was anything but hard when the file was walked.
    private func open(_ dataset: Dataset, in file: Handle, _ context: Context) throws -> Handle {
        var group = try context.handle(H5Gopen2(file.id, "/", nh5_default()), H5Gclose, "opening the root group")
        for name in dataset.path.dropLast() {
            group = try context.handle(H5Gopen2(group.id, name, nh5_default()), H5Gclose, "opening a group")
        }
        return try context.handle(
            H5Dopen2(group.id, dataset.path.last ?? "", nh5_default()), H5Dclose, "opening the dataset")
    }

    /// Every chunk must be there, be no larger than its decoded size allows, and inflate to no more than that.
    private func checkChunks(
        of handle: Handle, _ dataset: Dataset, _ chunk: [Int], _ filters: [Dataset.Filter], _ context: Context
    ) throws {
        let decoded = chunk.reduce(dataset.type.byteCount, *)
        // Deflate adds at most 5 bytes in 16 KiB and a header; fletcher32 adds 4.
        let largest = decoded + decoded / 1000 + 64
        var at = [Int](repeating: 0, count: chunk.count)
        var raw = [UInt8](repeating: 0, count: largest)
        while true {
            var start = at.map { hsize_t($0) }
            var stored: hsize_t = 0
            guard H5Dget_chunk_storage_size(handle.id, &start, &stored) >= 0, stored > 0 else {
                throw context.error(.size, "its chunk at \(at) was never written", "write it, or leave it out")
            }
            guard stored <= UInt64(largest) else {
                throw context.error(
                    .size, "its chunk at \(at) takes \(stored) bytes for \(decoded)", "the file is damaged or forged")
            }
            if filters.contains(.deflate) {
                var mask: UInt32 = 0
                _ = try context.check(H5Dread_chunk(handle.id, nh5_default(), &start, &mask, &raw), "reading a chunk")
                let place = filters.firstIndex(of: .deflate) ?? 0
                if mask & (1 << UInt32(place)) == 0 {
                    try checkInflation(raw, count: Int(stored), decoded, at, context)
                }
            }
            var axis = chunk.count - 1
            while axis >= 0 {
                at[axis] += chunk[axis]
                if at[axis] < dataset.shape[axis] { break }
                at[axis] = 0
                axis -= 1
            }
            if axis < 0 { return }
        }
    }

    private func checkInflation(
        _ raw: [UInt8], count: Int, _ decoded: Int, _ at: [Int], _ context: Context
    ) throws {
        var inflated: UInt64 = 0
        // Fletcher32 before deflate in the pipeline makes what is inflated 4 bytes longer.
        switch nh5_inflated_size(raw, count, UInt64(decoded) + 4, &inflated) {
        case 0: return
        case 1:
            throw context.error(
                .filter, "its chunk at \(at) is not valid deflate data",
                "the file is damaged; copy it again from where it came")
        default:
            throw context.error(
                .limit, "its chunk at \(at) inflates to more than its \(decoded) bytes", "the file is damaged or forged"
            )
        }
    }
}

/// Turns the byte order of every element in place.
package func swapBytes(_ bytes: UnsafeMutableRawBufferPointer, elementSize: Int) {
    func swap<Word: FixedWidthInteger>(_: Word.Type) {
        let words = bytes.assumingMemoryBound(to: Word.self)
        for index in words.indices { words[index] = words[index].byteSwapped }
    }
    switch elementSize {
    case 2: swap(UInt16.self)
    case 4: swap(UInt32.self)
    case 8: swap(UInt64.self)
    default: break
    }
}
