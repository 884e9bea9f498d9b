/// Curves and bands that share both axes, so that one picture can hold them.
struct CurvePanel {
    let x: Series.Axis
    let y: Series.Axis
    var curves: [Series] = []
    /// Drawn behind the curves.
    var bands: [Series] = []

    /// The curves of a report, those with the same axes together, in the order of the first of each.
    static func panels(_ series: [Series]) -> [CurvePanel] {
        var panels: [CurvePanel] = []
        for curve in series where curve.hasPicture {
            let index = panels.firstIndex { $0.x == curve.x && $0.y == curve.y } ?? panels.count
            if index == panels.count { panels.append(CurvePanel(x: curve.x, y: curve.y)) }
            switch curve.style {
            case .line: panels[index].curves.append(curve)
            case .band: panels[index].bands.append(curve)
            }
        }
        return panels
    }

    /// The ends of both axes: every point and interval; a single value gets room around it.
    var bounds: (x: ClosedRange<Double>, y: ClosedRange<Double>) {
        var x = Extent(self.x)
        var y = Extent(self.y)
        for series in curves + bands {
            for point in series.points where series.isDrawable(point) {
                x.add(point.x)
                if series.style == .line { y.add(point.y) }
                for end in [point.low, point.high] { if let end { y.add(end) } }
            }
        }
        return (x.range, y.range)
    }

    /// Whether `x` counts something, so that there is nothing between two whole numbers.
    var isCounted: Bool {
        (curves + bands).allSatisfy { series in
            series.points.allSatisfy { !series.isDrawable($0) || $0.x == $0.x.rounded() }
        }
    }

    /// The values that an axis must hold.
    private struct Extent {
        private let axis: Series.Axis
        private var low = Double.infinity
        private var high = -Double.infinity

        init(_ axis: Series.Axis) { self.axis = axis }

        mutating func add(_ value: Double) {
            guard axis.hasPlace(for: value) else { return }
            (low, high) = (min(low, value), max(high, value))
        }

        /// The axis's own range, if it has one that can be drawn.
        var range: ClosedRange<Double> {
            if let range = axis.range, axis.hasPlace(for: range.lowerBound) { return range }
            guard low.isFinite, high.isFinite else { return axis.isLogarithmic ? 1...10 : 0...1 }
            if low < high { return low...high }
            if axis.isLogarithmic { return max(low / 2, .leastNormalMagnitude)...high * 2 }
            let room = max(0.5, low.magnitude / 10)
            return low - room...high + room
        }
    }
}

extension Series.Axis {
    /// Whether a value stands somewhere on the axis.
    func hasPlace(for value: Double) -> Bool {
        value.isFinite && value.magnitude < 1e300 && (!isLogarithmic || value > 0)
    }
}

extension Series {
    /// Whether the point has a place; one that has none breaks the line. A point of a band has one if its interval does,
    /// though it may begin below a logarithmic axis.
    func isDrawable(_ point: Point) -> Bool {
        guard x.hasPlace(for: point.x) else { return false }
        switch style {
        case .line: return y.hasPlace(for: point.y)
        case .band:
            guard let low = point.low, let high = point.high else { return false }
            return low <= high && low.isFinite && low.magnitude < 1e300 && y.hasPlace(for: high)
        }
    }

    var hasPicture: Bool { points.contains(where: isDrawable) }
}

extension Report {
    /// Whether there is anything to draw.
    package var hasPicture: Bool {
        series.contains(where: \.hasPicture) || grids.contains { !$0.isEmpty }
    }

    /// What a picture shows, without the tables.
    package var pictures: Report {
        Report(title: title, series: series, grids: grids, showsPictures: true, recipe: recipe)
    }
}
