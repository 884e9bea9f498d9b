import HDF5

/// Where the values of a capture lie in its file.
struct Places: Sendable {
    /// By site: the offset of its first row and the number of values in a row.
    let sites: [String: (offset: Int, width: Int)]
    /// By pattern: the offset of its first head and the number of heads.
    let patterns: [String: (offset: Int, heads: Int)]
    /// Columns of each prompt in a pattern.
    let offsets: [Int]
    let byteCount: Int
    /// The first row of each prompt, and the number of rows.
    private let rowStarts: [Int]

    init(_ file: File, _ layout: CaptureLayout) throws {
        func place(_ path: [String], _ shape: [Int]) throws -> Int {
            guard let dataset = file.contents.dataset(path), dataset.shape == shape, dataset.type == .float32 else {
                throw CheckpointError(
                    .inconsistent, file: file.path, object: path.joined(separator: "/"),
                    problem: "it is not as it was made", remedy: "capture again")
            }
            // Without values there is no place, and nothing to write.
            if dataset.byteCount == 0 { return 0 }
            guard let offset = dataset.mappableOffset else {
                throw CheckpointError(
                    .inconsistent, file: file.path, object: dataset.name, problem: "it is not stored in one piece",
                    remedy: "capture again")
            }
            return offset
        }
        let offsets = layout.patternOffsets
        self.offsets = offsets
        byteCount = file.size
        sites = try Dictionary(
            uniqueKeysWithValues: layout.sites.map { name, width in
                (name, (try place(["sites", name], [layout.rows.count, width]), width))
            })
        patterns = try Dictionary(
            uniqueKeysWithValues: layout.patterns.map { name, heads in
                (name, (try place(["patterns", name], [heads, offsets[offsets.count - 1]]), heads))
            })
        var starts = [Int](repeating: 0, count: layout.prompts.count + 1)
        for row in layout.rows { starts[Int(row.prompt) + 1] += 1 }
        for prompt in layout.prompts.indices { starts[prompt + 1] += starts[prompt] }
        rowStarts = starts
    }

    /// Values that some prompts have in each dataset.
    func valueCounts(_ prompts: Range<Int>) -> [(name: String, count: Int)] {
        let rows = rowStarts[prompts.upperBound] - rowStarts[prompts.lowerBound]
        var result = sites.sorted { $0.key < $1.key }.map { ($0.key, rows * $0.value.width) }
        for (name, place) in patterns.sorted(by: { $0.key < $1.key }) {
            result.append((name, place.heads * (offsets[prompts.upperBound] - offsets[prompts.lowerBound])))
        }
        return result
    }

    /// SHA-256 of the values of some prompts, in the order of the datasets' names.
    func digest(_ prompts: Range<Int>, _ descriptor: Int32, _ path: String) throws -> String {
        var hash = SHA256()
        let rows = rowStarts[prompts.lowerBound]..<rowStarts[prompts.upperBound]
        for (_, place) in sites.sorted(by: { $0.key < $1.key }) {
            let start = place.offset + rows.lowerBound * place.width * 4
            try Self.add(start..<start + rows.count * place.width * 4, to: &hash, descriptor, path)
        }
        let columns = offsets.count > 1 ? offsets[prompts.lowerBound]..<offsets[prompts.upperBound] : 0..<0
        for (_, place) in patterns.sorted(by: { $0.key < $1.key }) {
            for head in 0..<place.heads {
                let start = place.offset + (head * offsets[offsets.count - 1] + columns.lowerBound) * 4
                try Self.add(start..<start + columns.count * 4, to: &hash, descriptor, path)
            }
        }
        return hash.finish()
    }

    /// SHA-256 of all bytes that hold no values: headers, rows, prompts, recipe.
    func skeleton(_ descriptor: Int32, _ path: String) throws -> String {
        let total = offsets[offsets.count - 1]
        let rows = rowStarts[rowStarts.count - 1]
        let values =
            sites.values.map { $0.offset..<$0.offset + rows * $0.width * 4 }
            + patterns.values.map { $0.offset..<$0.offset + $0.heads * total * 4 }
        var hash = SHA256()
        var position = 0
        for range in values.filter({ !$0.isEmpty }).sorted(by: { $0.lowerBound < $1.lowerBound }) {
            // The walk has checked that no two datasets overlap.
            if position < range.lowerBound { try Self.add(position..<range.lowerBound, to: &hash, descriptor, path) }
            position = range.upperBound
        }
        if position < byteCount { try Self.add(position..<byteCount, to: &hash, descriptor, path) }
        return hash.finish()
    }

    private static func add(
        _ range: Range<Int>, to hash: inout SHA256, _ descriptor: Int32, _ path: String
    ) throws {
        var position = range.lowerBound
        while position < range.upperBound {
            let bytes = try readAll(
                descriptor, at: position, count: min(1 << 20, range.upperBound - position), path)
            guard !bytes.isEmpty else {
                throw CheckpointError(
                    .inconsistent, file: path, problem: "the file was cut short", remedy: "discard it with --restart")
            }
            bytes.withUnsafeBytes { hash.update($0) }
            position += bytes.count
        }
    }
}
