/// A way to print a report. Whatever it answers ends with a line break, unless it is empty.
package protocol Renderer: Sendable {
    func render(_ report: Report) -> String
}

/// Where a report is going.
package struct RenderOptions: Sendable, Equatable {
    /// Columns of the terminal; nil: text cells are never shortened.
    package var width: Int?
    /// Dim headers with ANSI codes.
    package var color: Bool
    /// csv only: show control characters as escapes. Set for terminals; without it the text is kept exactly.
    package var escapesControls: Bool

    package init(width: Int? = nil, color: Bool = false, escapesControls: Bool = true) {
        self.width = width
        self.color = color
        self.escapesControls = escapesControls
    }
}

/// The setting `mode`.
package enum OutputMode: String, Sendable, CaseIterable {
    case table, csv, json, jsonl, markdown, line

    package func renderer(_ options: RenderOptions = RenderOptions()) -> any Renderer {
        switch self {
        case .table: TableRenderer(options)
        case .csv: CSVRenderer(options)
        case .json: JSONRenderer()
        case .jsonl: JSONLinesRenderer()
        case .markdown: MarkdownRenderer()
        case .line: LineRenderer(options)
        }
    }
}
