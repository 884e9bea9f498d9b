/// Text after normalization, each byte of it with the bytes that it came from.
struct NormalizedText: Sendable {
    private(set) var bytes: [UInt8] = []
    private var starts: [Int] = []
    private var ends: [Int] = []

    mutating func append(_ scalar: UInt32, from origin: Range<Int>) {
        guard let valid = Unicode.Scalar(scalar) else { return }
        for byte in UTF8.encode(valid)! {
            bytes.append(byte)
            starts.append(origin.lowerBound)
            ends.append(origin.upperBound)
        }
    }

    /// Where the bytes in `range` came from.
    func origin(of range: Range<Int>) -> Range<Int> {
        guard let last = range.last, let first = range.first else {
            let position = range.lowerBound < starts.count ? starts[range.lowerBound] : ends.last ?? 0
            return position..<position
        }
        return min(starts[first], starts[last])..<max(ends[first], ends[last])
    }
}
