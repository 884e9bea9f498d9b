internal import CHDF5

extension Walk {
    /// Reads all attributes of an open object: `count` of them, which is checked before anything is read.
    func attributes(of object: Handle, count: UInt64, _ context: Context) throws -> [String: Attribute] {
        if count == 0 { return [:] }
        guard count <= UInt64(limits.attributes) else {
            throw context.error(
                .attribute, "it has \(count) attributes, more than \(limits.attributes)",
                "it is beyond the limit `attributes`, see show limits")
        }
        var result: [String: Attribute] = [:]
        for index in 0..<count {
            let attribute = try context.handle(
                H5Aopen_by_idx(
                    object.id, ".", H5_INDEX_NAME, H5_ITER_NATIVE, index, nh5_default(), nh5_default()),
                H5Aclose, "opening an attribute")
            let name = try name(of: attribute, context)
            result[name] = try value(of: attribute, name, context)
        }
        return result
    }

    private func name(of attribute: Handle, _ context: Context) throws -> String {
        var bytes = [CChar](repeating: 0, count: 256)
        let length = try context.check(
            H5Aget_name(attribute.id, bytes.count, &bytes), "reading an attribute's name")
        guard length <= limits.nameBytes else {
            throw context.error(
                .attribute, "an attribute's name has \(length) bytes, more than \(limits.nameBytes)",
                "rename it, it is beyond the limit `nameBytes`, see show limits")
        }
        if length >= bytes.count {
            bytes = [CChar](repeating: 0, count: length + 1)
            _ = try context.check(H5Aget_name(attribute.id, bytes.count, &bytes), "reading an attribute's name")
        }
        guard let name = String(validating: bytes.prefix { $0 != 0 }, as: UTF8.self) else {
            throw context.error(.attribute, "an attribute's name is not UTF-8", "rename the attribute")
        }
        return name
    }

    private func value(of attribute: Handle, _ name: String, _ context: Context) throws -> Attribute {
        let what = "reading the attribute \"\(name)\""
        let size = H5Aget_storage_size(attribute.id)
        guard size <= UInt64(limits.attributeBytes) else {
            throw context.error(
                .attribute, "the attribute \"\(name)\" has \(size) bytes, more than \(limits.attributeBytes)",
                "store it as a dataset, it is beyond the limit `attributeBytes`, see show limits")
        }
        let type = try context.handle(H5Aget_type(attribute.id), H5Tclose, what)
        let space = try context.handle(H5Aget_space(attribute.id), H5Sclose, what)
        let other = Attribute.other(byteCount: Int(size))
        guard H5Sget_simple_extent_npoints(space.id) == 1 else { return other }
        let width = H5Tget_size(type.id)
        switch H5Tget_class(type.id) {
        case H5T_INTEGER:
            guard width <= 8, UInt64(width) <= size else { return other }
            var value: Int64 = 0
            _ = try context.check(H5Aread(attribute.id, nh5_native_int64(), &value), what)
            return .integer(Int(value))
        case H5T_STRING:
            let isVariable = try context.check(H5Tis_variable_str(type.id), what) > 0
            guard isVariable || (width > 0 && UInt64(width) <= size) else { return other }
            return .text(try isVariable ? variable(attribute, type, name, context) : fixed(attribute, type, context))
        default: return other
        }
    }

    private func fixed(_ attribute: Handle, _ type: Handle, _ context: Context) throws -> String {
        var bytes = [UInt8](repeating: 0, count: H5Tget_size(type.id))
        _ = try context.check(H5Aread(attribute.id, type.id, &bytes), "reading an attribute")
        var text = bytes.prefix { $0 != 0 }
        if H5Tget_strpad(type.id) == H5T_STR_SPACEPAD {
            while text.last == UInt8(ascii: " ") { text.removeLast() }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The library allocates the text; it comes from the file's heap, so the file bounds its size.
    private func variable(_ attribute: Handle, _ type: Handle, _ name: String, _ context: Context) throws -> String {
        var text: UnsafeMutablePointer<CChar>?
        _ = try context.check(H5Aread(attribute.id, type.id, &text), "reading the attribute \"\(name)\"")
        guard let text else { return "" }
        defer { _ = H5free_memory(text) }
        let length = strnlen(text, limits.attributeBytes + 1)
        guard length <= limits.attributeBytes else {
            throw context.error(
                .attribute, "the attribute \"\(name)\" has more than \(limits.attributeBytes) bytes",
                "store it as a dataset, it is beyond the limit `attributeBytes`, see show limits")
        }
        return String(decoding: UnsafeRawBufferPointer(start: text, count: length), as: UTF8.self)
    }
}
