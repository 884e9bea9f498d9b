/// What the walk found out about one dataset, checked against every limit; its values are not read yet.
package struct Dataset: Sendable, Equatable {
    package enum Filter: Int32, Sendable {
        case deflate = 1
        case shuffle = 2
        case fletcher32 = 3
    }

    package enum Layout: Sendable, Equatable {
        /// Byte offset in the file; nil only if the dataset has no elements.
        case contiguous(offset: Int?)
        /// Inside the object header.
        case compact
        case chunked(chunk: [Int], filters: [Filter])
    }

    /// Link names from the root down.
    package let path: [String]
    package let type: StorageType
    package let order: ByteOrder
    /// 1 to 8 extents.
    package let shape: [Int]
    package let layout: Layout
    /// Decoded size: elements times element size.
    package let byteCount: Int
    /// Bytes in the file.
    package let storedBytes: Int
    package let attributes: [String: Attribute]
    /// Address of the object header: equal for two names of one dataset.
    package let address: UInt64

    /// `/group/name`.
    package var name: String { "/" + path.joined(separator: "/") }

    package var count: Int { byteCount / type.byteCount }

    func renamed(_ path: [String]) -> Dataset {
        Dataset(
            path: path, type: type, order: order, shape: shape, layout: layout, byteCount: byteCount,
            storedBytes: storedBytes, attributes: attributes, address: address)
    }

    /// Whether the values lie in the file one after another, as they are.
    package var isContiguous: Bool {
        if case .contiguous = layout { true } else { false }
    }

    /// Offset at which the values can be used straight from a map of the file: contiguous, little-endian, aligned.
    package var mappableOffset: Int? {
        guard case .contiguous(let offset?) = layout, order == .little || type.byteCount == 1,
            offset % type.byteCount == 0
        else { return nil }
        return offset
    }

    /// For a listing: "contiguous", "chunked 64 x 64, shuffle, deflate", "big-endian".
    package var storage: String {
        var parts: [String] = []
        switch layout {
        case .contiguous(let offset):
            parts.append("contiguous")
            if let offset, offset % type.byteCount != 0 { parts.append("misaligned") }
        case .compact: parts.append("compact")
        case .chunked(let chunk, let filters):
            parts.append("chunked " + chunk.map(String.init).joined(separator: " x "))
            parts += filters.map { "\($0)" }
        }
        if order == .big, type.byteCount > 1 { parts.append("big-endian") }
        return parts.joined(separator: ", ")
    }
}

/// A group and its attributes.
package struct Group: Sendable, Equatable {
    /// Link names from the root down; empty for the root.
    package let path: [String]
    package let attributes: [String: Attribute]
}

/// An attribute's value.
package enum Attribute: Sendable, Equatable {
    case text(String)
    case integer(Int)
    /// Anything else; only its existence and size are known.
    case other(byteCount: Int)

    package var text: String? {
        if case .text(let text) = self { text } else { nil }
    }

    package var integer: Int? {
        if case .integer(let value) = self { value } else { nil }
    }
}

/// All groups and datasets of a file.
package struct Contents: Sendable, Equatable {
    /// The root first; then in order of name.
    package internal(set) var groups: [Group] = []
    /// In order of path.
    package internal(set) var datasets: [Dataset] = []

    /// Attributes of the root group.
    package var attributes: [String: Attribute] { groups.first?.attributes ?? [:] }

    package func dataset(_ path: [String]) -> Dataset? { datasets.first { $0.path == path } }
}
