/// The user gave up on a command that has kept what it had done.
struct Interruption: Error {
    /// "interrupted; ..."
    let message: String
}
