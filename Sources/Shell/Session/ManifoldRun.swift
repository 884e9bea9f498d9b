import Geometry
import LinearAlgebra
import Reports
import TerminalText

/// Measures sets of points, one after another, with the session's threads.
struct ManifoldRun {
    let session: Session
    /// Points of a set at most.
    let limit: Int
    let seed: UInt64
    let isWithoutRogue: Bool

    /// What was found of one set.
    struct Measured {
        let set: MeasuredSet
        let measurement: ManifoldMeasurement
        /// Rows before duplicates were dropped and a sample was taken.
        let rows: Int
        /// The same without the coordinates of largest variance; nil where that is what was asked for.
        let withoutRogue: ManifoldMeasurement?
    }

    func measured(_ sets: [MeasuredSet]) throws -> [Measured] {
        let control = session.control
        let pool = try session.pool()
        var result: [Measured] = []
        for (index, set) in sets.enumerated() {
            control.report(done: index, total: sets.count, unit: sets.count == 1 ? "set" : "sites")
            let (points, rows) = try points(set)
            let calibrations = session.calibrations
            let (seed, measuresBoth) = (seed, !isWithoutRogue)
            let calibration = try calibrations.calibration(
                count: points.count, width: points.width, pool: pool, control: control)
            let found = try naming(set) {
                try Interruptible.run(control) { inner -> (ManifoldMeasurement, ManifoldMeasurement?) in
                    let whole = try ManifoldMeasurement(
                        points, calibration: calibration, seed: seed, pool: pool, control: inner)
                    guard measuresBoth, points.width > ManifoldMeasurement.rogueCount + 1 else { return (whole, nil) }
                    let rest = try points.without(coordinates: whole.rogueCoordinates)
                    return (
                        whole,
                        try ManifoldMeasurement(
                            rest, calibration: calibration, surrogates: 4, seed: seed, pool: pool, control: inner)
                    )
                }
            }
            result.append(Measured(set: set, measurement: found.0, rows: rows, withoutRogue: found.1))
        }
        return result
    }

    /// What was found of one set as the estimators' definitions have it.
    struct Raw {
        let set: MeasuredSet
        let points: (count: Int, width: Int, duplicates: Int)
        let rows: Int
        let profile: DimensionProfile
        let decimation: Decimation
    }

    func raw(_ sets: [MeasuredSet], _ estimators: [DimensionEstimator]) throws -> [Raw] {
        let control = session.control
        let pool = try session.pool()
        let seed = seed
        return try sets.enumerated().map { index, set in
            control.report(done: index, total: sets.count, unit: sets.count == 1 ? "set" : "sites")
            let (points, rows) = try points(set)
            let (profile, decimation) = try naming(set) {
                try Interruptible.run(control) { inner in
                    let profile = try DimensionProfile(
                        points, estimators: estimators, patchLimit: points.count, pool: pool, control: inner)
                    let sizes = (0..<6).map { points.count >> $0 }.filter { $0 >= 50 }
                    return (
                        profile,
                        try Decimation(profile.neighbours, sizes: sizes, repetitions: 8, seed: seed)
                    )
                }
            }
            return Raw(
                set: set, points: (points.count, points.width, points.duplicates), rows: rows, profile: profile,
                decimation: decimation)
        }
    }

    /// Distinct points of a set, a seeded sample where there are many.
    private func points(_ set: MeasuredSet) throws -> (points: PointSet, rows: Int) {
        try naming(set) {
            let matrix = try set.matrix()
            var points = try PointSet(matrix)
            if isWithoutRogue {
                guard points.width > ManifoldMeasurement.rogueCount + 1 else {
                    throw CommandError(
                        "there are only \(points.width) coordinates", remedy: "leave out --without-rogue", exitCode: 2)
                }
                points = try points.without(
                    coordinates: points.rogueCoordinates(ManifoldMeasurement.rogueCount))
            }
            guard points.count >= 10 else { throw GeometryError.tooFewPoints(found: points.count, needed: 10) }
            if points.count > limit {
                var random = SeededRandom(seed: seed)
                points = points.subset(random.sample(limit, of: points.count).map(Int32.init))
            }
            return (points, matrix.rows)
        }
    }

    private func naming<Result>(_ set: MeasuredSet, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as GeometryError {
            let name = [set.name, set.group].compactMap { $0 }.joined(separator: ", ")
            throw CommandError("\(name.escapedForTerminal): \(error)")
        }
    }
}
