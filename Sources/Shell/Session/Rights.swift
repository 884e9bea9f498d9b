/// What a line may do beyond reading and making new files. A line that the user typed may do all; one that comes from a
/// file, whatever started the file, only what the user said.
package struct Rights: Sendable {
    /// Whether shell commands may be run.
    package var shell: Bool
    /// Whether files that the session did not make may be replaced or added to, and devices and pipes written to.
    package var overwrite: Bool
    /// Whether the user wrote the line: at the prompt, or in the rc file. A file that it starts does not have its rights.
    package private(set) var areOwn = false

    package init(shell: Bool = false, overwrite: Bool = false) { (self.shell, self.overwrite) = (shell, overwrite) }

    /// The rights of the prompt and of the user's own rc file.
    package static let all: Rights = {
        var rights = Rights(shell: true, overwrite: true)
        rights.areOwn = true
        return rights
    }()

    /// Returns what a message says of how to get a right.
    static func remedy(_ option: String) -> String {
        "start nacre with \(option); at the prompt: source FILE \(option)"
    }
}
