import Foundation
import Testing
import Tokenizers

/// Every line against the reference library: ids, three decodings, offsets.
@Suite struct GoldenTests {
    private static let realTokenizer = ProcessInfo.processInfo.environment["NACRE_SMOLLM2_TOKENIZER"]

    @Test(arguments: ["gpt2", "digits", "llama3", "qwen2"])
    func `small tokenizers agree with the reference on every line`(name: String) throws {
        try check(try Fixtures.tokenizer(name), hashes: name)
    }

    @Test(.enabled(if: realTokenizer != nil, "set NACRE_SMOLLM2_TOKENIZER to SmolLM2's tokenizer.json"))
    func `SmolLM2's tokenizer agrees with the reference on every line`() throws {
        let json = try Data(contentsOf: URL(filePath: try #require(Self.realTokenizer)))
        try check(try Tokenizer(json: [UInt8](json), label: "tokenizer.json"), hashes: "smollm2")
    }

    private func check(_ tokenizer: Tokenizer, hashes name: String) throws {
        let lines = try Fixtures.lines()
        let expected = try Fixtures.hashes(name)
        try #require(lines.count == 10_000 && expected.count == lines.count)
        var wrong: [Int] = []
        for (index, line) in lines.enumerated() {
            let ids = tokenizer.encode(line)
            let plain = tokenizer.encodeWithOffsets(line, addSpecialTokens: false)
            var ofIDs = CRC32()
            ofIDs.add(littleEndian: ids)
            var ofRest = CRC32()
            ofRest.add(decoded: ids, by: tokenizer)
            // A star: the reference's offsets are wrong here, see the script.
            let star = expected[index].hasSuffix("*") ? "*" : ""
            if star.isEmpty {
                ofRest.add(littleEndian: plain.ranges.flatMap { [Int32($0.lowerBound), Int32($0.upperBound)] })
            }
            if "\(ofIDs.hexadecimal) \(ofRest.hexadecimal)\(star)" != expected[index] { wrong.append(index) }
        }
        let wrongCount = wrong.count
        #expect(wrongCount == 0, "lines of lines.json, the first at \(wrong.first ?? -1)")
    }
}
