/// The outcome of testing a claim by a measurement. The program has these four verdicts and no others; a finding such
/// as *curved* or *unchanged* says more, and each has one of these as its verdict.
package enum Verdict: String, Sendable, CaseIterable {
    case supported
    case notSupported = "not supported"
    /// The measurement could have come out this way even if there were nothing to the claim, or its interval includes
    /// both answers.
    case notDistinguishable = "not distinguishable from noise"
    /// The measurement that tests the claim could not be made on the given data.
    case notTestable = "not testable"
}
