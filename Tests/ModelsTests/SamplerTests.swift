import Foundation
import LinearAlgebra
import Models
import Statistics
import TestSupport
import Testing

/// What `transformers` leaves of a vocabulary (Scripts/goldens/sampling_goldens.py).
private struct FilterCase: Decodable, Sendable, CustomStringConvertible {
    let vocabulary: Int
    let seed: UInt64
    let scale: Float?
    let grid: Float?
    let temperature: Double?
    let top_k: Int?
    let top_p: Double?
    let min_p: Double?
    let repetition_penalty: Double?
    let context: [Int32]?
    let kept: Int
    let crc: UInt32
    let ids: [Int32]
    let probabilities: [Float]

    struct File: Decodable { let cases: [FilterCase] }

    static let all: [FilterCase] =
        (try? JSONDecoder().decode(
            File.self,
            from: Data(contentsOf: NacreProcess.root.appending(path: "Tests/Fixtures/sampling/filters.json"))))?.cases
        ?? []

    var description: String {
        let settings = [
            temperature.map { "T \($0)" }, top_k.map { "k \($0)" }, top_p.map { "p \($0)" }, min_p.map { "min \($0)" },
            repetition_penalty.map { "penalty \($0)" },
        ]
        return "\(vocabulary)/\(seed) \(settings.compactMap(\.self).joined(separator: " "))"
    }

    var sampling: Sampling {
        Sampling(
            temperature: temperature ?? 1, topK: top_k, topP: top_p, minP: min_p,
            repetitionPenalty: repetition_penalty ?? 1)
    }

    var logits: [Float] { Self.logits(vocabulary: vocabulary, seed: seed, scale: scale ?? 8, grid: grid) }

    static func logits(vocabulary: Int, seed: UInt64, scale: Float = 8, grid: Float? = nil) -> [Float] {
        var random = SeededRandom(seed: seed)
        return (0..<vocabulary).map { _ in
            let u = (0..<4).map { _ in Float(random.next() >> 40) * 0x1p-24 }
            let value = ((u[0] + u[1]) + (u[2] + u[3]) - 2) * scale
            return grid.map { (value * $0).rounded(.down) / $0 } ?? value
        }
    }
}

@Suite("Sampler")
struct SamplerTests {
    @Test("there are cases")
    func some() { #expect(FilterCase.all.count >= 20) }

    @Test("keeps the tokens that transformers keeps, with its probabilities", arguments: FilterCase.all)
    fileprivate func filters(one: FilterCase) throws {
        let sampler = Sampler(
            vocabulary: one.vocabulary, sampling: one.sampling, random: SeededRandom(seed: 0),
            context: one.context ?? [])
        let found = try sampler.distribution(one.logits)
        #expect(found.count == one.kept)
        #expect(crc32(found.map(\.token)) == one.crc)
        let probabilities = Dictionary(uniqueKeysWithValues: found.map { ($0.token, $0.probability) })
        for (id, probability) in zip(one.ids, one.probabilities) {
            #expect(abs((probabilities[id] ?? -1) - probability) < 1e-6, "\(id)")
        }
        #expect(abs(found.reduce(0.0) { $0 + Double($1.probability) } - 1) < 1e-5)
    }

    /// Chi-square of 20,000 draws; the bound is the 99.9 % point for the degrees of freedom (Wilson and Hilferty 1931).
    @Test(
        "draws with the probabilities it states",
        arguments: [
            Sampling(temperature: 1), Sampling(temperature: 1.3, topK: 20), Sampling(temperature: 0.9, topP: 0.9),
            Sampling(temperature: 2, topK: 60, topP: 0.95, minP: 0.02),
        ])
    func frequencies(sampling: Sampling) throws {
        let logits = FilterCase.logits(vocabulary: 100, seed: 21, scale: 5)
        let sampler = Sampler(
            vocabulary: 100, sampling: sampling, random: SeededRandom(seed: 4, stream: 0), context: [])
        let expected = try sampler.distribution(logits)
        let draws = 20_000
        var counts = [Int](repeating: 0, count: 100)
        for _ in 0..<draws { counts[Int(try sampler.next(logits))] += 1 }
        let allowed = Set(expected.map { Int($0.token) })
        for id in 0..<100 where !allowed.contains(id) { #expect(counts[id] == 0) }
        // Rare tokens go together, so that every cell expects at least five.
        var cells: [(observed: Double, expected: Double)] = []
        var rest = (observed: 0.0, expected: 0.0)
        for (token, probability) in expected {
            let cell = (observed: Double(counts[Int(token)]), expected: Double(probability) * Double(draws))
            if cell.expected >= 5 {
                cells.append(cell)
            } else {
                rest = (rest.observed + cell.observed, rest.expected + cell.expected)
            }
        }
        if rest.expected >= 5 { cells.append(rest) }
        let statistic = cells.reduce(0.0) { sum, cell in
            sum + (cell.observed - cell.expected) * (cell.observed - cell.expected) / cell.expected
        }
        let degrees = Double(cells.count - 1)
        let step = 2 / (9 * degrees)
        let bound = degrees * pow(1 - step + 3.0902 * step.squareRoot(), 3)
        #expect(cells.count > 8)
        #expect(statistic < bound, "\(statistic) with \(degrees) degrees of freedom")
        #expect(statistic > 0)
    }

    @Test("greedy takes the first of the likeliest, after the repetition penalty")
    func greedy() throws {
        let logits: [Float] = [1, 3, -2, 3, 0]
        let plain = Sampler(vocabulary: 5, sampling: .greedy, random: SeededRandom(seed: 0), context: [1])
        #expect(try (0..<3).map { _ in try plain.next(logits) } == [1, 1, 1])
        let penalised = Sampler(
            vocabulary: 5, sampling: Sampling(repetitionPenalty: 4), random: SeededRandom(seed: 0), context: [1])
        // 3, then 3/4 and 3/4 are below 1, then 1/4 is below 3/4.
        #expect(try (0..<3).map { _ in try penalised.next(logits) } == [3, 0, 1])
    }

    @Test("odd logits: all equal, far apart, huge, not finite")
    func odd() throws {
        func distribution(_ logits: [Float], _ sampling: Sampling) throws -> [Int32] {
            try Sampler(
                vocabulary: logits.count, sampling: sampling, random: SeededRandom(seed: 0), context: []
            ).distribution(logits).map(\.token)
        }
        let equal = [Float](repeating: 2, count: 1024)
        // Equal scores: top-k keeps all, top-p the smaller ids.
        #expect(try distribution(equal, Sampling(temperature: 1, topK: 5)).count == 1024)
        #expect(try distribution(equal, Sampling(temperature: 1, topP: 0.25)) == Array(0..<256))
        #expect(try distribution(equal, Sampling(temperature: 1, minP: 1)).count == 1024)
        let far: [Float] = [-3e38, 3e38, 0, 3e38]
        #expect(try distribution(far, Sampling(temperature: 1, topK: 2)) == [1, 3])
        #expect(try distribution(far, Sampling(temperature: 1, topP: 0.4)) == [1])
        #expect(try distribution(far, Sampling(temperature: 1, topK: 3)) == [1, 2, 3])
        #expect(try distribution([7], Sampling(temperature: 0.5, topK: 3, topP: 0.1, minP: 0.5)) == [0])
        #expect(throws: ModelError.self) { try distribution(far, Sampling(temperature: 0.5)) }
        for bad in [Float.nan, .infinity, -.infinity] {
            for count in [3, 40] {
                var logits = [Float](repeating: 0, count: count)
                logits[count - 2] = bad
                #expect(throws: ModelError.notFinite(site: "logits")) {
                    try distribution(logits, Sampling(temperature: 1))
                }
                #expect(throws: ModelError.notFinite(site: "logits")) {
                    try Sampler(vocabulary: count, sampling: .greedy, random: SeededRandom(seed: 0), context: [])
                        .next(logits)
                }
            }
        }
    }

    @Test("streams of a seed differ from each other and from other seeds'")
    func streams() {
        var starts: Set<UInt64> = []
        for seed in [0, 1, UInt64.max] as [UInt64] {
            for prompt in 0..<20 {
                for number in 0..<20 {
                    var random = SeededRandom(seed: seed, stream: prompt, number)
                    starts.insert(random.next())
                }
            }
        }
        #expect(starts.count == 1200)
    }
}

/// CRC-32 (ISO 3309) of ids as little-endian int32.
private func crc32(_ ids: [Int32]) -> UInt32 {
    var crc = UInt32.max
    for id in ids {
        withUnsafeBytes(of: id.littleEndian) { bytes in
            for byte in bytes {
                crc ^= UInt32(byte)
                for _ in 0..<8 { crc = crc >> 1 ^ (crc & 1 == 1 ? 0xEDB8_8320 : 0) }
            }
        }
    }
    return ~crc
}
