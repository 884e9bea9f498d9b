package import Provenance

/// The answer of a command: values with their names, units and origin, which renderers print.
package struct Report: Sendable, Equatable {
    package var title: String
    package var scalars: [Scalar]
    package var tables: [Table]
    /// The curves to plot. The formats json and jsonl always contain them. Other renderers show them only if there are
    /// no tables, or as pictures if `showsPictures` is true.
    package var series: [Series]
    /// The matrices to draw as heat maps, which are shown under the same conditions as the series.
    package var grids: [Grid]
    /// Whether text renderers draw the series and grids instead of listing their numbers.
    package var showsPictures: Bool
    /// Free text, for example a generated continuation. Its line breaks are kept.
    package var text: String?
    /// The notes that qualify the numbers, such as the estimator, the null and caveats. Each is one sentence.
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

    /// The one number of the report, for `expect`. It is the first numeric scalar, or else the first numeric cell, the
    /// first point of the first series, or the first value of the first grid. It is nil if the report holds no number.
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
    /// The tables that a renderer prints if it also prints the scalars.
    package var tablesBesideScalars: [Table] { tables.filter { !$0.repeatsScalars } }

    /// The series and then the grids as tables, for renderers that show them in no other form.
    var pictureTables: [Table] { series.map(\.table) + grids.map(\.table) }
}

/// A named number or word of a report.
package struct Scalar: Sendable, Equatable {
    package var name: String
    package var value: Cell
    package var unit: String?
    package var note: String?
    /// The value that the same estimator gives for noise.
    package var null: Double?

    package init(_ name: String, _ value: Cell, unit: String? = nil, note: String? = nil, null: Double? = nil) {
        self.name = name
        self.value = value
        self.unit = unit
        self.note = note
        self.null = null
    }
}

/// The points of one curve, in the order in which they are joined.
package struct Series: Sendable, Equatable {
    package struct Axis: Sendable, Equatable {
        package var label: String
        package var unit: String?
        /// The ends of the axis. When it is nil, they are the smallest and the largest value. A fixed range makes two
        /// pictures comparable.
        package var range: ClosedRange<Double>?
        /// Whether pictures draw equal ratios as equal distances. Values that are not above 0 then have no place on the
        /// axis.
        package var isLogarithmic: Bool

        package init(
            _ label: String, unit: String? = nil, range: ClosedRange<Double>? = nil, isLogarithmic: Bool = false
        ) {
            self.label = label
            self.unit = unit
            self.range = range
            self.isLogarithmic = isLogarithmic
        }

        /// The title of the axis, `label (unit)`, which is not escaped.
        package var title: String { unit.map { "\(label) (\($0))" } ?? label }
    }

    package struct Point: Sendable, Equatable {
        package var x: Double
        package var y: Double
        /// The lower end of the interval of `y`. `high` is the upper end.
        package var low: Double?
        package var high: Double?

        package init(x: Double, y: Double, low: Double? = nil, high: Double? = nil) {
            self.x = x
            self.y = y
            self.low = low
            self.high = high
        }

        /// Makes a point of a cell, with its interval if it has one. It returns nil for a cell that holds no number.
        package init?(x: Double, _ cell: Cell) {
            guard let value = cell.value else { return nil }
            self.init(x: x, y: value)
            if case .interval(_, let low, let high) = cell { (self.low, self.high) = (low, high) }
        }
    }

    /// The way in which pictures show the points.
    package enum Style: String, Sendable {
        /// The points are joined by a line, and each is drawn with its interval.
        case line
        /// The area between `low` and `high` of the points is filled, behind all lines. Bands show nulls and claims.
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

    /// Makes a band of one height across part of a picture, such as a claim of 300 to 500 dimensions over all layers.
    package init(_ name: String, x: Axis, y: Axis, range: ClosedRange<Double>, across: ClosedRange<Double>) {
        let middle = range.lowerBound / 2 + range.upperBound / 2
        self.init(
            name, x: x, y: y,
            points: [across.lowerBound, across.upperBound].map {
                Point(x: $0, y: middle, low: range.lowerBound, high: range.upperBound)
            }, style: .band)
    }

    /// The points as a table of two columns, in which `y` has its interval.
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
