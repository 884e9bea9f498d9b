/// A claim that can be held against two checkpoints: its statement, what it needs, its measure, its null, and the rule of its
/// verdict. A new one is a type that says all this in a file of its own, and a line of `ClaimRegistry`.
package protocol ClaimTest: Sendable {
    /// As it is chosen and listed: `basin-dimension`.
    var name: String { get }
    /// What is measured and on what, in a few words.
    var summary: String { get }
    /// The claim in a sentence, with its numbers.
    func statement(_ options: ClaimsRun.Options) -> String
    /// Measures and judges.
    ///
    /// - Throws: `CancellationError`; any other error says why these files can't be held against the claim.
    func test(_ evidence: ClaimEvidence) throws -> Claim
}

/// All claims, in the order in which they are tested and listed.
package enum ClaimRegistry {
    package static let all: [any ClaimTest] = [
        DimensionClaim(), CurvedClaim(), BasinDimensionClaim(), CausalClaim(), ContainedClaim(),
        BasinClaim(of: .forbidden, control: .lookalike), BasinClaim(of: .formulaic, control: .plain), WayBackClaim(),
        PenaltyClaim(), SensesClaim(), ShapeClaim(), ConvergenceClaim(),
    ]
}
