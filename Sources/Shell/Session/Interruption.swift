/// The error of a command that the user interrupted and that has kept the work it had done.
struct Interruption: Error {
    /// The message for the user, which begins with "interrupted; ".
    let message: String
}
