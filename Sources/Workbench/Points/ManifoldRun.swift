import Control
package import Geometry
import LinearAlgebra
import Statistics
import TerminalText

/// Measures the dimension and shape of sets of points, one after another, with the threads of a context.
package struct ManifoldRun {
    package let context: RunContext
    /// The largest number of points of a set that are measured; larger sets are sampled.
    package let limit: Int
    package let seed: UInt64
    /// Whether the coordinates of largest variance (rogue coordinates) are left out of all measurements.
    package let isWithoutRogue: Bool

    package init(context: RunContext, limit: Int, seed: UInt64, isWithoutRogue: Bool) {
        self.context = context
        self.limit = limit
        self.seed = seed
        self.isWithoutRogue = isWithoutRogue
    }

    /// A set of points that could not be measured, with the error that says why.
    package struct Unmeasured {
        package let set: MeasuredSet
        package let error: any Error
    }

    /// The measurement of one set of points.
    package struct Measured {
        package let set: MeasuredSet
        package let measurement: ManifoldMeasurement
        /// The number of the set's rows before duplicates were dropped and a sample was taken.
        package let rows: Int
        /// The same measurement without the coordinates of largest variance; nil if the run leaves them out anyway, or
        /// if too few coordinates or distinct points would be left.
        package let withoutRogue: ManifoldMeasurement?
    }

    /// Measures each set of points, and lists those that could not be measured.
    ///
    /// - Throws: `WorkbenchError` if no set could be measured; `CancellationError`.
    package func measured(_ sets: [MeasuredSet]) throws -> (measured: [Measured], unmeasured: [Unmeasured]) {
        var measured: [Measured] = []
        var unmeasured: [Unmeasured] = []
        var weighed = WeighedRows()
        for (index, set) in sets.enumerated() {
            context.control.report(done: index, total: sets.count, unit: sets.count == 1 ? "set" : "sites")
            do {
                measured.append(try self.measured(set, &weighed))
            } catch let error as CancellationError {
                throw error
            } catch {
                let named = (error as? GeometryError)?.named(set) ?? error
                guard sets.count > 1 else { throw named }
                unmeasured.append(Unmeasured(set: set, error: error))
                if unmeasured.count == sets.count { throw named }
            }
        }
        weighed.tell(in: context)
        return (measured, unmeasured)
    }

    private func measured(_ set: MeasuredSet, _ weighed: inout WeighedRows) throws -> Measured {
        let (points, rows) = try points(set, &weighed)
        let pool = context.pool
        let calibration = try context.calibrations.calibration(
            count: points.count, width: points.width, pool: pool, control: context.control)
        let (seed, measuresBoth) = (seed, !isWithoutRogue && points.width > ManifoldMeasurement.rogueCount + 1)
        let found = try Interruptible.run(context.control) { inner -> (ManifoldMeasurement, ManifoldMeasurement?) in
            let whole = try ManifoldMeasurement(
                points, calibration: calibration, seed: seed, pool: pool, control: inner)
            guard measuresBoth else { return (whole, nil) }
            // Without the rogue coordinates too few distinct points may be left.
            let rest = try? ManifoldMeasurement(
                points.without(coordinates: whole.rogueCoordinates), calibration: calibration, of: whole, seed: seed,
                pool: pool, control: inner)
            try inner.checkCancellation()
            return (whole, rest)
        }
        return Measured(set: set, measurement: found.0, rows: rows, withoutRogue: found.1)
    }

    /// The dimension estimates for one set of points by the estimators' published definitions, without calibration.
    package struct Raw {
        package let set: MeasuredSet
        package let points: (count: Int, width: Int, duplicates: Int)
        /// The number of the set's rows before duplicates were dropped and a sample was taken.
        package let rows: Int
        package let profile: DimensionProfile
        package let decimation: Decimation
    }

    /// Computes the dimension estimates of each set of points by the estimators' published definitions, without
    /// calibration.
    ///
    /// - Parameter decimates: whether TwoNN is also computed on ever smaller subsets of the points.
    /// - Throws: `WorkbenchError` for the first set that can't be measured.
    package func raw(_ sets: [MeasuredSet], _ estimators: [DimensionEstimator], decimates: Bool) throws -> [Raw] {
        let control = context.control
        let pool = context.pool
        let seed = seed
        var weighed = WeighedRows()
        defer { weighed.tell(in: context) }
        return try sets.enumerated().map { index, set in
            control.report(done: index, total: sets.count, unit: sets.count == 1 ? "set" : "sites")
            let (points, rows) = try naming(set) { try self.points(set, &weighed) }
            let (profile, decimation) = try naming(set) {
                try Interruptible.run(control) { inner -> (DimensionProfile, Decimation) in
                    let profile = try DimensionProfile(
                        points, estimators: estimators, patchLimit: Self.patches(points.count), pool: pool,
                        control: inner)
                    let halvings = decimates && profile.values[.twoNN] != nil ? 6 : 0
                    let sizes = (0..<halvings).map { points.count >> $0 }.filter { $0 >= 50 }
                    let decimation = Decimation(profile.neighbours, sizes: sizes, repetitions: 8, seed: seed)
                    return (profile, decimation)
                }
            }
            return Raw(
                set: set, points: (points.count, points.width, points.duplicates), rows: rows, profile: profile,
                decimation: decimation)
        }
    }

    /// Returns the distinct points of a set, or a seeded sample of them if there are more than the limit, and the
    /// number of all its rows.
    private func points(_ set: MeasuredSet, _ weighed: inout WeighedRows) throws -> (points: PointSet, rows: Int) {
        let matrix = try set.matrix()
        guard matrix.rows >= Self.fewest else {
            throw GeometryError.tooFewPoints(found: matrix.rows, needed: Self.fewest)
        }
        var points = try PointSet(matrix.rescaled)
        if isWithoutRogue {
            guard points.width > ManifoldMeasurement.rogueCount + 1 else {
                throw WorkbenchError.fewCoordinates(points.width)
            }
            points = try points.without(coordinates: points.rogueCoordinates(ManifoldMeasurement.rogueCount))
        }
        guard points.count >= Self.fewest else {
            throw GeometryError.tooFewDistinct(found: points.count, rows: matrix.rows, needed: Self.fewest)
        }
        try checkMemory(min(points.count, limit), points.width)
        if points.count > limit {
            var random = SeededRandom(seed: seed)
            points = points.subset(random.sample(limit, of: points.count).map(Int32.init))
        }
        weighed.add(points.points, name: set.fullName)
        return (points, matrix.rows)
    }

    /// Returns over how many patches (neighbourhoods of points) raw estimates are taken: all of them, as in the
    /// reference implementations, if the patches' inner products fit in memory.
    private static func patches(_ count: Int) -> Int {
        count <= DimensionProfile.gramLimit ? count : DimensionProfile.patchLimit
    }

    /// The fewest points of a set that are measured; with fewer, neighbours mean little.
    package static let fewest = 30

    /// Checks the memory for the surrogates (random sets of points to compare with), of which each thread holds normal
    /// numbers and products in float64 and f32. Without a limit on the points nothing is checked.
    private func checkMemory(_ count: Int, _ width: Int) throws {
        let each = 12.0 * Double(count) * Double(min(count, width) + width) + 8 * Double(count) * Double(width)
        let needed = each * Double(context.pool.threadCount) + 4 * Double(count) * Double(count)
        guard limit != .max, needed > 0.7 * Double(PhysicalMemory.byteCount) else { return }
        throw WorkbenchError.tooManyPoints(count: count, width: width, bytes: Int(min(needed, 1e18)))
    }

    private func naming<Result>(_ set: MeasuredSet, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as GeometryError {
            throw error.named(set)
        }
    }
}

extension GeometryError {
    /// Returns the error as one that names the set of points that could not be measured.
    fileprivate func named(_ set: MeasuredSet) -> WorkbenchError {
        .notMeasured(name: set.fullName, reason: "\(self)")
    }
}
