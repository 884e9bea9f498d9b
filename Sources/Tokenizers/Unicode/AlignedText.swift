/// Text on its way to the model, after something has changed it, each byte of it with the part of the original text
/// that it came from.
struct AlignedText: Sendable {
    /// The bytes of the original text that a byte came from: whole characters.
    struct Origin: Sendable {
        var start: Int
        var end: Int
    }

    private(set) var bytes: [UInt8] = []
    /// One for each byte; none where `isTracked` is false, since only ranges need them.
    private(set) var origins: [Origin] = []
    let isTracked: Bool

    init(isTracked: Bool, capacity: Int = 0) {
        self.isTracked = isTracked
        bytes.reserveCapacity(capacity)
        if isTracked { origins.reserveCapacity(capacity) }
    }

    /// What `stretch` holds, unchanged.
    init(_ stretch: Stretch, isTracked: Bool) {
        self.init(isTracked: isTracked, capacity: stretch.count + 8)
        append(stretch.start..<stretch.text.end, of: stretch)
    }

    mutating func append(_ scalar: UInt32, from origin: Origin) {
        if scalar < 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: scalar))
            if isTracked { origins.append(origin) }
        } else if let valid = Unicode.Scalar(scalar), let encoded = UTF8.encode(valid) {
            for byte in encoded {
                bytes.append(byte)
                if isTracked { origins.append(origin) }
            }
        }
    }

    mutating func append(_ text: [UInt8], from origin: Origin) {
        bytes.append(contentsOf: text)
        if isTracked { origins.append(contentsOf: repeatElement(origin, count: text.count)) }
    }

    /// Takes over a part of another text with its origins.
    mutating func append(_ range: Range<Int>, of stretch: Stretch) {
        bytes.append(contentsOf: stretch.text.bytes[range])
        guard isTracked else { return }
        if let known = stretch.origins {
            origins.append(contentsOf: known[range])
        } else {
            var position = range.lowerBound
            while position < range.upperBound {
                let end = position + stretch.text.scalar(at: position).width
                origins.append(contentsOf: repeatElement(Origin(start: position, end: end), count: end - position))
                position = end
            }
        }
    }

    /// Calls `body` with all of the text.
    func withStretch<Result>(_ body: (Stretch) -> Result) -> Result {
        bytes.withUnsafeBufferPointer { bytes in
            let text = UTF8Text(bytes: bytes, end: bytes.count)
            guard isTracked else { return body(Stretch(text: text, start: 0, origins: nil)) }
            return origins.withUnsafeBufferPointer { body(Stretch(text: text, start: 0, origins: $0)) }
        }
    }
}

/// A part of a text, from `start` to the text's end.
struct Stretch {
    let text: UTF8Text
    let start: Int
    /// Where each byte of `text` came from; nil where that is its own place in the original text, or is not tracked.
    let origins: UnsafeBufferPointer<AlignedText.Origin>?

    @inline(__always)
    var count: Int { text.end - start }

    @inline(__always)
    var bytes: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(rebasing: text.bytes[start..<text.end]) }

    @inline(__always)
    func part(_ range: Range<Int>) -> Stretch {
        Stretch(text: text.ending(at: range.upperBound), start: range.lowerBound, origins: origins)
    }

    /// The characters of the original text that the character at `position` came from.
    func origin(ofCharacterAt position: Int) -> AlignedText.Origin {
        origins?[position] ?? .init(start: position, end: position + text.scalar(at: position).width)
    }

    /// The characters of the original text that the bytes in `range` came from, or were added to.
    func origin(of range: Range<Int>) -> Range<Int> {
        guard let origins else {
            var (start, end) = (range.lowerBound, range.upperBound)
            // A token may hold part of a character; its range has all of it.
            while start > self.start, start < text.end, text.bytes[start] & 0xC0 == 0x80 { start -= 1 }
            while end < text.end, text.bytes[end] & 0xC0 == 0x80 { end += 1 }
            return start..<end
        }
        guard let last = range.last, let first = range.first else {
            let position = range.lowerBound < text.end ? origins[range.lowerBound].start : origins.last?.end ?? 0
            return position..<position
        }
        let (a, b) = (origins[first], origins[last])
        return min(a.start, b.start)..<max(a.end, b.end)
    }
}
