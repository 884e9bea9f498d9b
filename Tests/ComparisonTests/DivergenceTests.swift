import Comparison
import Foundation
import LinearAlgebra
import Statistics
import Testing

/// The formulas as they are written, with every softmax apart and in float64.
private func naive(_ a: [Float], _ b: [Float]) -> (forward: Double, reverse: Double, js: Double, entropy: Double) {
    func softmax(_ x: [Float]) -> [Double] {
        let peak = Double(x.max()!)
        let powers = x.map { exp(Double($0) - peak) }
        let total = powers.reduce(0, +)
        return powers.map { $0 / total }
    }
    func divergence(_ p: [Double], _ q: [Double]) -> Double {
        zip(p, q).reduce(0) { $1.0 > 0 ? $0 + $1.0 * log($1.0 / $1.1) : $0 }
    }
    let (p, q) = (softmax(a), softmax(b))
    let m = zip(p, q).map { ($0 + $1) / 2 }
    return (
        divergence(p, q), divergence(q, p), (divergence(p, m) + divergence(q, m)) / 2,
        -p.reduce(0) { $1 > 0 ? $0 + $1 * log($1) : $0 }
    )
}

private func divergence(_ a: [Float], _ b: [Float], next: Int? = nil) -> Divergence {
    a.withUnsafeBufferPointer { a in b.withUnsafeBufferPointer { b in Divergence(a, b, next: next) } }
}

@Suite("Divergence of two answers")
struct DivergenceTests {
    @Test("by hand: (1/4, 3/4) beside (1/2, 1/2)")
    func hand() throws {
        let found = divergence([0, Float(log(3.0))], [5, 5], next: 1)
        // ln 3 is rounded to a float, so 1e-7 is what the logits themselves allow.
        #expect(abs(found.forward - (0.25 * log(0.5) + 0.75 * log(1.5))) < 1e-7)
        #expect(abs(found.reverse - 0.5 * log(4.0 / 3)) < 1e-7)
        let js =
            (0.25 * log(0.25 / 0.375) + 0.75 * log(0.75 / 0.625) + 0.5 * log(0.5 / 0.375) + 0.5 * log(0.5 / 0.625)) / 2
        #expect(abs(found.jensenShannon - js) < 1e-7)
        #expect(abs(found.entropy - (log(4.0) - 0.75 * log(3.0))) < 1e-7)
        #expect(found.top.a == 1 && found.top.b == 0 && !found.agrees)
        let next = try #require(found.next)
        #expect(abs(next.loss.a - log(4.0 / 3)) < 1e-7)
        #expect(abs(next.loss.b - log(2.0)) < 1e-15)
        #expect(abs(next.probabilityChange + 0.25) < 1e-7)
    }

    @Test("numpy's numbers")
    func numpy() throws {
        let a = (0..<1009).map { Float($0 * 37 % 101) / 16 - 3 }
        let b = (0..<1009).map { Float($0 * 53 % 97) / 16 - 1 }
        let found = divergence(a, b, next: 700)
        #expect(abs(found.forward - 2.0826022529122046) < 1e-9)
        #expect(abs(found.reverse - 2.17125935001694) < 1e-9)
        #expect(abs(found.jensenShannon - 0.3498117944877831) < 1e-9)
        #expect(abs(found.entropy - 6.060585668141696) < 1e-9)
        #expect(found.top.a == 30 && found.top.b == 86)
        let next = try #require(found.next)
        #expect(next.token == 700)
        #expect(abs(next.loss.a - 8.603805973401897) < 1e-9)
        #expect(abs(next.loss.b - 8.260628613597031) < 1e-9)
        #expect(abs(next.probabilityChange - 7.509002210787295e-05) < 1e-9)
    }

    @Test(
        "the naive formulas' numbers, near each other and far apart", arguments: [1e-4, 0.1, 1, 8], [2, 300, 50_000])
    func formulas(scale: Double, count: Int) {
        var random = SeededRandom(seed: UInt64(count))
        let a = random.normal(count: count).map { Float(3 * $0) }
        let b = zip(a, random.normal(count: count)).map { $0 + Float(scale * $1) }
        let found = divergence(a, b)
        let exact = naive(a, b)
        #expect(abs(found.forward - exact.forward) < 1e-9)
        #expect(abs(found.reverse - exact.reverse) < 1e-9)
        #expect(abs(found.jensenShannon - exact.js) < 1e-9)
        #expect(abs(found.entropy - exact.entropy) < 1e-9)
        #expect(found.forward > 0 && found.reverse > 0 && found.jensenShannon > 0)
        #expect(found.jensenShannon <= log(2.0))
        // A and B change places.
        let other = divergence(b, a)
        #expect(abs(other.forward - found.reverse) < 1e-12 && abs(other.jensenShannon - found.jensenShannon) < 1e-12)
    }

    @Test("exactly 0, 0, 0 and agreement beside itself, and for the same answer shifted")
    func itself() {
        var random = SeededRandom(seed: 5)
        let a = random.normal(count: 4999).map { Float(4 * $0).rounded() / 8 }
        for shift in [Float(0), 64, -1024] {
            let found = divergence(a, a.map { $0 + shift }, next: 17)
            #expect(found.forward == 0 && found.reverse == 0 && found.jensenShannon == 0 && found.agrees)
            #expect(abs(found.next?.probabilityChange ?? 1) < 1e-15)
        }
        #expect(divergence(a, a, next: 17).next?.probabilityChange == 0)
    }

    @Test("sure answers stay finite, and opposed ones are ln 2 apart")
    func extremes() {
        let found = divergence([10_000, 0, 0], [0, 10_000, 0], next: 1)
        #expect(found.forward == 10_000 && found.reverse == 10_000 && found.entropy == 0)
        #expect(abs(found.jensenShannon - log(2.0)) < 1e-15)
        #expect(found.next?.loss.a == 10_000 && found.next?.loss.b == 0 && found.next?.probabilityChange == 1)
    }

    @Test("a token about as unlikely as numbers go leaves everything finite")
    func denormals() {
        for step in 0...1000 {
            let gap = Float(740 + Double(step) / 100)
            for (a, b) in [([0, -gap], [0, -gap / 2]), ([0, -gap, -3], [0, -800, -3]), ([0, -gap], [-gap, 0])] {
                let found = divergence(a, b)
                let values = [found.forward, found.reverse, found.jensenShannon, found.entropy]
                #expect(values.allSatisfy { $0.isFinite && $0 >= 0 }, "\(gap): \(values)")
                #expect(found.jensenShannon <= log(2.0) + 1e-15, "\(gap)")
            }
        }
    }

    @Test("among equals the smaller id is the top")
    func ties() {
        let found = divergence([1, 2, 2], [2, 2, 1])
        #expect(found.top.a == 1 && found.top.b == 0)
        #expect(found.next == nil)
    }
}
