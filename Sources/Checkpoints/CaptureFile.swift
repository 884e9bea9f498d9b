internal import HDF5

/// A capture file, checked and open for reading; sites are read on demand.
package final class CaptureFile: Sendable {
    package let path: String
    package let createdBy: String?
    /// Names in order.
    package let sites: [String]
    package let rows: [CaptureRow]
    package let prompts: [CapturePrompt]
    package let recipeJSON: [UInt8]?
    /// Names of attention patterns and scores, in order.
    package let patterns: [String]
    /// Tokens of each prompt; empty where there are no patterns.
    package let promptTokens: [Int]

    private let file: File
    private let datasets: [String: Dataset]
    private let patternDatasets: [String: Dataset]

    /// Opens a capture. Throws `HDF5Error` or `CheckpointError` if its parts do not agree.
    package static func open(_ path: String) throws -> CaptureFile {
        try refuseUnfinished(path)
        return try CaptureFile(try File(path))
    }

    init(_ file: File) throws {
        let contents = file.contents
        let parts = Parts(file: file, contents: contents)
        try parts.checkFormat()
        self.file = file
        path = file.path
        createdBy = contents.attributes["created_by"]?.text
        recipeJSON = try contents.dataset(["recipe.json"]).map { try file.text($0) }
        prompts = try parts.prompts()
        rows = try parts.rows(promptCount: prompts.count)
        datasets = try parts.sites(rowCount: rows.count)
        sites = datasets.keys.sorted()
        (patternDatasets, promptTokens) = try parts.patterns(promptCount: prompts.count)
        patterns = patternDatasets.keys.sorted()
        guard !sites.isEmpty || !patterns.isEmpty else {
            throw CheckpointError(
                .inconsistent, file: path, object: "/sites", problem: "there are no sites", remedy: "capture again")
        }
    }

    /// An unfinished capture opens as HDF5, but most of its values may be missing.
    private static func refuseUnfinished(_ path: String) throws {
        let parent = FilePlacement.split(path).folder
        let folder = path.hasSuffix(".partial") ? path : parent
        guard folder.hasSuffix(".partial"),
            FilePlacement.names(in: folder).contains(PartialCapture.journalName)
        else { return }
        throw CheckpointError(
            .format, file: path, problem: "this is an unfinished capture",
            remedy: "give the command that began it again, and it goes on")
    }

    /// Throws if another program wrote to the file since it was opened.
    package func checkUnchanged() throws { try file.checkUnchanged() }

    /// The number of heads that a pattern has; nil if there is none of that name.
    package func heads(of pattern: String) -> Int? { patternDatasets[pattern]?.shape[0] }

    /// One prompt's pattern, [heads, tokens, tokens].
    package func values(of pattern: String, prompt: Int) throws -> [Float] {
        guard let dataset = patternDatasets[pattern], promptTokens.indices.contains(prompt),
            let offset = dataset.mappableOffset
        else {
            throw CheckpointError(
                .name, file: path, object: pattern, problem: "the capture has no such pattern of prompt \(prompt)",
                remedy: "it has: \(patterns.prefix(8).joined(separator: ", "))")
        }
        let start = promptTokens[..<prompt].reduce(0) { $0 + $1 * $1 }
        let count = promptTokens[prompt] * promptTokens[prompt]
        let map = try file.map()
        return withExtendedLifetime(map) {
            (0..<dataset.shape[0]).flatMap { head -> [Float] in
                let first = offset + (head * dataset.shape[1] + start) * 4
                let bytes = UnsafeRawBufferPointer(rebasing: map.bytes[first..<first + count * 4])
                return Array(bytes.bindMemory(to: Float.self))
            }
        }
    }

    /// Number of values in a row of the site; nil if there is none of that name.
    package func width(of site: String) -> Int? { datasets[site]?.shape[1] }

    /// The site's values, [rows, width].
    package func values(of site: String) throws -> [Float] {
        guard let dataset = datasets[site] else {
            throw CheckpointError(
                .name, file: path, object: site, problem: "the capture has no such site",
                remedy: "it has: \(sites.prefix(8).joined(separator: ", "))")
        }
        // As nacre writes it, a site can be read from the map, however large; other layouts are decoded within limits.
        guard let offset = dataset.mappableOffset else {
            return try file.decode(dataset).array(of: Float.self)
        }
        let map = try file.map()
        return withExtendedLifetime(map) {
            let bytes = UnsafeRawBufferPointer(rebasing: map.bytes[offset..<offset + dataset.byteCount])
            return [Float](unsafeUninitializedCapacity: dataset.byteCount / 4) { buffer, count in
                UnsafeMutableRawBufferPointer(buffer).copyMemory(from: bytes)
                count = dataset.byteCount / 4
            }
        }
    }
}

/// Reads and checks the parts of a capture.
private struct Parts {
    let file: File
    let contents: Contents

    func checkFormat() throws {
        guard contents.attributes["format"]?.text == CaptureLayout.format else {
            throw error(
                .format, "/", "the attribute `format` is not \"\(CaptureLayout.format)\"",
                "make captures with `capture`; open checkpoints with `open`")
        }
        guard let version = contents.attributes["format_version"]?.integer, version >= 1 else {
            throw error(.version, "/", "the attribute `format_version` is no positive integer", "capture again")
        }
        guard version <= CaptureLayout.version else {
            throw error(
                .version, "/", "it has format version \(version), and this program knows \(CaptureLayout.version)",
                "update nacre")
        }
    }

    func prompts() throws -> [CapturePrompt] {
        let texts = try texts("text", "offsets")
        let labels = try self.texts("labels", "label_offsets")
        guard labels.count == texts.count else {
            throw error(
                .inconsistent, "/prompts/labels", "there are \(labels.count) labels for \(texts.count) prompts")
        }
        return zip(texts, labels).map { CapturePrompt(text: $0, label: $1) }
    }

    func rows(promptCount: Int) throws -> [CaptureRow] {
        let prompts: [Int32] = try numbers(["rows", "prompt"], .int32)
        let positions: [Int32] = try numbers(["rows", "position"], .int32)
        let tokens: [Int32] = try numbers(["rows", "token"], .int32)
        guard prompts.count == positions.count, prompts.count == tokens.count else {
            throw error(.inconsistent, "/rows", "prompt, position and token have different lengths")
        }
        if let prompt = prompts.first(where: { $0 < 0 || Int($0) >= promptCount }) {
            throw error(
                .inconsistent, "/rows/prompt", "a row names prompt \(prompt), of which there are \(promptCount)")
        }
        // -1 and -1 mark a row that stands for no single position, such as a mean.
        for (position, token) in zip(positions, tokens) where position < 0 || token < 0 {
            guard position == -1, token == -1 else {
                throw error(.inconsistent, "/rows", "a row has position \(position) and token \(token)")
            }
        }
        return prompts.indices.map { CaptureRow(prompt: prompts[$0], position: positions[$0], token: tokens[$0]) }
    }

    func sites(rowCount: Int) throws -> [String: Dataset] {
        var sites: [String: Dataset] = [:]
        for dataset in contents.datasets where dataset.path.first == "sites" {
            guard dataset.path.count == 2, let name = dataset.path.last else {
                throw error(.inconsistent, dataset.name, "sites must lie directly under /sites")
            }
            guard dataset.type == .float32, dataset.shape.count == 2 else {
                throw error(.inconsistent, dataset.name, "a site must be [rows, width] of float32")
            }
            guard dataset.shape[0] == rowCount, dataset.shape[1] > 0 else {
                throw error(
                    .inconsistent, dataset.name,
                    "the shape is \(dataset.shape[0]) x \(dataset.shape[1]), but there are \(rowCount) rows")
            }
            sites[name] = dataset
        }
        return sites
    }

    /// Attention patterns, [heads, sum of tokens²], and the prompts' tokens.
    func patterns(promptCount: Int) throws -> ([String: Dataset], [Int]) {
        let found = contents.datasets.filter {
            $0.path.first == "patterns" && $0.path.count == 2 && !["offsets", "tokens"].contains($0.path[1])
        }
        if found.isEmpty { return ([:], []) }
        let tokens: [Int32] = try numbers(["patterns", "tokens"], .int32)
        let offsets: [Int64] = try numbers(["patterns", "offsets"], .int64)
        var expected: [Int64] = [0]
        for count in tokens {
            let (square, overflow) = Int64(count).multipliedReportingOverflow(by: Int64(count))
            let (sum, overflowsToo) = expected[expected.count - 1].addingReportingOverflow(square)
            guard count >= 0, !overflow, !overflowsToo else {
                throw error(.inconsistent, "/patterns/tokens", "a prompt has \(count) tokens")
            }
            expected.append(sum)
        }
        guard tokens.count == promptCount, offsets == expected else {
            throw error(.inconsistent, "/patterns/offsets", "the offsets are not the sums of the tokens' squares")
        }
        for dataset in found {
            guard dataset.type == .float32, dataset.shape.count == 2, dataset.shape[0] > 0,
                Int64(dataset.shape[1]) == expected[expected.count - 1]
            else {
                throw error(
                    .inconsistent, dataset.name, "a pattern must be [heads, sum of tokens squared] of float32")
            }
        }
        return (Dictionary(uniqueKeysWithValues: found.map { ($0.path[1], $0) }), tokens.map { Int($0) })
    }

    private func texts(_ name: String, _ offsetName: String) throws -> [String] {
        let bytes = try file.text(try dataset(["prompts", name]))
        let offsets: [Int64] = try numbers(["prompts", offsetName], .int64)
        guard offsets.first == 0, offsets.last == Int64(bytes.count),
            zip(offsets, offsets.dropFirst()).allSatisfy({ $0 <= $1 })
        else {
            throw error(
                .inconsistent, "/prompts/\(offsetName)", "the offsets do not rise from 0 to \(bytes.count)")
        }
        return try zip(offsets, offsets.dropFirst()).map { start, end in
            guard let text = String(validating: bytes[Int(start)..<Int(end)], as: UTF8.self) else {
                throw error(.inconsistent, "/prompts/\(name)", "bytes \(start)..<\(end) are not UTF-8")
            }
            return text
        }
    }

    private func numbers<Number: BitwiseCopyable>(_ path: [String], _ type: StorageType) throws -> [Number] {
        let dataset = try dataset(path)
        guard dataset.type == type, dataset.shape.count == 1 else {
            throw error(.inconsistent, dataset.name, "it must be 1-D \(type), not \(dataset.type) \(dataset.shape)")
        }
        return try file.decode(dataset).array(of: Number.self)
    }

    private func dataset(_ path: [String]) throws -> Dataset {
        guard let dataset = contents.dataset(path) else {
            throw error(.inconsistent, "/" + path.joined(separator: "/"), "this dataset is missing")
        }
        return dataset
    }

    private func error(
        _ kind: CheckpointError.Kind, _ object: String, _ problem: String, _ remedy: String = "capture again"
    ) -> CheckpointError {
        CheckpointError(kind, file: file.path, object: object, problem: problem, remedy: remedy)
    }
}
