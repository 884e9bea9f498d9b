import Checkpoints
import Control
import LinearAlgebra
import Models
import Testing

struct TensorStatisticsTests {
    private func statistics(_ view: TensorView, threads: Int = 2) throws -> TensorStatistics {
        try TensorStatistics(of: view, control: RunControl(), threads: threads)
    }

    /// Against sums over the values in order, which double precision gives to about 1e-12.
    @Test(arguments: [1, 7, 8, 1000, 16_384, 300_001])
    func momentsMatchTheNaiveOnes(count: Int) throws {
        var state: UInt64 = 1
        let values = (0..<count).map { _ -> Float in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Float(Int32(truncatingIfNeeded: state >> 32)) * 0x1p-31 + 3
        }
        let result = try statistics(view(.f32, values))
        let mean = values.reduce(0.0) { $0 + Double($1) } / Double(count)
        let variance = values.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(count)
        #expect(result.count == count)
        #expect(result.minimum == Double(try #require(values.min())))
        #expect(result.maximum == Double(try #require(values.max())))
        #expect(result.absoluteMaximum == result.maximum)
        #expect(abs(result.mean - mean) < 1e-11)
        #expect(abs(result.standardDeviation - variance.squareRoot()) < 1e-11)
        #expect(abs(result.rootMeanSquare - (variance + mean * mean).squareRoot()) < 1e-11)
        #expect(result == (try statistics(view(.f32, values), threads: 1)))
    }

    /// Every finite half, both signs: the sum is 0, and widening agrees with the standard library's.
    @Test func everyHalfIsWidenedExactly() throws {
        for bits in stride(from: UInt16(0), to: 0x7C00, by: 13) {
            for pattern in [bits, bits | 0x8000] {
                let result = try statistics(view(.f16, [pattern]))
                #expect(result.mean == Double(Float16(bitPattern: pattern)))
            }
        }
        let all = (UInt16(0)...0xFFFF).map { $0 }
        let result = try statistics(view(.f16, all))
        #expect(result.infiniteCount == 2)
        #expect(result.nanCount == 2046)
        #expect(result.zeroCount == 2)
        #expect(result.maximum == 65504)
        #expect(result.minimum == -65504)
        #expect(abs(result.mean) < 1e-10)
    }

    @Test func otherTypesAreWidened() throws {
        let bf16: [Float] = [1, -2.5, 0, .infinity, .nan]
        let result = try statistics(view(.bf16, bf16.map { UInt16($0.bitPattern >> 16) }))
        #expect(result.mean == -0.5)
        #expect(result.zeroCount == 1)
        #expect(result.infiniteCount == 1)
        #expect(result.nanCount == 1)
        #expect(result.count == 5)
        #expect(try statistics(view(.f64, [1e300, -1e300])).maximum == 1e300)
        #expect(try statistics(view(.i8, [Int8.min, 127])).mean == -0.5)
        #expect(try statistics(view(.u64, [UInt64(1) << 40])).mean == 0x1p40)
    }

    @Test func withoutFiniteValuesEverythingIsNaN() throws {
        for result in [
            try statistics(view(.f32, [Float.nan, .infinity])), try statistics(view(.f32, [Float]())),
        ] {
            #expect(result.mean.isNaN)
            #expect(result.minimum.isNaN)
            #expect(result.absoluteMaximum.isNaN)
            #expect(result.rootMeanSquare.isNaN)
        }
    }
}
