import Control
package import Geometry
import LinearAlgebra
import Statistics
import TerminalText

/// Measures sets of points, one after another, with the threads of a context.
package struct ManifoldRun {
    package let context: RunContext
    /// Points of a set at most.
    package let limit: Int
    package let seed: UInt64
    package let isWithoutRogue: Bool

    package init(context: RunContext, limit: Int, seed: UInt64, isWithoutRogue: Bool) {
        self.context = context
        self.limit = limit
        self.seed = seed
        self.isWithoutRogue = isWithoutRogue
    }

    /// A set that could not be measured, beside others that could.
    package struct Unmeasured {
        package let set: MeasuredSet
        package let error: any Error
    }

    /// What was found of one set.
    package struct Measured {
        package let set: MeasuredSet
        package let measurement: ManifoldMeasurement
        /// Rows before duplicates were dropped and a sample was taken.
        package let rows: Int
        /// The same without the coordinates of largest variance; nil where that is what was asked for.
        package let withoutRogue: ManifoldMeasurement?
    }

    /// - Throws: `WorkbenchError` if no set could be measured.
    package func measured(_ sets: [MeasuredSet]) throws -> (measured: [Measured], unmeasured: [Unmeasured]) {
        var measured: [Measured] = []
        var unmeasured: [Unmeasured] = []
        for (index, set) in sets.enumerated() {
            context.control.report(done: index, total: sets.count, unit: sets.count == 1 ? "set" : "sites")
            do {
                measured.append(try self.measured(set))
            } catch let error as CancellationError {
                throw error
            } catch {
                let named = (error as? GeometryError)?.named(set) ?? error
                guard sets.count > 1 else { throw named }
                unmeasured.append(Unmeasured(set: set, error: error))
                if unmeasured.count == sets.count { throw named }
            }
        }
        return (measured, unmeasured)
    }

    private func measured(_ set: MeasuredSet) throws -> Measured {
        let (points, rows) = try points(set)
        let pool = context.pool
        let calibration = try context.calibrations.calibration(
            count: points.count, width: points.width, pool: pool, control: context.control)
        let (seed, measuresBoth) = (seed, !isWithoutRogue && points.width > ManifoldMeasurement.rogueCount + 1)
        let found = try Interruptible.run(context.control) { inner -> (ManifoldMeasurement, ManifoldMeasurement?) in
            let whole = try ManifoldMeasurement(
                points, calibration: calibration, seed: seed, pool: pool, control: inner)
            guard measuresBoth else { return (whole, nil) }
            // Without them too few distinct points may be left.
            let rest = try? ManifoldMeasurement(
                points.without(coordinates: whole.rogueCoordinates), calibration: calibration, of: whole, seed: seed,
                pool: pool, control: inner)
            try inner.checkCancellation()
            return (whole, rest)
        }
        return Measured(set: set, measurement: found.0, rows: rows, withoutRogue: found.1)
    }

    /// What was found of one set as the estimators' definitions have it.
    package struct Raw {
        package let set: MeasuredSet
        package let points: (count: Int, width: Int, duplicates: Int)
        package let rows: Int
        package let profile: DimensionProfile
        package let decimation: Decimation
    }

    /// - Parameter decimates: whether TwoNN of ever fewer points is wanted too.
    package func raw(_ sets: [MeasuredSet], _ estimators: [DimensionEstimator], decimates: Bool) throws -> [Raw] {
        let control = context.control
        let pool = context.pool
        let seed = seed
        return try sets.enumerated().map { index, set in
            control.report(done: index, total: sets.count, unit: sets.count == 1 ? "set" : "sites")
            let (points, rows) = try naming(set) { try self.points(set) }
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

    /// Distinct points of a set, a seeded sample where there are many.
    private func points(_ set: MeasuredSet) throws -> (points: PointSet, rows: Int) {
        let matrix = try set.matrix()
        var points = try PointSet(matrix.rescaled)
        if isWithoutRogue {
            guard points.width > ManifoldMeasurement.rogueCount + 1 else {
                throw WorkbenchError.fewCoordinates(points.width)
            }
            points = try points.without(coordinates: points.rogueCoordinates(ManifoldMeasurement.rogueCount))
        }
        guard points.count >= Self.fewest else {
            guard points.duplicates > 0 else {
                throw GeometryError.tooFewPoints(found: points.count, needed: Self.fewest)
            }
            throw GeometryError.tooFewDistinct(found: points.count, rows: matrix.rows, needed: Self.fewest)
        }
        try checkMemory(min(points.count, limit), points.width)
        if points.count > limit {
            var random = SeededRandom(seed: seed)
            points = points.subset(random.sample(limit, of: points.count).map(Int32.init))
        }
        return (points, matrix.rows)
    }

    /// Raw numbers are over all patches, as the references have them, where their inner products can be kept.
    private static func patches(_ count: Int) -> Int {
        count <= DimensionProfile.gramLimit ? count : DimensionProfile.patchLimit
    }

    /// Fewer points have no neighbours to speak of.
    package static let fewest = 30

    /// Surrogates hold normal numbers and products of each thread in float64 and f32.
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
    fileprivate func named(_ set: MeasuredSet) -> WorkbenchError {
        let name = [set.name, set.group].compactMap { $0 }.joined(separator: ", ")
        return .notMeasured(name: name, reason: "\(self)")
    }
}
