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
    /// Pictures are drawn in colours; nil: in characters alone.
    package var palette: Palette.Depth?
    /// Pictures are drawn in ASCII, for terminals without UTF-8.
    package var isASCII: Bool
    /// csv only: show control characters as escapes. Set for terminals; without it the text is kept exactly.
    package var escapesControls: Bool
    /// Whether `'` stands before the texts of csv that a spreadsheet would take for a formula.
    package var guardsFormulas: Bool

    package init(
        width: Int? = nil, color: Bool = false, palette: Palette.Depth? = nil, isASCII: Bool = false,
        escapesControls: Bool = true, guardsFormulas: Bool = false
    ) {
        self.width = width
        self.color = color
        self.palette = palette
        self.isASCII = isASCII
        self.escapesControls = escapesControls
        self.guardsFormulas = guardsFormulas
    }
}

/// The setting `mode`.
package enum OutputMode: String, Sendable, CaseIterable {
    case table, csv, json, jsonl, markdown, line

    /// Whether reports hold their notes as this mode prints them. csv has no place for them, so that they go to standard
    /// error.
    package var holdsNotes: Bool { self != .csv }

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

extension RenderOptions {
    /// What the report draws, each picture a block; empty unless it shows pictures.
    func pictures(_ report: Report) -> [String] {
        guard report.showsPictures else { return [] }
        let curves = CurvePanel.panels(report.series).map { CurvePlot(options: self).text($0) }
        return curves + HeatMap(options: self).texts(report.grids)
    }
}
