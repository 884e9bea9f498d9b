import HDF5

/// The limits on what a file from an unknown source may demand.
package struct FileLimits {
    private let limits = Limits()

    package init() {}

    /// The largest depth of groups within groups.
    package var depth: Int { limits.depth }
    /// The largest number of groups and datasets in a file.
    package var objects: Int { limits.objects }
    /// The largest number of bytes of one object's name.
    package var nameBytes: Int { limits.nameBytes }
    /// The largest number of attributes of one object.
    package var attributes: Int { limits.attributes }
    /// The largest number of bytes of one attribute.
    package var attributeBytes: Int { limits.attributeBytes }
    /// The largest number of bytes of one decoded chunk.
    package var chunkBytes: Int { limits.chunkBytes }
    /// The largest ratio of decoded to stored bytes, beyond the size of one chunk.
    package var ratio: Int { limits.ratio }
    /// The largest number of bytes of tensors that can't be mapped.
    package var decodedBytes: Int { limits.decodedBytes }
    /// The largest number of bytes of config.json or of tokenizer.json.
    package var textBytes: Int { limits.textBytes }
}
