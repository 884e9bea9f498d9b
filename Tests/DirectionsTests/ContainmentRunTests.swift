import Checkpoints
import Geometry
import LinearAlgebra
import Provenance
import Statistics
import Testing
import Workbench
import WorkbenchTestSupport

@testable import Directions

@Suite("Directions inside of points")
struct ContainmentRunTests {
    /// Points of 40 coordinates that vary along the first few alone, but for a little noise.
    private func points(_ rows: Int = 120, along: Int = 6, name: String = "points") -> Matrix {
        var random = SeededRandom(seed: 4)
        var matrix = Matrix(rows: rows, columns: 40)
        for row in 0..<rows {
            for (column, value) in random.normal(count: 40).enumerated() {
                matrix[row, column] = Float(column < along ? value * 5 : value * 0.01)
            }
        }
        return matrix
    }

    private func source(_ matrix: Matrix, prompts: [Int32]? = nil) -> PointSource {
        guard let prompts else {
            return PointSource(
                Points(name: "points", matrix: matrix, rounding: nil, input: Recipe.Input(name: "p", sha256: "")))
        }
        let site = "blocks.0.hook_resid_post"
        return PointSource(
            Capture(
                sites: [(site, matrix)], rows: prompts.map { .init(prompt: $0, position: 0, token: 0) },
                prompts: (0...(prompts.max() ?? 0)).map { .init(text: "t\($0)") }, recipe: "{}"), site: site)
    }

    private func direction(_ coordinate: Int) throws -> Subspace {
        var matrix = Matrix(rows: 1, columns: 40)
        matrix[0, coordinate] = 2
        return try Subspace(vectors: matrix)
    }

    private func run(
        _ subspace: Subspace, _ source: PointSource, apart: Set<String> = [], context: RunContext = .testing()
    ) throws -> ContainmentRun.Found {
        try ContainmentRun(context: context, subspace: subspace, source: source, apart: apart).run()
    }

    @Test("a direction along which points vary is inside, one along which they don't is not")
    func planted() throws {
        let inside = try run(direction(2), source(points()))
        let level = try #require(inside.measurement.levels.first { $0.name == "d99" })
        #expect(
            level.value > 0.99 && level.isContained,
            "\(inside.measurement.levels.map { ($0.name, $0.dimensions, $0.value) })")
        let outside = try run(direction(30), source(points()))
        #expect(outside.measurement.levels[0].value < 0.1 && !outside.measurement.levels[0].isContained)
        #expect(inside.used == 120 && inside.total == 120 && inside.leftOut == 0 && inside.prompts == 120)
    }

    @Test("rows of prompts that the directions were found on are left out, those of one prompt stay together")
    func apart() throws {
        let prompts = (0..<120).map { Int32($0 / 3) }
        let found = try run(direction(2), source(points(), prompts: prompts), apart: ["t0", "t1"])
        #expect(found.leftOut == 6 && found.used == 114 && found.prompts == 38)
    }

    @Test("of too many rows some are drawn with the seed, and the bits are those of any number of threads")
    func sample() throws {
        let many = source(points(4200))
        let found = try [1, 2].map { try run(direction(2), many, context: .testing(threads: $0)) }
        #expect(found[0].used == ContainmentRun.rowLimit && found[0].total == 4200)
        #expect(found[0].measurement.levels.map(\.value) == found[1].measurement.levels.map(\.value))
    }

    @Test("what can't be measured is refused with its numbers")
    func refusals() throws {
        let narrow = try Subspace(vectors: Matrix(rows: 1, columns: 3, values: [1, 0, 0]))
        #expect(throws: DirectionsError.otherWidth(points: "points", 40, directions: 3)) {
            try run(narrow, source(points()))
        }
        let clusters = ContainmentMeasurement.clusters(for: 1)
        #expect(
            throws: DirectionsError.fewPoints(
                "points", count: 8 * clusters - 1, needed: 8 * clusters, topics: clusters, isPart: false)
        ) { try run(direction(2), source(points(8 * clusters - 1))) }
        let few = source(points(), prompts: (0..<120).map { Int32($0 % 4) })
        #expect(throws: DirectionsError.fewGroups("blocks.0.hook_resid_post", count: 4, needed: 16)) {
            try run(direction(2), few)
        }
        guard
            case .fewPoints(_, let count, _, _, isPart: true)? = #expect(
                throws: DirectionsError.self,
                performing: { try run(direction(2), few, apart: ["t0", "t1", "t2", "t3"]) })
        else { return }
        #expect(count == 0)
        var bad = points()
        bad[3, 4] = .nan
        #expect(throws: WorkbenchError.self) { try run(direction(2), source(bad)) }
        let same = Matrix(rows: 120, columns: 40, values: [Float](repeating: 1, count: 4800))
        #expect(throws: DirectionsError.self) { try run(direction(2), source(same)) }
        #expect(throws: CancellationError.self) { try run(direction(2), source(points(4000)), context: .cancelled) }
    }
}
