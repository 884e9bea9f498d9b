internal import CHDF5
import Synchronization

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// Writes a new HDF5 file that takes its target's place only when it is complete, on the disk and verified.
///
/// Datasets are contiguous and little-endian, on 64-byte boundaries; no timestamps are kept, so the same values make
/// the same file. All methods may be called from any thread. After a method has thrown, only `abandon` is useful.
package final class FileWriter: Sendable {
    /// Where the file will be.
    package let path: String
    private let state: Mutex<State>

    private struct State {
        var file: TemporaryFile?
        /// Negative when closed.
        var id: hid_t = -1
        /// Something was not written; what is there must not take the target's place.
        var isBroken = false
    }

    /// Starts a file beside `path`.
    ///
    /// - Parameter expectedBytes: size of all datasets together; it is reserved on the disk.
    /// Throws if `path` exists and `overwrite` is false, or if there is not enough space.
    package init(_ path: String, overwrite: Bool, expectedBytes: Int) throws {
        self.path = path
        // Headers, alignment and the library's own blocks.
        let (needed, overflow) = expectedBytes.addingReportingOverflow(1 << 20)
        if overflow { throw FilePlacement.full(path, expectedBytes, nil) }
        let file = try TemporaryFile(target: path, overwrite: overwrite, expectedBytes: needed)
        let context = Context(file: path)
        let id = try Library.locked(file: path) {
            let access = try context.handle(nh5_writing(), H5Pclose, "preparing to write")
            return try context.check(nh5_create(file.path, access.id), "creating the file")
        }
        do {
            try file.reserve(needed)
        } catch {
            _ = try? Library.locked(file: path) { H5Fclose(id) }
            throw error
        }
        let state = State(file: file, id: id)
        nonisolated(unsafe) let moved = state
        self.state = Mutex(moved)
    }

    deinit { abandon() }

    /// Removes the temporary file; the target stays what it was. Harmless after `commit`.
    package func abandon() {
        state.withLock { state in
            // After a full disk closing fails; the descriptor is gone with the process at the latest.
            if state.id >= 0 { _ = try? Library.locked(file: path) { [id = state.id] in H5Fclose(id) } }
            state.id = -1
            state.file?.discard()
            state.file = nil
        }
    }

    /// Closes and flushes the file, lets `verify` look at it, and puts it in its place.
    ///
    /// Nothing is in place if anything throws.
    package func commit(verify: (File) throws -> Void) throws {
        do {
            try state.withLock { state in
                guard let file = state.file, state.id >= 0 else { throw closed }
                if state.isBroken { throw broken }
                let id = state.id
                state.id = -1
                let context = Context(file: path)
                try Library.locked(file: path) {
                    guard H5Fflush(id, H5F_SCOPE_GLOBAL) >= 0 else {
                        let failure = writeFailure(context)
                        _ = H5Fclose(id)
                        throw failure
                    }
                    guard H5Fclose(id) >= 0 else { throw writeFailure(context) }
                }
                guard fsync(file.descriptor) == 0 else {
                    throw HDF5Error.system(path, "writing to the disk failed", errno)
                }
                try verify(try File(file.path))
                try file.commit()
                state.file = nil
            }
        } catch {
            abandon()
            throw error
        }
    }

    /// Attaches a text to an object; `/` is the root.
    package func setAttribute(_ name: String, _ text: String, on object: String = "/") throws {
        try locked(object) { id, context in
            let type = try context.handle(nh5_text_type(), H5Tclose, "creating an attribute")
            let attribute = try self.attribute(name, type, in: id, object, context)
            try text.withCString { pointer in
                var pointer: UnsafePointer<CChar>? = pointer
                _ = try context.check(H5Awrite(attribute.id, type.id, &pointer), "writing the attribute \(name)")
            }
            try self.close(attribute, context)
        }
    }

    /// Attaches an integer to an object; `/` is the root.
    package func setAttribute(_ name: String, _ value: Int, on object: String = "/") throws {
        try locked(object) { id, context in
            let type = try context.handle(H5Tcopy(nh5_i64le()), H5Tclose, "creating an attribute")
            let attribute = try self.attribute(name, type, in: id, object, context)
            var value = Int64(value)
            _ = try context.check(H5Awrite(attribute.id, nh5_native_int64(), &value), "writing the attribute \(name)")
            try self.close(attribute, context)
        }
    }

    /// Creates a group; its parent must exist.
    package func createGroup(_ group: String) throws {
        try locked(group) { id, context in
            let names = try context.handle(nh5_utf8_names(), H5Pclose, "creating the group")
            let handle = try context.handle(
                nh5_create_group(id, group, names.id), H5Gclose, "creating the group")
            try self.close(handle, context)
        }
    }

    /// Creates a dataset of 1 to 8 dimensions, its space allocated; its group must exist.
    package func createDataset(_ dataset: String, type: StorageType, shape: [Int]) throws {
        try locked(dataset) { id, context in
            guard (1...8).contains(shape.count), checkedProduct(shape + [type.byteCount]) != nil else {
                throw context.error(.rank, "the shape \(shape) cannot be stored", "use 1 to 8 dimensions")
            }
            let element = try context.handle(type.makeFileType(), H5Tclose, "creating the dataset")
            let extents = shape.map { hsize_t($0) }
            let space = try context.handle(
                H5Screate_simple(Int32(shape.count), extents, nil), H5Sclose, "creating the dataset")
            let names = try context.handle(nh5_utf8_names(), H5Pclose, "creating the dataset")
            let creation = try context.handle(nh5_contiguous(), H5Pclose, "creating the dataset")
            let handle = try context.handle(
                H5Dcreate2(id, dataset, element.id, space.id, names.id, creation.id, nh5_default()), H5Dclose,
                "creating the dataset")
            try self.close(handle, context)
        }
    }

    /// Creates a 1-D uint8 dataset that holds `text`.
    package func createText(_ dataset: String, _ text: [UInt8]) throws {
        try createDataset(dataset, type: .uint8, shape: [text.count])
        try text.withUnsafeBytes { try writeRows(dataset, first: 0, count: text.count, $0) }
    }

    /// Writes rows (extents along the first dimension) `first ..< first + count`, given as little-endian elements.
    package func writeRows(
        _ dataset: String, first: Int, count: Int, _ bytes: UnsafeRawBufferPointer
    ) throws {
        if count == 0 { return }
        nonisolated(unsafe) let bytes = bytes
        try locked(dataset) { id, context in
            let handle = try context.handle(H5Dopen2(id, dataset, nh5_default()), H5Dclose, "opening the dataset")
            let type = try context.handle(H5Dget_type(handle.id), H5Tclose, "reading the element type")
            let space = try context.handle(H5Dget_space(handle.id), H5Sclose, "reading the shape")
            let rank = Int(H5Sget_simple_extent_ndims(space.id))
            guard rank > 0 else { throw context.error(.usage, "the dataset has no rows", "report this") }
            var block = [hsize_t](repeating: 0, count: rank)
            _ = try context.check(H5Sget_simple_extent_dims(space.id, &block, nil), "reading the shape")
            guard first >= 0, count >= 0, count <= Int(block[0]), first <= Int(block[0]) - count else {
                throw context.error(
                    .usage, "rows \(first)..<\(first + count) of \(block[0]) were to be written", "report this")
            }
            block[0] = hsize_t(count)
            let needed = block.reduce(hsize_t(H5Tget_size(type.id)), *)
            guard needed == UInt64(bytes.count) else {
                throw context.error(.usage, "\(bytes.count) bytes were given for \(needed)", "report this")
            }
            var start = [hsize_t](repeating: 0, count: rank)
            start[0] = hsize_t(first)
            _ = try context.check(
                H5Sselect_hyperslab(space.id, H5S_SELECT_SET, start, nil, block, nil), "selecting rows")
            let memory = try context.handle(H5Screate_simple(Int32(rank), block, nil), H5Sclose, "selecting rows")
            // The memory type is the file type: nothing is converted, every bit arrives.
            let status = H5Dwrite(handle.id, type.id, memory.id, space.id, nh5_default(), bytes.baseAddress)
            guard status >= 0 else { throw self.writeFailure(context) }
            try self.close(handle, context)
        }
    }

    private func locked(_ object: String, _ body: (hid_t, Context) throws -> Void) throws {
        try state.withLock { state in
            guard state.id >= 0 else { throw closed }
            let id = state.id
            do {
                try Library.locked(file: path) { try body(id, Context(file: path, object: object)) }
            } catch {
                // A request that made no sense has changed nothing.
                if (error as? HDF5Error)?.kind != .usage { state.isBroken = true }
                throw error
            }
        }
    }

    private func attribute(
        _ name: String, _ type: Handle, in id: hid_t, _ object: String, _ context: Context
    ) throws -> Handle {
        let space = try context.handle(H5Screate(H5S_SCALAR), H5Sclose, "creating an attribute")
        return try context.handle(
            H5Acreate_by_name(
                id, object, name, type.id, space.id, nh5_default(), nh5_default(), nh5_default()),
            H5Aclose, "creating the attribute \(name)")
    }

    private func close(_ handle: Handle, _ context: Context) throws {
        guard handle.closeNow() else { throw writeFailure(context) }
    }

    private func writeFailure(_ context: Context) -> HDF5Error {
        let detail = Library.detail()
        if detail.contains("No space left") {
            return context.error(.diskFull, "the disk is full", "free some space or save elsewhere")
        }
        return context.error(
            .system, "writing failed (libhdf5: \(detail))", "check the disk; what was there before is untouched")
    }

    private var broken: HDF5Error {
        HDF5Error(.usage, file: path, problem: "part of the file could not be written", remedy: "save it again")
    }

    private var closed: HDF5Error {
        HDF5Error(.usage, file: path, problem: "the file is no longer being written", remedy: "report this")
    }
}
