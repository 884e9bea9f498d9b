/// A view of one stored tensor: little-endian elements, row-major, kept alive by `owner`.
package struct TensorView: @unchecked Sendable {
    package let name: String
    package let type: ElementType
    package let shape: [Int]
    /// `shape` product × element size bytes; aligned for the element type.
    package let bytes: UnsafeRawBufferPointer
    /// Whatever keeps `bytes` valid: a mapped file, or decoded memory.
    package let owner: AnyObject

    /// Whether `bytes` are a file's pages, which can be given back to the system and come again when needed.
    package let isFileMapping: Bool

    package init(
        name: String, type: ElementType, shape: [Int], bytes: UnsafeRawBufferPointer, owner: AnyObject,
        isFileMapping: Bool = false
    ) {
        self.name = name
        self.type = type
        self.shape = shape
        self.bytes = bytes
        self.owner = owner
        self.isFileMapping = isFileMapping
    }

    /// Number of elements.
    package var count: Int { shape.reduce(1, *) }
}

/// Where a model's weights come from: an opened checkpoint, or tensors in memory.
package protocol WeightSource: Sendable {
    /// What errors call this source: a file's name.
    var label: String { get }
    /// Shape and type of a tensor without touching its bytes; nil if there is none of that name.
    func describe(_ name: String) -> (type: ElementType, shape: [Int])?
    /// The tensor's bytes, mapped or decoded on first use. Throws if the file no longer holds them.
    func tensor(_ name: String) throws -> TensorView?
}
