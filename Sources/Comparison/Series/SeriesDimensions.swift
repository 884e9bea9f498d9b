import Control
import Geometry
package import LinearAlgebra
import Statistics
package import Workbench

/// Estimates of the dimension of one checkpoint's activations, and of random halves of their rows.
package struct SeriesDimensions {
    /// The names of the dimension estimates (participation ratio, TwoNN, directions for 90 % of the variance), in the
    /// order of printing.
    package static let names = ["debiased PR", "twonn", "d90"]

    /// The dimension estimates over all rows of activations, in the order of `names`; nil if one could not be made.
    package let whole: [Double?]
    /// The dimension estimates over halves of the rows of activations, [name][half].
    package let halves: [[Double?]]
    /// Texts that say which dimension estimates could not be made, and why.
    package let refusals: [String]

    /// Estimates the dimension of activations, [rows, width]; what can't be measured is listed in `refusals`.
    ///
    /// - Throws: `CancellationError`.
    package init(_ rows: Matrix, seed: UInt64, _ context: RunContext) throws {
        let pool = context.pool
        let control = context.control
        var refusals: [String] = []
        guard rows.rows >= ShapeMeasurement.fewest else {
            let error = GeometryError.tooFewPoints(found: rows.rows, needed: ShapeMeasurement.fewest)
            self.refusals = ["dimension: \(error)"]
            whole = Self.names.map { _ in nil }
            halves = Self.names.map { _ in [] }
            return
        }
        whole = try Self.measure(rows, pool, control) { refusals.append($0) }
        self.refusals = refusals
        let halves = Halves(count: rows.rows)
        var found: [[Double?]] = []
        if halves.canBeDrawn {
            for draw in 0..<SeriesRun.draws {
                var random = SeededRandom(seed: seed, .seriesHalves, draw)
                let part = rows.selecting(halves.draw(&random).rows.map(Int32.init))
                found.append(try Self.measure(part, pool, control) { _ in })
                control.report(done: draw * 1000 / SeriesRun.draws, total: 1000, unit: "halves")
            }
        }
        self.halves = Self.names.indices.map { name in found.map { $0[name] } }
    }

    /// Returns the dimension estimates, in the order of `names`, of independent standard normal numbers in the shape of
    /// `rows`.
    package static func noise(like rows: Matrix, seed: UInt64, _ context: RunContext) throws -> [Double?] {
        var random = SeededRandom(seed: seed, .seriesNoise)
        let values = random.normal(count: rows.rows * rows.columns).map(Float.init)
        return try measure(
            Matrix(rows: rows.rows, columns: rows.columns, values: values), context.pool, context.control
        ) { _ in }
    }

    private static func measure(
        _ rows: Matrix, _ pool: ThreadPool, _ control: RunControl, refuse: (String) -> Void
    ) throws -> [Double?] {
        try control.checkCancellation()
        func attempt<Value>(_ name: String, _ body: () throws -> Value) throws -> Value? {
            do {
                return try body()
            } catch let error as GeometryError {
                refuse("\(name): \(error)")
                return nil
            }
        }
        guard let set = try attempt("dimension", { try PointSet(rows.rescaled) }) else { return names.map { _ in nil } }
        let spectrum = try attempt("spectrum") { try GlobalSpectrum(set, control: control) }
        let ratio = try spectrum.flatMap { spectrum in
            try attempt(names[0]) { try spectrum.debiased.dimension() }
        }
        let nearest = try attempt(names[1]) {
            try TwoNN.estimate(NeighbourSearch(set, k: 2, pool: pool, control: control).neighbours).slope
        }
        return [ratio, nearest, spectrum.map { Double($0.linear.d90) }]
    }

    /// Returns, for each dimension estimate, its curve along a series of checkpoints.
    ///
    /// - Parameters:
    ///   - found: the dimension estimates of each checkpoint.
    ///   - noise: the dimension estimates of white noise, in the order of `names`.
    package static func curves(_ found: [SeriesDimensions], noise: [Double?]) -> [SeriesCurve] {
        names.indices.map { name in
            var curve = SeriesCurve(
                name: names[name], unit: "dimensions", numbers: found.map { $0.whole[name] },
                parts: found.map { $0.halves[name] })
            curve.null = noise[name].map { ($0, "white noise") }
            return curve
        }
    }
}
