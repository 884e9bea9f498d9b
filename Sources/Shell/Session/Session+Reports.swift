import Language
package import Reports

extension Session {
    /// Returns the value at a path such as `it.entropy`.
    ///
    /// - Throws: `CommandError` if there is no such report, and `ReportPathError` if the report has no such value.
    package func cell(at path: String) throws -> Cell {
        // Names may contain dots, so the longest beginning of the path that is a known name is taken.
        let ends = path.indices.filter { path[$0] == "." || path[$0] == "[" } + [path.endIndex]
        let longest = names.map(\.name.utf8.count).max() ?? 0
        let known = ends.prefix { path.utf8.distance(from: path.startIndex, to: $0) <= max(longest, "it".utf8.count) }
        guard let end = known.last(where: { value(named: String(path[..<$0])) != nil }) else {
            _ = try value(existing: String(path[..<ends[0]]))
            throw unknown(path)
        }
        let name = String(path[..<end])
        let found = try value(existing: name)
        guard case .report(let report) = found else {
            throw CommandError(
                "\(name) is \(found.kind.phrase), and expect reads reports",
                remedy: "compute something first, for example with loss or next")
        }
        return try ReportPath(report, name: name).cell(path[end...])
    }
}
