/// Curves that share both axes, so that one picture can hold them.
struct CurvePanel {
    let x: Series.Axis
    let y: Series.Axis
    var curves: [Series]

    /// The curves of a report, those with the same axes together, in the order of the first of each.
    static func panels(_ series: [Series]) -> [CurvePanel] {
        var panels: [CurvePanel] = []
        for curve in series where curve.points.contains(where: \.isDrawable) {
            if let index = panels.firstIndex(where: { $0.x == curve.x && $0.y == curve.y }) {
                panels[index].curves.append(curve)
            } else {
                panels.append(CurvePanel(x: curve.x, y: curve.y, curves: [curve]))
            }
        }
        return panels
    }

    /// The ends of both axes: every point and interval; a single value gets room around it.
    var bounds: (x: ClosedRange<Double>, y: ClosedRange<Double>) {
        var x = (low: Double.infinity, high: -Double.infinity)
        var y = x
        for point in curves.lazy.flatMap(\.points) where point.isDrawable {
            x = (min(x.low, point.x), max(x.high, point.x))
            for value in [point.y, point.low, point.high] {
                if let value, value.isFinite { y = (min(y.low, value), max(y.high, value)) }
            }
        }
        return (self.x.range ?? Self.opened(x), self.y.range ?? Self.opened(y))
    }

    /// Whether `x` counts something, so that there is nothing between two whole numbers.
    var isCounted: Bool {
        curves.allSatisfy { $0.points.allSatisfy { !$0.isDrawable || $0.x == $0.x.rounded() } }
    }

    private static func opened(_ range: (low: Double, high: Double)) -> ClosedRange<Double> {
        guard range.low.isFinite, range.high.isFinite else { return 0...1 }
        if range.low < range.high { return range.low...range.high }
        let room = max(0.5, range.low.magnitude / 10)
        return range.low - room...range.high + room
    }
}

extension Series.Point {
    /// Whether the point has a place; one that has none breaks the line.
    var isDrawable: Bool { x.isFinite && y.isFinite && x.magnitude < 1e300 && y.magnitude < 1e300 }
}

extension Report {
    /// Whether there is anything to draw.
    package var hasPicture: Bool {
        series.contains { $0.points.contains(where: \.isDrawable) } || grids.contains { !$0.isEmpty }
    }

    /// What a picture shows, without the tables.
    package var pictures: Report {
        Report(title: title, series: series, grids: grids, showsPictures: true, recipe: recipe)
    }
}
