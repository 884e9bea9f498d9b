internal import CHDF5

extension Walk {
    /// Checks a dataset in the order that keeps libhdf5 from acting on what it says: layout, external storage,
    /// element type, rank and extents, filters, and last where its bytes are.
    func inspect(_ found: Found, _ path: [String], _ context: Context) throws -> Dataset {
        let dataset = found.handle
        let creation = try context.handle(
            H5Dget_create_plist(dataset.id), H5Pclose, "reading how the dataset is stored")
        let layout = H5Pget_layout(creation.id)
        if layout == H5D_VIRTUAL {
            throw context.error(
                .layout, "this is a virtual dataset, whose values are in other files", "copy the values into this file")
        }
        guard layout == H5D_CONTIGUOUS || layout == H5D_COMPACT || layout == H5D_CHUNKED else {
            throw context.error(.layout, "its layout is unknown", "store it contiguous")
        }
        guard try context.check(H5Pget_external_count(creation.id), "counting external files") == 0 else {
            throw context.error(
                .layout, "its values are in another file (external storage)", "copy the values into this file")
        }
        let (type, order) = try elementType(of: dataset, context)
        let (shape, byteCount) = try extents(of: dataset, type, context)
        let placed: Dataset.Layout
        var stored = byteCount
        if layout == H5D_CONTIGUOUS {
            placed = .contiguous(offset: try offset(of: dataset, byteCount, shape, context))
        } else if layout == H5D_COMPACT {
            guard H5Dget_storage_size(dataset.id) == UInt64(byteCount) else {
                throw context.error(
                    .size, "its shape needs \(byteCount) bytes but others are stored", "the file is damaged or forged")
            }
            placed = .compact
        } else {
            let filters = try self.filters(of: creation, context)
            let chunk = try chunkShape(of: creation, shape, type, context)
            stored = try Int(clamping: storedSize(of: dataset, byteCount, shape, context))
            placed = .chunked(chunk: chunk, filters: filters)
        }
        return Dataset(
            path: path, type: type, order: order, shape: shape, layout: placed, byteCount: byteCount,
            storedBytes: stored,
            attributes: try attributes(of: dataset, count: found.attributeCount, context), address: found.address)
    }

    private func elementType(of dataset: Handle, _ context: Context) throws -> (StorageType, ByteOrder) {
        let type = try context.handle(H5Dget_type(dataset.id), H5Tclose, "reading the element type")
        if let recognised = StorageType.recognise(type.id) { return recognised }
        let kind =
            switch H5Tget_class(type.id) {
            case H5T_COMPOUND: "compound"
            case H5T_STRING: "string"
            case H5T_VLEN: "variable-length"
            case H5T_REFERENCE: "reference"
            case H5T_ENUM: "enumeration"
            case H5T_ARRAY: "array"
            case H5T_OPAQUE: "opaque"
            case H5T_BITFIELD: "bit field"
            case H5T_TIME: "time"
            case H5T_FLOAT: "\(H5Tget_size(type.id)) byte float of an unknown format"
            case H5T_INTEGER: "\(H5Tget_size(type.id)) byte integer of an unknown format"
            default: "unknown"
            }
        throw context.error(
            .type, "its elements are of type \(kind)",
            "store numbers (float16, bfloat16, float32, float64 or integers); text as 1-D uint8")
    }

    private func extents(of dataset: Handle, _ type: StorageType, _ context: Context) throws -> ([Int], Int) {
        let space = try context.handle(H5Dget_space(dataset.id), H5Sclose, "reading the shape")
        let rank = H5Sget_simple_extent_ndims(space.id)
        guard H5Sget_simple_extent_type(space.id) == H5S_SIMPLE, (1...8).contains(rank) else {
            throw context.error(
                .rank, rank == 0 ? "it is a scalar or empty" : "it has \(rank) dimensions",
                "store it with 1 to 8 dimensions")
        }
        var extents = [hsize_t](repeating: 0, count: Int(rank))
        _ = try context.check(H5Sget_simple_extent_dims(space.id, &extents, nil), "reading the shape")
        let shape = extents.map { Int(exactly: $0) ?? -1 }
        guard let byteCount = checkedProduct(shape + [type.byteCount]) else {
            throw context.error(
                .size, "its shape \(extents.map(String.init).joined(separator: " x ")) overflows",
                "the file is damaged or forged")
        }
        return (shape, byteCount)
    }

    private func offset(of dataset: Handle, _ byteCount: Int, _ shape: [Int], _ context: Context) throws -> Int? {
        let address = H5Dget_offset(dataset.id)
        let text = shape.map(String.init).joined(separator: " x ")
        if address == nh5_undefined_address() {
            if byteCount == 0 { return nil }
            throw context.error(.size, "its values (\(text)) were never written", "write them, or leave it out")
        }
        let stored = H5Dget_storage_size(dataset.id)
        guard stored == UInt64(byteCount) else {
            throw context.error(
                .size, "its shape \(text) needs \(byteCount) bytes but \(stored) are stored",
                "the file is damaged; copy it again from where it came")
        }
        guard let start = Int(exactly: address), start <= size, byteCount <= size - start else {
            throw context.error(
                .size, "its shape \(text) needs \(byteCount) bytes from byte \(address) on, but the file has \(size)",
                "the file is cut short or forged; copy it again from where it came")
        }
        return start
    }

    private func filters(of creation: Handle, _ context: Context) throws -> [Dataset.Filter] {
        let count = try context.check(H5Pget_nfilters(creation.id), "reading the filters")
        var filters: [Dataset.Filter] = []
        for index in 0..<UInt32(count) {
            var flags: UInt32 = 0
            var values = 0
            var configuration: UInt32 = 0
            let number = H5Pget_filter2(creation.id, index, &flags, &values, nil, 0, nil, &configuration)
            guard let filter = Dataset.Filter(rawValue: Int32(number)) else {
                let names = [4: "szip", 5: "nbit", 6: "scaleoffset", 32000: "lzf", 32001: "blosc", 32015: "zstd"]
                throw context.error(
                    .filter, "it is packed with filter \(number) (\(names[Int(number)] ?? "unknown"))",
                    "pack it with deflate, shuffle and fletcher32 only, or not at all (h5repack -f NONE)")
            }
            // Deflate expands; only what comes before it in the pipeline may stand between it and the shape.
            let isRepeated = filters.contains(filter)
            if isRepeated || (filter == .shuffle && filters.contains(.deflate)) {
                throw context.error(
                    .filter, "its filters are in an unusual order", "pack it as shuffle, deflate, fletcher32")
            }
            filters.append(filter)
        }
        return filters
    }

    private func chunkShape(
        of creation: Handle, _ shape: [Int], _ type: StorageType, _ context: Context
    ) throws -> [Int] {
        var extents = [hsize_t](repeating: 0, count: shape.count)
        guard H5Pget_chunk(creation.id, Int32(shape.count), &extents) == shape.count else {
            throw context.error(.size, "its chunks have another rank than its shape", "the file is damaged or forged")
        }
        let chunk = extents.map { Int(exactly: $0) ?? -1 }
        guard !chunk.contains(0), let bytes = checkedProduct(chunk + [type.byteCount]) else {
            throw context.error(.size, "the size of its chunks is impossible", "the file is damaged or forged")
        }
        guard bytes <= limits.chunkBytes else {
            throw context.error(
                .limit, "its chunks have \(bytes) bytes each, more than \(limits.chunkBytes)",
                "store it contiguous or in smaller chunks, it is beyond the limit `chunkBytes`, see show limits")
        }
        return chunk
    }

    /// Bytes that a chunked dataset takes, checked against what it claims to hold.
    private func storedSize(
        of dataset: Handle, _ byteCount: Int, _ shape: [Int], _ context: Context
    ) throws -> UInt64 {
        let stored = H5Dget_storage_size(dataset.id)
        let text = shape.map(String.init).joined(separator: " x ")
        if stored == 0, byteCount > 0 {
            throw context.error(.size, "its values (\(text)) were never written", "write them, or leave it out")
        }
        guard stored <= UInt64(size) else {
            throw context.error(
                .size, "it says it takes \(stored) bytes, but the file has \(size)", "the file is damaged or forged")
        }
        if byteCount > limits.chunkBytes, UInt64(byteCount / limits.ratio) > stored {
            throw context.error(
                .limit,
                "its shape \(text) needs \(byteCount) bytes, more than \(limits.ratio) for each of the"
                    + " \(stored) stored", "it is beyond the limit `ratio`, see show limits")
        }
        return stored
    }
}
