import HDF5

/// The most that a file from elsewhere may ask for. (SAFETY rule 3.)
package struct FileLimits {
    private let limits = Limits()

    package init() {}

    /// Groups within groups.
    package var depth: Int { limits.depth }
    /// Groups and datasets of a file.
    package var objects: Int { limits.objects }
    /// Bytes of one object's name.
    package var nameBytes: Int { limits.nameBytes }
    /// Attributes of one object.
    package var attributes: Int { limits.attributes }
    /// Bytes of one attribute.
    package var attributeBytes: Int { limits.attributeBytes }
    /// Bytes of one decoded chunk.
    package var chunkBytes: Int { limits.chunkBytes }
    /// Decoded to stored bytes, beyond one chunk's size.
    package var ratio: Int { limits.ratio }
    /// Bytes of tensors that can't be mapped.
    package var decodedBytes: Int { limits.decodedBytes }
    /// Bytes of config.json or of tokenizer.json.
    package var textBytes: Int { limits.textBytes }
}
