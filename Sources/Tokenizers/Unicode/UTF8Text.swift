/// A stretch of valid UTF-8, read one scalar at a time. Positions are byte offsets of `bytes`.
struct UTF8Text {
    let bytes: UnsafeBufferPointer<UInt8>
    let end: Int
    let classes: UnicodeClasses

    init(bytes: UnsafeBufferPointer<UInt8>, end: Int) {
        self.bytes = bytes
        self.end = end
        classes = .shared
    }

    /// The same text up to an earlier end.
    @inline(__always)
    func ending(at end: Int) -> UTF8Text {
        UTF8Text(bytes: bytes, end: end, classes: classes)
    }

    private init(bytes: UnsafeBufferPointer<UInt8>, end: Int, classes: UnicodeClasses) {
        self.bytes = bytes
        self.end = end
        self.classes = classes
    }

    /// The scalar that starts at `position` and its length in bytes.
    @inline(__always)
    func scalar(at position: Int) -> (value: UInt32, width: Int) {
        let first = UInt32(bytes[position])
        if first < 0x80 { return (first, 1) }
        let second = UInt32(bytes[position + 1] & 0x3F)
        if first < 0xE0 { return ((first & 0x1F) << 6 | second, 2) }
        let third = UInt32(bytes[position + 2] & 0x3F)
        if first < 0xF0 { return ((first & 0x0F) << 12 | second << 6 | third, 3) }
        return ((first & 0x07) << 18 | second << 12 | third << 6 | UInt32(bytes[position + 3] & 0x3F), 4)
    }

    @inline(__always)
    func scalarClass(at position: Int) -> (value: ScalarClass, width: Int) {
        let (scalar, width) = scalar(at: position)
        return (classes[scalar], width)
    }

    /// Where the scalar that ends at `position` starts.
    func start(before position: Int) -> Int {
        var start = position - 1
        while start > 0, bytes[start] & 0xC0 == 0x80 { start -= 1 }
        return start
    }

    /// The end of the run of scalars in any of `wanted` that begins at `start`.
    @inline(__always)
    func endOfRun(of wanted: ScalarClass, from start: Int, atMost limit: Int = .max) -> Int {
        var position = start
        var count = 0
        while position < end, count < limit {
            let (value, width) = scalarClass(at: position)
            if value.isDisjoint(with: wanted) { break }
            position += width
            count += 1
        }
        return position
    }

    /// The end of the run of scalars in none of `unwanted` that begins at `start`.
    @inline(__always)
    func endOfRun(outside unwanted: ScalarClass, from start: Int) -> Int {
        var position = start
        while position < end {
            let (value, width) = scalarClass(at: position)
            if !value.isDisjoint(with: unwanted) { break }
            position += width
        }
        return position
    }
}
