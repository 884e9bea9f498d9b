import Foundation
import Geometry
import HDF5
import LinearAlgebra
import TestSupport
import Testing

/// Measures of separation beside scikit-learn and numpy; Scripts/goldens/separation_goldens.py writes the file.
@Suite("Separation of classes")
struct SeparationTests {
    private struct Golden {
        let points: Matrix
        let labels: [Int]
        let scalars: [String: Double]
    }

    private func golden(_ name: String) throws -> Golden {
        let file = try File(NacreProcess.root.appending(path: "Tests/Fixtures/geometry/separation.h5").path)
        let names = try #require(file.contents.attributes["scalars"]?.text).split(separator: " ").map(String.init)
        func array<Element: BitwiseCopyable>(_ part: String) throws -> [Element] {
            let dataset = try #require(file.contents.dataset(["sets", name, part]))
            return try file.decode(dataset).array(of: Element.self)
        }
        let shape = try #require(file.contents.dataset(["sets", name, "points"])).shape
        let labels: [Int32] = try array("labels")
        let scalars: [Double] = try array("scalars")
        return Golden(
            points: Matrix(rows: shape[0], columns: shape[1], values: try array("points")),
            labels: labels.map(Int.init),
            scalars: Dictionary(uniqueKeysWithValues: zip(names, scalars)))
    }

    @Test("agree with scikit-learn and numpy", arguments: ["apart", "same", "three"])
    func goldens(name: String) throws {
        let golden = try golden(name)
        let sums = LabelledDistances(golden.points).sums(golden.labels, classes: (golden.labels.max() ?? 0) + 1)
        let ratio = try #require(DistanceRatio(sums))
        let found = [
            "silhouette": try #require(Silhouette(sums)).value, "fisher": FisherRatio(sums).value,
            "between": ratio.between, "within": ratio.within,
        ]
        for (measure, value) in found {
            let expected = try #require(golden.scalars[measure])
            #expect(abs(value - expected) <= 1e-9 * abs(expected), "\(name) \(measure): \(value), \(expected)")
        }
    }

    @Test("debiased participation ratios of a pair of sets are those of the package dimensionality")
    func participationRatios() throws {
        for name in ["apart", "same"] {
            let golden = try golden(name)
            let members = [0, 1].map { label in golden.labels.indices.filter { golden.labels[$0] == label } }
            let count = min(members[0].count, members[1].count)
            let sets = members.map { golden.points.selecting($0.prefix(count).map(Int32.init)) }
            let kernel = try PairedKernel(sets[0], sets[1])
            let expected = try #require(golden.scalars["did"])
            let found = try kernel.dimensions().difference
            #expect(abs(found - expected) < 1e-7, "\(name): \(found), \(expected)")
        }
    }

    @Test("rows that are one point have no separation, exactly")
    func constant() throws {
        let rows = Matrix(rows: 9, columns: 3, values: Array(repeatElement([0.1, -7.3, 1e6], count: 9).joined()))
        let sums = LabelledDistances(rows).sums([0, 1, 0, 1, 0, 1, 0, 1, 0], classes: 2)
        #expect(DistanceRatio(sums)?.separation == 0)
        #expect(FisherRatio(sums).value == 0)
        #expect(Silhouette(sums)?.value == 0)
    }

    @Test("one class has no ratio and no silhouette")
    func oneClass() {
        let sums = LabelledDistances(Matrix(rows: 3, columns: 1, values: [1, 2, 3])).sums([0, 0, 0], classes: 1)
        #expect(DistanceRatio(sums) == nil && Silhouette(sums) == nil)
    }
}
