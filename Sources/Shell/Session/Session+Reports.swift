import Language
package import Reports

extension Session {
    /// The value of a path such as `it.entropy`.
    ///
    /// - Throws: `CommandError` if there is no such report; `ReportPathError` if it has no such value.
    package func cell(at path: String) throws -> Cell {
        // A name may hold dots: the longest that stands for something.
        let ends = path.indices.filter { path[$0] == "." || path[$0] == "[" } + [path.endIndex]
        guard let end = ends.last(where: { value(named: String(path[..<$0])) != nil }) else {
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
