import Checkpoints
import Control
import Geometry
import LinearAlgebra
import Models
import Provenance
import Statistics
import TestSupport
import Testing
import Workbench
import WorkbenchTestSupport

@Suite("Measuring sets of points")
struct ManifoldRunTests {
    private static func normal(_ rows: Int, _ columns: Int, in width: Int? = nil, seed: UInt64 = 1) -> Matrix {
        var random = SeededRandom(seed: seed)
        var matrix = Matrix(rows: rows, columns: width ?? columns)
        for row in 0..<rows {
            for (column, value) in random.normal(count: columns).enumerated() { matrix[row, column] = Float(value) }
        }
        return matrix
    }

    private static func set(_ matrix: Matrix, _ name: String = "points", group: String? = nil) -> MeasuredSet {
        MeasuredSet(name: name, group: group, width: matrix.columns) { matrix }
    }

    private func run(
        limit: Int = .max, without: Bool = false, context: RunContext = .testing()
    ) -> ManifoldRun {
        ManifoldRun(context: context, limit: limit, seed: 0, isWithoutRogue: without)
    }

    @Test("a plane of three dimensions is found in eight coordinates, beside what can't be measured")
    func plane() throws {
        let plane = Self.set(Self.normal(80, 3, in: 8))
        let few = Self.set(Self.normal(10, 3), "few", group: "g")
        let (measured, unmeasured) = try run().measured([plane, few])
        #expect(measured.count == 1 && unmeasured.count == 1 && unmeasured[0].set.name == "few")
        let found = try #require(measured.first)
        #expect(found.rows == 80 && found.measurement.count == 80 && found.measurement.width == 8)
        #expect((2.3...3.7).contains(found.measurement.estimate.value), "\(found.measurement.estimate.value)")
        #expect(found.measurement.rank == 3)
        // Of three coordinates that vary none is left without the three that vary most.
        #expect(found.withoutRogue == nil)
        let error = #expect(throws: WorkbenchError.self) { try run().measured([few]) }
        #expect(error == .notMeasured(name: "few, g", reason: "\(GeometryError.tooFewPoints(found: 10, needed: 30))"))
        #expect(throws: WorkbenchError.self) { try run().measured([few, few]) }
        let one = #expect(throws: WorkbenchError.self) { try run().measured([Self.set(Self.normal(1, 3), "one")]) }
        #expect(one == .notMeasured(name: "one", reason: "\(GeometryError.tooFewPoints(found: 1, needed: 30))"))
    }

    @Test("the same at one thread and at two; a sample is drawn where points are too many")
    func threads() throws {
        let set = Self.set(Self.normal(90, 4))
        let found = try [1, 2].map {
            try run(limit: 40, context: .testing(threads: $0)).measured([set]).measured[0]
        }
        #expect(found[0].measurement.count == 40 && found[0].rows == 90)
        #expect(found[0].measurement.estimate.value == found[1].measurement.estimate.value)
        #expect(found[0].measurement.calibrated == found[1].measurement.calibrated)
    }

    @Test("raw numbers are the estimators' own, with TwoNN of ever fewer points where it is wanted")
    func raw() throws {
        let matrix = Self.normal(120, 3, in: 6)
        let found = try run().raw([Self.set(matrix)], [.twoNN, .participationRatio], decimates: true)[0]
        #expect(found.points.count == 120 && found.points.width == 6 && found.points.duplicates == 0)
        let spectrum = try GlobalSpectrum(PointSet(matrix.rescaled), control: RunControl())
        let ratio = try #require(found.profile.values[.participationRatio])
        #expect(try abs(ratio - spectrum.debiased.dimension()) < 1e-9)
        #expect(found.profile.values[.twoNN] != nil)
        let without = try run().raw([Self.set(matrix)], [.twoNN], decimates: false)
        #expect(without.count == 1)
        #expect(throws: WorkbenchError.self) {
            try run().raw([Self.set(Self.normal(5, 2))], [.twoNN], decimates: false)
        }
    }

    @Test("without the coordinates of largest variance, and refused where too few are left")
    func rogue() throws {
        var matrix = Self.normal(60, 8)
        for row in 0..<60 { for column in 0..<3 { matrix[row, column] *= 100 } }
        let found = try run(without: true).raw([Self.set(matrix)], [.participationRatio], decimates: false)[0]
        #expect(found.points.width == 5)
        let whole = try run().raw([Self.set(matrix)], [.participationRatio], decimates: false)[0]
        let (few, all) = (found.profile.values[.participationRatio], whole.profile.values[.participationRatio])
        // Three coordinates of a hundredfold length are all that there is to see of eight.
        #expect(try #require(all) < 3.1)
        #expect(try #require(few) > 4)
        #expect(throws: WorkbenchError.fewCoordinates(4)) {
            try run(without: true).raw([Self.set(Self.normal(60, 4))], [.twoNN], decimates: false)
        }
        let same = Matrix(rows: 60, columns: 2, values: (0..<120).map { Float($0 / 2 % 3) })
        let error = #expect(throws: WorkbenchError.self) {
            try run().raw([Self.set(same)], [.twoNN], decimates: false)
        }
        #expect("\(try #require(error))".hasPrefix("points: "))
    }

    @Test("a measurement that is given up throws")
    func cancelled() throws {
        let set = Self.set(Self.normal(60, 3))
        #expect(throws: CancellationError.self) { try run(context: .cancelled).measured([set]) }
        #expect(throws: CancellationError.self) { try run(context: .cancelled).raw([set], [.twoNN], decimates: false) }
    }

    // MARK: Calibrations

    @Test(
        "sets of nearly the same size share a calibration",
        arguments: [(7, 7), (99, 99), (100, 100), (102, 100), (103, 105), (1234, 1250), (1990, 2000), (2049, 2000)])
    func sizes(count: Int, near: Int) {
        let found = CalibrationCache.points(near: count)
        #expect(abs(Double(found) / Double(count) - 1) <= 0.026, "\(found)")
        #expect(found == CalibrationCache.points(near: found))
        #expect(abs(found - near) <= near / 20)
    }

    @Test("a calibration is kept in its folder, extended for wider points, and one that is spoilt is measured anew")
    func cache() throws {
        let folder = TemporaryFolder()
        let path = folder.file("cache/nacre")
        let control = RunControl()
        let pool = Pools.two
        let first = try CalibrationCache(folder: path).calibration(count: 31, width: 2, pool: pool, control: control)
        #expect(first.count == 31 && first.dimensions == [1, 2])
        let file = "\(path)/calibration-31.txt"
        let text = try TextFile.read(file)
        #expect(Calibration(text: text) == first)
        let cache = CalibrationCache(folder: path)
        #expect(try cache.calibration(count: 31, width: 2, pool: pool, control: control) == first)
        let wider = try cache.calibration(count: 31, width: 3, pool: pool, control: control)
        #expect(wider.dimensions == [1, 2, 3])
        for (estimator, values) in first.raw { #expect(wider.raw[estimator].map { Array($0.prefix(2)) } == values) }
        #expect(try Calibration(text: TextFile.read(file)) == wider)
        writeBytes(Array("nothing".utf8), file)
        let again = try CalibrationCache(folder: path).calibration(count: 31, width: 2, pool: pool, control: control)
        #expect(again == first)
        #expect(try Calibration(text: TextFile.read(file)) == first)
        // Nowhere to write is no reason to fail.
        let nowhere = CalibrationCache(folder: "/proc/nowhere/at/all")
        #expect(try nowhere.calibration(count: 31, width: 2, pool: pool, control: control) == first)
    }

    // MARK: Sets

    private func capture() -> Capture {
        let labels = ["x", "y", "x", "x", "y", "z"]
        return Capture(
            sites: [("blocks.0.hook_resid_post", Self.normal(6, 2))],
            rows: (0..<6).map { .init(prompt: $0, position: 0, token: $0 % 2) },
            prompts: labels.map { .init(text: "t", label: $0) }, recipe: "{}")
    }

    @Test("groups by label or token have as many rows each, drawn with a seed, and small ones are left out")
    func groups() throws {
        let source = PointSource(capture(), site: "blocks.0.hook_resid_post")
        let all = try source.matrix()
        let (sets, leftOut, rows) = try MeasuredSet.groups(source, by: .label, least: 2, seed: 4) { "\($0)" }
        #expect(sets.map(\.group) == ["x", "y"] && rows == 2 && leftOut.map(\.name) == ["z"] && leftOut[0].rows == 1)
        #expect(sets[0].name == "resid_post[0]" && sets[0].width == 2)
        let x = try sets[0].matrix()
        #expect(x.rows == 2)
        for row in 0..<2 { #expect([0, 2, 3].contains { all.row($0) == x.row(row) }) }
        #expect(try sets[1].matrix() == all.selecting([1, 4]))
        let tokens = try MeasuredSet.groups(source, by: .token, least: 3, seed: 4) { "token \($0)" }
        #expect(tokens.sets.map(\.group) == ["token 0", "token 1"] && tokens.rows == 3)
        #expect(throws: WorkbenchError.smallGroups(least: 9, largest: 3)) {
            try MeasuredSet.groups(source, by: .label, least: 9, seed: 4) { "\($0)" }
        }
        let points = PointSource(
            Points(name: "f", matrix: all, rounding: nil, input: Recipe.Input(name: "f", sha256: "")))
        #expect(throws: WorkbenchError.noLabels(name: "f")) {
            try MeasuredSet.groups(points, by: .label, least: 1, seed: 4) { "\($0)" }
        }
        #expect(MeasuredSet(points).name == "f")
        #expect(try MeasuredSet(points).matrix() == all)
    }

    @Test("rows and columns of weights, one matrix after another or all of one width as one set")
    func weights() throws {
        let checkpoint = try fixtureModel("tiny-chat").file
        let names = ["model.layers.0.mlp.up_proj.weight", "model.layers.1.mlp.up_proj.weight"]
        let views = try names.map { try #require(try checkpoint.tensor($0)) }
        let rows = MeasuredSet.weights(views, side: .rows, isJoint: false)
        #expect(rows.map(\.name) == names.map { "\($0) rows" } && rows.map(\.width) == [32, 32])
        let own = try values(of: names[0], checkpoint)
        #expect(try rows[0].matrix().values.map(Double.init) == own)
        let both = MeasuredSet.weights(views, side: .both, isJoint: false)
        #expect(both.map(\.width) == [32, 32, 64, 64])
        let turned = try both[2].matrix()
        #expect(turned.rows == 32 && Double(turned[3, 5]) == own[5 * 32 + 3])
        let joint = MeasuredSet.weights(views, side: .both, isJoint: true)
        #expect(joint.map(\.name) == ["2 matrices, rows", "2 matrices, columns"])
        #expect(try joint[0].matrix().rows == 128 && joint[1].matrix().rows == 64)
        // Numbers of f64 are rounded to f32.
        let double = try MemoryTensor(name: "d", type: .f64, shape: [1, 2], file: "t") {
            $0.storeBytes(of: 0.1, as: Double.self)
        }
        #expect(try MeasuredSet.weights([double.view], side: .rows, isJoint: false)[0].matrix().values == [0.1, 0])
    }
}
