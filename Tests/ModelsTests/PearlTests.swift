import Checkpoints
import Control
import Foundation
import HDF5
import LinearAlgebra
import Models
import TestSupport
import Testing

/// The checkpoints that ship, against what `transformers` answers with them (Scripts/pearl/golden.py).
@Suite("Pearl")
struct PearlTests {
    static let folder = NacreProcess.root.appending(path: "Checkpoints").path
    static let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
        .filter { $0.hasSuffix(".h5") }.map { String($0.dropLast(3)) }.sorted()

    @Test("the family is complete, and small")
    func family() throws {
        #expect(
            Self.names == [
                "pearl-base", "pearl-chat", "pearl-step-0", "pearl-step-1024", "pearl-step-16", "pearl-step-256",
                "pearl-step-64", "pearl-strong", "pearl-tuned", "pearl-tuned-nokl",
            ])
        var total = 0
        for name in Self.names {
            let size = try FileManager.default.attributesOfItem(atPath: "\(Self.folder)/\(name).h5")[.size] as? Int
            let bytes = try #require(size)
            #expect(bytes <= 2_500_000)
            total += bytes
        }
        #expect(total < 24_000_000)
    }

    @Test("logits are those of transformers", arguments: names)
    func logits(name: String) throws {
        let golden = try File(NacreProcess.root.appending(path: "Tests/Fixtures/pearl.golden.h5").path)
        let checkpoint = try Checkpoint.open("\(Self.folder)/\(name).h5")
        let parameters = checkpoint.tensors.reduce(0) { $0 + $1.shape.reduce(1, *) }
        #expect(parameters <= 1_200_000)
        let decoder = try Architectures.decoder(try JSONValueReader.read(checkpoint), weights: checkpoint)
        let runner = Runner(model: decoder, pool: try ThreadPool(threadCount: 2))
        for text in 0..<4 {
            let tokens: [Int32] = try Self.array(golden, [name, "\(text)", "tokens"])
            let expected: [Float] = try Self.array(golden, [name, "\(text)", "logits"])
            var found: [Float] = []
            let request = LogitsRequest(rows: [tokens.count - 1]) { range, values, _ in
                found += UnsafeBufferPointer(start: values, count: range.count * expected.count)
            }
            try runner.run(TokenSequences([tokens]), logits: request, control: RunControl())
            let differences = zip(found, expected).map { abs($0 - $1) }
            #expect(differences.count == expected.count)
            #expect(differences.allSatisfy { $0 < 1e-4 }, "text \(text): \(differences.max() ?? .nan)")
        }
    }

    private static func array<Element: BitwiseCopyable>(_ file: File, _ path: [String]) throws -> [Element] {
        try file.decode(try #require(file.contents.dataset(path), "\(path)")).array(of: Element.self)
    }
}
