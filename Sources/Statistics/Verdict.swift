/// What a measurement says of a claim. The program has these four answers and no others; a finding such as *curved* or
/// *unchanged* says more, and each has one of these as its verdict.
package enum Verdict: String, Sendable, CaseIterable {
    case supported
    case notSupported = "not supported"
    /// The measurement could have come out this way where the claim is empty, or its interval holds both answers.
    case notDistinguishable = "not distinguishable from noise"
    /// The measurement could not be made on what was given.
    case notTestable = "not testable"
}
