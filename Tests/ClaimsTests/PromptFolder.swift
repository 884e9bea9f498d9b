import Comparison
import Foundation
import LinearAlgebra
import TestSupport
import Workbench
import WorkbenchTestSupport

@testable import Claims

/// A folder of prompts such as claims are held against, made of shipped ones.
struct PromptFolder {
    private let folder = TemporaryFolder()
    var path: String { folder.path }

    /// - Parameter sets: files of Scripts/prompts, and how many of their lines are taken.
    init(_ sets: KeyValuePairs<String, Int> = [:]) throws {
        for (name, count) in sets { try write(name, try shippedLines(name, count)) }
    }

    /// Enough of every set for measures of directions and behaviour, not for those of dimensions.
    static func small() throws -> PromptFolder {
        let folder = try PromptFolder([
            "taboo.jsonl": 48, "taboo-heldout.jsonl": 24, "taboo-lookalike.jsonl": 24, "plain.jsonl": 48,
            "plain-heldout.jsonl": 24, "open.txt": 24, "open-heldout.txt": 24, "formulaic.txt": 24, "refusals.txt": 7,
        ])
        return folder
    }

    func write(_ name: String, _ lines: [String]) throws {
        try lines.joined(separator: "\n").write(toFile: folder.file(name), atomically: true, encoding: .utf8)
    }

    func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: folder.file(name)) }

    func prompts(isChat: Bool = true) throws -> ClaimPrompts {
        try ClaimPrompts(path, name: "the folder", isChat: isChat, seed: 0)
    }

    /// Claims of some names, by name.
    func claims(
        _ names: String..., of pair: CheckpointPair, context: RunContext = .testing(),
        _ change: (inout ClaimsRun.Options) throws -> Void = { _ in }
    ) throws -> [String: Claim] {
        var options = ClaimsRun.Options()
        options.tests = ClaimRegistry.all.filter { names.contains($0.name) }
        try change(&options)
        let claims = try ClaimsRun(context: context, pair: pair, prompts: prompts(), options: options).run()
        return Dictionary(uniqueKeysWithValues: claims.map { ($0.name, $0) })
    }
}

extension Claim {
    /// The reason as it would be read.
    var why: String {
        switch reason {
        case .found(let text): text
        case .failed(let error): "\(error)"
        }
    }

    /// Why nothing could be measured.
    var failure: (any Error)? { if case .failed(let error) = reason { error } else { nil } }
}

/// A checkpoint of the pearl family as a member of a series.
func member(_ name: String) throws -> SeriesMember {
    try SeriesMember(name: "pearl-\(name)", .open(pearl(name)))
}
