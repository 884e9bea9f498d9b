package import Workbench

/// The coordinates of rows of activations along some directions, with the rows in groups.
package struct ProjectedRows {
    /// The rows of one capture (a file of activations), with their coordinates along the directions.
    package struct Part {
        package let name: String
        package let source: PointSource
        /// The coordinates of each row of activations along the k directions, [rows, k].
        package let coordinates: [[Float]]

        /// - Throws: `WorkbenchError.notFinitePoint` for a row with NaN or infinity.
        package init(
            name: String, source: PointSource, onto subspace: Subspace, in context: RunContext
        ) throws {
            self.name = name
            self.source = source
            coordinates = try subspace.coordinates(of: source, in: context)
        }
    }

    /// The property by which rows of activations are grouped. The case `capture` is for two captures, and is not
    /// offered for one.
    package enum Grouping: String, CaseIterable {
        case label, prompt
        case capture

        package static var allCases: [Grouping] { [.label, .prompt] }
    }

    /// A group of rows of activations that share a label, a prompt or a capture.
    package struct Group {
        package let name: String
        fileprivate let rows: [(part: Int, row: Int)]
    }

    package let parts: [Part]
    package let grouping: Grouping
    /// The groups of rows, in the order in which their first rows appear.
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

    /// The number of directions along which rows have coordinates.
    package var dimension: Int { parts.first?.coordinates.first?.count ?? 0 }

    /// Returns the coordinates, along one direction, of the rows of one group (both by index).
    package func values(_ group: Int, _ direction: Int) -> [Double] {
        groups[group].rows.map { Double(parts[$0.part].coordinates[$0.row][direction]) }
    }

    /// Whether some prompt has several rows of activations, which are then not independent.
    package var hasSeveralRowsAPrompt: Bool {
        parts.contains { part in
            let prompts = part.coordinates.indices.compactMap { part.source.row($0)?.prompt }
            return Set(prompts).count < prompts.count
        }
    }
}
