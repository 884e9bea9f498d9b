import Claims
import Foundation
import TestSupport
import Testing

@testable import Shell

/// `claims` on the family of which it is known what is true.
@Suite("claims command")
struct ClaimsCommandTests {
    /// What Checkpoints/README.md says of pearl-chat and pearl-tuned, by construction or as torch measured it.
    private static let verdicts = [
        // 128 coordinates hold no 300 dimensions.
        "dimension": "not supported",
        "curved": "supported",
        // All that the policy gradient wrote lies along one direction, without which the refusals are gone.
        "basin-dimension": "not supported", "causal": "not supported",
        "penalty": "supported", "senses": "supported", "convergence": "supported", "way-back": "supported",
    ]

    @Test("verdicts on the pearl family agree with what is true of it, in under three minutes")
    func family() throws {
        let started = ContinuousClock.now
        let run = try NacreProcess(["--no-init", "--mode", "jsonl", "-f", "Scripts/claims.nacre"])
        #expect(run.code == 0, "\(run.errors)")
        #expect(run.errors.isEmpty)
        var found: [String: String] = [:]
        for line in run.output.split(separator: "\n") {
            guard let row = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
                let claim = row["claim"] as? String, let verdict = row["verdict"] as? String
            else { continue }
            found[claim] = verdict
            #expect((row["statement"] as? String)?.isEmpty == false && (row["reason"] as? String)?.isEmpty == false)
        }
        #expect(Set(found.keys) == Set(ClaimRegistry.all.map(\.name)))
        for (claim, verdict) in Self.verdicts { #expect(found[claim] == verdict, "\(claim)") }
        print("claims.nacre: \(ContinuousClock.now - started)")
    }

    @Test("a checkpoint beside itself: nothing is claimed of a tuning that was none")
    func itself() throws {
        let run = try NacreProcess([
            "--no-init", "--mode", "jsonl", "Checkpoints/pearl-chat.h5", "-c",
            "claims pearl-chat pearl-chat --only basin-dimension,causal,contained,shape,way-back",
        ])
        #expect(run.code == 0, "\(run.errors)")
        let rows = run.output.split(separator: "\n").compactMap {
            try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
        }
        func verdict(_ claim: String) -> String? {
            rows.first { $0["claim"] as? String == claim }?["verdict"] as? String
        }
        for claim in ["basin-dimension", "causal", "contained"] {
            #expect(verdict(claim) == "not testable from these files", "\(claim)")
        }
        #expect(verdict("shape") == "supported")
        #expect(verdict("way-back") == "supported")
    }
}
