import Control
import Directions
import LinearAlgebra
import Statistics
import Testing
import Workbench

@Suite("Principal directions of pairs")
struct PairedPrincipalDirectionsTests {
    @Test("they are the right singular vectors of the differences, for few and for many pairs", arguments: [12, 90])
    func singularVectors(pairs: Int) throws {
        var random = SeededRandom(seed: 8)
        let (a, b) = (normal(pairs, 40, &random), normal(pairs, 40, &random))
        let rows = try LabelledRows(positives: a, negatives: b)
        let found = try PairedPrincipalDirections(rows, count: 3)
        let differences = zip(a.values, b.values).map { Double($0) - Double($1) }
        let truth = try SingularValues(of: differences, rows: pairs, columns: 40, vectors: true)
        let total = truth.values.reduce(0) { $0 + $1 * $1 }
        for index in 0..<3 {
            #expect(abs(found.singularValues[index] - truth.values[index]) < 1e-9 * truth.values[0])
            #expect(abs(found.shares[index] - truth.values[index] * truth.values[index] / total) < 1e-9)
            let vector = Array(truth.rightVectors[index * 40..<(index + 1) * 40])
            #expect(abs(abs(cosine(found.directions[index], vector)) - 1) < 1e-9)
            // Most pairs are on the positive side.
            let positive = (0..<pairs).count { pair in
                zip(differences[pair * 40..<(pair + 1) * 40], found.directions[index]).reduce(0) { $0 + $1.0 * $1.1 }
                    > 0
            }
            #expect(found.agreeing[index] == Proportion(successes: positive, trials: pairs))
            #expect(2 * positive >= pairs)
        }
    }

    @Test("the sign is that of most pairs, whichever class comes first")
    func sign() throws {
        var random = SeededRandom(seed: 9)
        let axis = RotatedPowerLaw.unit(24, &random)
        let negatives = normal(30, 24, &random)
        let positives = normal(30, 24, &random).shifted(by: axis, times: 6)
        let truth = axis.map(Double.init)
        let forward = try PairedPrincipalDirections(
            try LabelledRows(positives: positives, negatives: negatives), count: 1)
        let back = try PairedPrincipalDirections(
            try LabelledRows(positives: negatives, negatives: positives), count: 1)
        #expect(cosine(forward.directions[0], truth) > 0.95)
        #expect(cosine(back.directions[0], truth) < -0.95)
        let rows = try LabelledRows(positives: positives, negatives: negatives)
        let heldOut = try PairedPrincipalDirections.heldOut(rows, seed: 3, control: RunControl())
        #expect(try #require(heldOut.accuracy.value) > 0.95)
    }

    @Test("more directions than there are is an error")
    func tooMany() throws {
        let rows = try LabelledRows(
            positives: Matrix(rows: 3, columns: 4, values: [1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0]),
            negatives: Matrix(rows: 3, columns: 4))
        #expect(throws: SubspaceError.tooMany(vectors: 4, width: 3)) {
            try PairedPrincipalDirections(rows, count: 4)
        }
        #expect(throws: SubspaceError.dependent(vector: 1)) { try PairedPrincipalDirections(rows, count: 2) }
    }
}
