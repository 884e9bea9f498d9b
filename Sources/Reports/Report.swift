package import Provenance

/// What a command answers: values with their names, units and origin. Renderers print it; files keep it.
package struct Report: Sendable, Equatable {
    package var title: String
    package var scalars: [Scalar]
    package var tables: [Table]
    /// Points to plot. Text renderers show them only if there are no tables; json, jsonl and files always do.
    package var series: [Series]
    /// Matrices to draw as heat maps. Shown as series are.
    package var grids: [Grid]
    /// Text renderers draw series and grids instead of listing their numbers.
    package var showsPictures: Bool
    /// Free text, for example a generated continuation. Its line breaks are kept.
    package var text: String?
    /// What qualifies the numbers: estimator, null, caveats. One sentence each.
    package var notes: [String]
    package var recipe: Recipe?

    package init(
        title: String = "", scalars: [Scalar] = [], tables: [Table] = [], series: [Series] = [], grids: [Grid] = [],
        showsPictures: Bool = false, text: String? = nil, notes: [String] = [], recipe: Recipe? = nil
    ) {
        self.title = title
        self.scalars = scalars
        self.tables = tables
        self.series = series
        self.grids = grids
        self.showsPictures = showsPictures
        self.text = text
        self.notes = notes
        self.recipe = recipe
    }

    /// The report's one number, for `expect`: the first numeric scalar, else the first numeric cell, else the
    /// first point of the first series, else the first value of the first grid. Nil if it holds no number.
    package var value: Double? {
        for scalar in scalars {
            if let value = scalar.value.value { return value }
        }
        for row in tables.lazy.flatMap(\.rows) {
            for cell in row {
                if let value = cell.value { return value }
            }
        }
        return series.lazy.compactMap(\.points.first).first?.y
            ?? grids.lazy.flatMap(\.values).compactMap(\.self).first
    }
}

extension Report {
    /// The tables of a renderer that shows scalars.
    package var tablesBesideScalars: [Table] { tables.filter { !$0.repeatsScalars } }

    /// Series, then grids, as tables: for renderers that show nothing else of them.
    var pictureTables: [Table] { series.map(\.table) + grids.map(\.table) }
}

/// One named number, or word, of a report.
package struct Scalar: Sendable, Equatable {
    package var name: String
    package var value: Cell
    package var unit: String?
    package var note: String?
    /// What the same estimator says of noise.
    package var null: Double?

    package init(_ name: String, _ value: Cell, unit: String? = nil, note: String? = nil, null: Double? = nil) {
        self.name = name
        self.value = value
        self.unit = unit
        self.note = note
        self.null = null
    }
}

/// Points of one curve, in the order in which they are joined.
package struct Series: Sendable, Equatable {
    package struct Axis: Sendable, Equatable {
        package var label: String
        package var unit: String?
        /// The ends of the axis; nil: the smallest and the largest value. A fixed range makes two pictures comparable.
        package var range: ClosedRange<Double>?
        /// Whether pictures have equal ratios as equal distances; what is not above 0 then has no place on the axis.
        package var isLogarithmic: Bool

        package init(
            _ label: String, unit: String? = nil, range: ClosedRange<Double>? = nil, isLogarithmic: Bool = false
        ) {
            self.label = label
            self.unit = unit
            self.range = range
            self.isLogarithmic = isLogarithmic
        }

        /// `label (unit)`, unescaped.
        package var title: String { unit.map { "\(label) (\($0))" } ?? label }
    }

    package struct Point: Sendable, Equatable {
        package var x: Double
        package var y: Double
        /// Ends of the interval of `y`.
        package var low: Double?
        package var high: Double?

        package init(x: Double, y: Double, low: Double? = nil, high: Double? = nil) {
            self.x = x
            self.y = y
            self.low = low
            self.high = high
        }
    }

    /// How pictures show the points.
    package enum Style: String, Sendable {
        /// Joined, each with its interval.
        case line
        /// The area between `low` and `high` of the points, behind all lines: what a null gives, or a claim.
        case band
    }

    package var name: String
    package var x: Axis
    package var y: Axis
    package var points: [Point]
    package var style: Style

    package init(_ name: String, x: Axis, y: Axis, points: [Point] = [], style: Style = .line) {
        self.name = name
        self.x = x
        self.y = y
        self.points = points
        self.style = style
    }

    /// A band of one height across part of a picture, such as a claim of 300 to 500 dimensions over all layers.
    package init(_ name: String, x: Axis, y: Axis, range: ClosedRange<Double>, across: ClosedRange<Double>) {
        let middle = range.lowerBound / 2 + range.upperBound / 2
        self.init(
            name, x: x, y: y,
            points: [across.lowerBound, across.upperBound].map {
                Point(x: $0, y: middle, low: range.lowerBound, high: range.upperBound)
            }, style: .band)
    }

    /// The points as a table of two columns, the interval with `y`.
    package var table: Table {
        let rows = points.map { point -> [Cell] in
            if let low = point.low, let high = point.high {
                return [.number(point.x), .interval(value: point.y, low: low, high: high)]
            }
            return [.number(point.x), .number(point.y)]
        }
        return Table(name, columns: [.init(x.label, unit: x.unit), .init(y.label, unit: y.unit)], rows: rows)
    }
}
