package import Workbench

/// The coordinates of rows along directions, group by group.
package struct ProjectedRows {
    /// The rows of one capture.
    package struct Part {
        package let name: String
        package let source: PointSource
        /// The coordinates of each row along the directions, [rows, k].
        package let coordinates: [[Float]]

        /// - Throws: `WorkbenchError.notFinitePoint`.
        package init(name: String, source: PointSource, onto subspace: Subspace) throws {
            self.name = name
            self.source = source
            coordinates = try subspace.coordinates(of: source)
        }
    }

    /// The property by which rows are grouped. The case `capture` is for two captures, and is not offered for one.
    package enum Grouping: String, CaseIterable {
        case label, prompt
        case capture

        package static var allCases: [Grouping] { [.label, .prompt] }
    }

    /// The rows that share the property.
    package struct Group {
        package let name: String
        fileprivate let rows: [(part: Int, row: Int)]
    }

    package let parts: [Part]
    package let grouping: Grouping
    /// The groups in the order in which their first rows appear.
    package let groups: [Group]

    package init(_ parts: [Part], by grouping: Grouping) {
        (self.parts, self.grouping) = (parts, grouping)
        var order: [String] = []
        var members: [String: [(part: Int, row: Int)]] = [:]
        for (index, part) in parts.enumerated() {
            for row in part.coordinates.indices {
                let origin = part.source.row(row)
                let key =
                    switch grouping {
                    case .capture: part.name
                    case .label: origin?.label ?? ""
                    case .prompt: origin.map { String($0.prompt) } ?? ""
                    }
                if members[key] == nil { order.append(key) }
                members[key, default: []].append((index, row))
            }
        }
        groups = order.map { Group(name: $0, rows: members[$0] ?? []) }
    }

    /// The number of directions.
    package var dimension: Int { parts.first?.coordinates.first?.count ?? 0 }

    /// Returns the coordinates of the rows of a group along one direction.
    package func values(_ group: Int, _ direction: Int) -> [Double] {
        groups[group].rows.map { Double(parts[$0.part].coordinates[$0.row][direction]) }
    }

    /// Whether some prompt has several rows, which are then not independent.
    package var hasSeveralRowsAPrompt: Bool {
        parts.contains { part in
            let prompts = part.coordinates.indices.compactMap { part.source.row($0)?.prompt }
            return Set(prompts).count < prompts.count
        }
    }
}
