import Control
import LinearAlgebra
import Testing

@testable import Geometry

struct CalibrationTests {
    @Test("A calibration's text reads back to the same bits, and nothing else is one")
    func text() throws {
        let pool = try ThreadPool(threadCount: 2)
        defer { pool.stop() }
        let calibration = try Calibration(
            count: 60, width: 5, estimators: [.twoNN, .localParticipationRatio(k: 25), .localPCA(k: 100)], pool: pool,
            control: RunControl())
        #expect(calibration.dimensions == [1, 2, 3, 4, 5])
        // Sixty points have no patch of a hundred.
        #expect(calibration.raw[.localPCA(k: 100)]?.allSatisfy { $0 == nil } == true)
        let text = calibration.text
        #expect(Calibration(text: text) == calibration)
        for bad in [
            "", "nacre calibration 2\n", text.replacing("points\t60", with: "points\t-1"),
            text.replacing("dimension\t1", with: "dimension\t0"), text.replacing("TwoNN", with: "TwoXX"),
            text.replacing("TwoNN\t", with: "TwoNN\tnan\t"), text.replacing("calibration 2", with: "calibration 1"),
            String(text.dropLast(text.count / 3)),
        ] {
            #expect(Calibration(text: bad) == nil, "\(bad.prefix(40))")
        }
    }

    @Test("More coordinates extend a calibration without measuring again what it holds")
    func extending() throws {
        let pool = try ThreadPool(threadCount: 2)
        defer { pool.stop() }
        let narrow = try Calibration(
            count: 50, width: 3, estimators: [.twoNN], pool: pool, control: RunControl())
        let wide = try Calibration(
            count: 50, width: 8, extending: narrow, estimators: [.twoNN], pool: pool, control: RunControl())
        let fresh = try Calibration(
            count: 50, width: 8, estimators: [.twoNN], pool: pool, control: RunControl())
        #expect(wide == fresh)
        let again = try Calibration(
            count: 50, width: 4, extending: wide, estimators: [.twoNN], pool: pool, control: RunControl())
        #expect(again == wide)
    }

    @Test("A curve is inverted between its samples, below and above them, and levels out where samples fall")
    func inversion() {
        let calibration = Calibration(
            count: 100, dimensions: [1, 2, 4, 8], raw: [.twoNN: [1, 2, 3, 6], .d99: [1, 2, 1.9, 8]])
        func dimension(_ raw: Double) -> Double? { calibration.dimension(.twoNN, raw: raw) }
        #expect(dimension(1) == 1)
        #expect(abs(dimension(3)! - 4) < 1e-12)
        #expect(abs(dimension(4.242640687119285)! - 5.656854249492381) < 1e-9)
        #expect(abs(dimension(0.5)! - 0.5) < 1e-12)
        // Beyond the last sample by the last line, to four times the last dimension.
        #expect(abs(dimension(12)! - 16) < 1e-9)
        #expect(abs(dimension(1e9)! - 32) < 1e-9)
        #expect(calibration.dimension(.d99, raw: 1.95)! < 2.1)
        #expect(calibration.dimension(.fullCorrelation, raw: 3) == nil)
        #expect(dimension(.nan) == nil)
        #expect(dimension(0) == nil)
        #expect(abs(calibration.whiteNoise(.twoNN, width: 8)! - 6) < 1e-12)
    }

    @Test("Every estimator's name reads back to it", arguments: DimensionEstimator.all)
    func names(_ estimator: DimensionEstimator) {
        #expect(DimensionEstimator(name: estimator.name, k: nil) == estimator)
        #expect(DimensionEstimator(name: estimator.name.uppercased(), k: 7) == estimator)
    }

    @Test("A name without a number takes k, and what is no estimator has no name")
    func odd() {
        #expect(DimensionEstimator(name: "lpca-fan", k: 50) == .localPCA(k: 50, rule: .fan))
        #expect(DimensionEstimator(name: "ESS", k: 50) == .simplexSkewness(k: 50))
        #expect(DimensionEstimator(name: "GRIDE", k: 50) == .gride(near: 25))
        for name in [
            "", "lPCA0", "lPCA99999999999999999999", "GRIDE0", "TwoNN5", "d98", "FCI2", "lPR-Fan", "pca", "-", "7",
        ] {
            #expect(DimensionEstimator(name: name, k: nil) == nil, "\(name)")
        }
    }
}
