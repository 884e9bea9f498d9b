/// How much a file may ask of this process. Raised by the user only.
package struct Limits: Sendable, Equatable {
    /// Groups below one another.
    package var depth = 32
    /// Links in the whole file.
    package var objects = 100_000
    /// Bytes of one link's or attribute's name.
    package var nameBytes = 1024
    /// Attributes of one object.
    package var attributes = 256
    /// Bytes of one attribute.
    package var attributeBytes = 65_536
    /// Decoded bytes of one chunk.
    package var chunkBytes = 64 << 20
    /// Decoded bytes per stored byte, of a dataset whose decoded size is beyond `chunkBytes`.
    package var ratio = 100
    /// Bytes of one dataset that must be decoded into memory.
    package var decodedBytes = 4 << 30
    /// Bytes of one text dataset.
    package var textBytes = 256 << 20

    /// Processor seconds for listing a file's contents, in a process of its own. Decoding gets one more for every
    /// 32 MiB.
    package var seconds = 10

    package init() {}
}

/// The product of non-negative extents; nil when it does not fit.
package func checkedProduct(_ extents: some Sequence<Int>) -> Int? {
    var product = 1
    for extent in extents {
        let (value, overflow) = product.multipliedReportingOverflow(by: extent)
        if overflow || extent < 0 { return nil }
        product = value
    }
    return product
}
