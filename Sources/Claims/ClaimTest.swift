/// A claim that can be tested on two checkpoints: its statement, the data it needs, its measure, its null, and the rule
/// of its verdict. A new claim is a type in a file of its own, and a line of `ClaimRegistry`.
package protocol ClaimTest: Sendable {
    /// The name by which the claim is chosen and listed, such as `basin-dimension`.
    var name: String { get }
    /// A few words on what the claim's test measures, and on which data.
    var summary: String { get }
    /// Returns the claim in a sentence, with the numbers that the options give it.
    func statement(_ options: ClaimsRun.Options) -> String
    /// Makes the measurement that tests the claim, and judges the claim by it.
    ///
    /// - Throws: `CancellationError`; any other error says why the claim can't be tested on these files.
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
