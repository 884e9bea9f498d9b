package import HDF5

/// Where a captured row comes from.
package struct CaptureRow: Sendable, Equatable {
    /// Index of the prompt.
    package let prompt: Int32
    /// Token position in the prompt; -1 for a mean, which stands for no single one.
    package let position: Int32
    /// Token id; -1 for a mean.
    package let token: Int32

    package init(prompt: Int32, position: Int32, token: Int32) {
        self.prompt = prompt
        self.position = position
        self.token = token
    }
}

/// One prompt of a capture.
package struct CapturePrompt: Sendable, Equatable {
    package let text: String
    /// Empty if it has none.
    package let label: String

    package init(text: String, label: String = "") {
        self.text = text
        self.label = label
    }
}

/// Everything in a capture file but the captured values.
///
/// `/sites/NAME` is [rows, width]. `/patterns/NAME` is [heads, sum of tokens²]: the prompts' [tokens, tokens] after one
/// another, prompt p in the columns `/patterns/offsets`[p] ..< [p + 1]; `/patterns/tokens` has each prompt's length.
package struct CaptureLayout: Sendable {
    package static let format = "nacre-capture"
    package static let version = 1

    /// Width of each site, by its full name, e.g. "blocks.3.hook_resid_post".
    package var sites: [String: Int]
    /// Where each row of every site comes from.
    package var rows: [CaptureRow]
    package var prompts: [CapturePrompt]
    package var recipeJSON: [UInt8]
    package var createdBy: String
    /// Heads of each attention pattern, by its full name.
    package var patterns: [String: Int]
    /// Tokens of each prompt; needed where there are patterns.
    package var promptTokens: [Int]

    package init(
        sites: [String: Int], rows: [CaptureRow], prompts: [CapturePrompt], recipeJSON: [UInt8], createdBy: String,
        patterns: [String: Int] = [:], promptTokens: [Int] = []
    ) {
        self.sites = sites
        self.rows = rows
        self.prompts = prompts
        self.recipeJSON = recipeJSON
        self.createdBy = createdBy
        self.patterns = patterns
        self.promptTokens = promptTokens
    }

    /// Where each prompt's pattern begins, and where the last ends: sums of tokens².
    package var patternOffsets: [Int] {
        promptTokens.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1 * $1) }
    }

    /// Bytes of all captured values.
    package var valueBytes: Int {
        let rowBytes = sites.values.reduce(0) { $0 + $1 * 4 } * rows.count
        return rowBytes + patterns.values.reduce(0) { $0 + $1 * 4 } * (patternOffsets.last ?? 0)
    }

    /// Bytes of the file, a little more than it will have.
    ///
    /// - Throws: `CheckpointError` if something cannot be stored.
    package func checkedBytes(_ path: String) throws -> Int {
        func failure(_ object: String, _ problem: String) -> CheckpointError {
            CheckpointError(
                .inconsistent, file: path, object: object, problem: problem, remedy: "capture something else")
        }
        var total = rows.count * 12 + recipeJSON.count + prompts.count * 28
        total += prompts.reduce(0) { $0 + $1.text.utf8.count + $1.label.utf8.count }
        let extents = sites.map { ($0, rows.count, $1) } + patterns.map { ($0, $1, patternOffsets.last ?? 0) }
        for (name, height, width) in extents {
            guard isStorable(name) else { throw failure(name, "this name cannot be stored") }
            guard width > 0, let bytes = checkedProduct([height, width, 4]), bytes < Int.max / 4 else {
                throw failure(name, "\(height) x \(width) values cannot be stored")
            }
            let (sum, overflow) = total.addingReportingOverflow(bytes + 1024)
            guard !overflow else { throw failure(name, "the sizes overflow") }
            total = sum
        }
        if let row = rows.first(where: { $0.prompt < 0 || Int($0.prompt) >= prompts.count }) {
            throw failure("/rows/prompt", "row of prompt \(row.prompt), of which there are \(prompts.count)")
        }
        return total
    }

    /// Creates all datasets and writes all but the captured values. The same layout makes the same bytes.
    package func create(in file: FileWriter) throws {
        try file.setAttribute("format", Self.format)
        try file.setAttribute("format_version", Self.version)
        try file.setAttribute("created_by", createdBy)
        try file.createText("/recipe.json", recipeJSON)
        try file.createGroup("/sites")
        for (site, width) in sites.sorted(by: { $0.key < $1.key }) {
            try file.createDataset("/sites/\(site)", type: .float32, shape: [rows.count, width])
        }
        if !patterns.isEmpty {
            let offsets = patternOffsets
            try file.createGroup("/patterns")
            for (name, heads) in patterns.sorted(by: { $0.key < $1.key }) {
                try file.createDataset("/patterns/\(name)", type: .float32, shape: [heads, offsets[offsets.count - 1]])
            }
            try write(offsets.map { Int64($0) }, "/patterns/offsets", .int64, file)
            try write(promptTokens.map { Int32(clamping: $0) }, "/patterns/tokens", .int32, file)
        }
        try file.createGroup("/rows")
        try write(rows.map(\.prompt), "/rows/prompt", .int32, file)
        try write(rows.map(\.position), "/rows/position", .int32, file)
        try write(rows.map(\.token), "/rows/token", .int32, file)
        try file.createGroup("/prompts")
        try write(prompts.map(\.text), "text", "offsets", file)
        try write(prompts.map(\.label), "labels", "label_offsets", file)
    }

    private func write<Number>(
        _ numbers: [Number], _ dataset: String, _ type: StorageType, _ file: FileWriter
    ) throws {
        try file.createDataset(dataset, type: type, shape: [numbers.count])
        try numbers.withUnsafeBytes { try file.writeRows(dataset, first: 0, count: numbers.count, $0) }
    }

    /// All texts after one another, and where each begins and the last ends.
    private func write(_ texts: [String], _ text: String, _ offsets: String, _ file: FileWriter) throws {
        var bytes: [UInt8] = []
        var starts: [Int64] = [0]
        for text in texts {
            bytes += Array(text.utf8)
            starts.append(Int64(bytes.count))
        }
        try file.createText("/prompts/\(text)", bytes)
        try write(starts, "/prompts/\(offsets)", .int64, file)
    }
}
