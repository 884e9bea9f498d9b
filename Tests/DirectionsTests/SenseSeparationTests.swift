import Control
import Directions
import LinearAlgebra
import Statistics
import Testing
import Workbench

@Suite("Separation of senses")
struct SenseSeparationTests {
    private func separation(
        _ first: Matrix, _ second: Matrix, centre: [Double]? = nil, seed: UInt64 = 1
    ) throws -> SenseSeparation {
        try SenseSeparation(first, second, centre: centre, splits: 100, seed: seed, control: RunControl())
    }

    @Test("senses six deviations apart are told by every measure")
    func planted() throws {
        var random = SeededRandom(seed: 3)
        let axis = RotatedPowerLaw.unit(24, &random)
        let (first, second) = (normal(50, 24, &random), normal(40, 24, &random).shifted(by: axis, times: 6))
        let found = try separation(first, second, centre: [Double](repeating: 0, count: 24))
        #expect(found.isAboveNull && found.p < 0.02)
        // √(2·24 + 36) / √(2·24) - 1, up to the mean of a root.
        #expect(abs(found.separation - 0.323) < 0.04, "\(found.separation)")
        #expect(found.interval.contains(found.separation) && found.interval.lowerBound > found.nullBound)
        #expect(abs(found.nullMedian) < 0.02)
        // tr(Sb) = nm/(n + m) 36, tr(Sw) = (n + m - 2) 24.
        #expect(abs(found.fisher - 50.0 * 40 / 90 * 36 / (88 * 24)) < 0.06, "\(found.fisher)")
        #expect(found.fisherNull < 0.05 && found.silhouette > 0.15 && abs(found.silhouetteNull) < 0.02)
        #expect(found.probe.value ?? 0 > 0.95 && found.nearerMean.value ?? 0 > 0.95)
        #expect(abs((found.shuffledProbe.value ?? 0) - 0.5) < 0.2)
        #expect(found.cosine ?? 1 < 0.5 && !found.isConstant)
    }

    @Test("of senses that do not differ few are above the null")
    func nothing() throws {
        var random = SeededRandom(seed: 5)
        let found = try (0..<40).map { _ in
            try separation(normal(30, 16, &random), normal(30, 16, &random), seed: random.next())
        }
        #expect((0...6).contains(found.count(where: \.isAboveNull)), "\(found.count(where: \.isAboveNull))")
        #expect(found.count { $0.interval.contains(0) } >= 34)
        #expect(found[0].cosine == nil)
    }

    @Test("one row everywhere: 0 and 1, exactly, also with sizes whose sums round")
    func constant() throws {
        let row: [Float] = [0.1, 1.7, -3.3e-3, 1e7]
        func rows(_ count: Int) -> Matrix {
            Matrix(rows: count, columns: 4, values: Array(repeatElement(row, count: count).joined()))
        }
        let found = try separation(rows(7), rows(13), centre: [1, 2, 3, 4])
        #expect(found.separation == 0 && found.interval == 0...0 && found.null.allSatisfy { $0 == 0 })
        #expect(found.fisher == 0 && found.silhouette == 0 && found.cosine == 1 && found.p == 1)
        #expect(found.isConstant && !found.isAboveNull && found.probe == found.shuffledProbe)
    }

    @Test("too few rows, other widths and NaN are refused")
    func refused() throws {
        var random = SeededRandom(seed: 1)
        let rows = normal(10, 4, &random)
        #expect(throws: DirectionsError.tooFewRows("second", found: 3, needed: 4)) {
            try separation(rows, normal(3, 4, &random))
        }
        #expect(throws: SubspaceError.differentWidths(4, 5)) { try separation(rows, normal(10, 5, &random)) }
        var bad = rows
        bad[2, 1] = .infinity
        #expect(throws: SubspaceError.notFiniteRow("first", row: 2)) { try separation(bad, rows) }
    }
}
