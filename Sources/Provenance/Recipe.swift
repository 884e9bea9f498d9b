/// The record of how a value was made, sufficient to make it again.
package struct Recipe: Sendable, Equatable {
    /// An input of the command, by name and digest.
    package struct Input: Sendable, Equatable {
        package var name: String
        /// The digest of the input's bytes in lower-case hexadecimal.
        package var sha256: String

        package init(name: String, sha256: String) {
            self.name = name
            self.sha256 = sha256
        }
    }

    package var commandLine: String
    package var inputs: [Input]
    package var seed: UInt64?
    /// The precision of the products if it is not f32, with the unit that computed them if the bits depend on it.
    package var precision: String?
    /// The commands whose edits were in force.
    package var edits: [String] = []
    /// The version of nacre.
    package var version: String

    package init(commandLine: String, inputs: [Input] = [], seed: UInt64? = nil, version: String) {
        self.commandLine = commandLine
        self.inputs = inputs
        self.seed = seed
        self.version = version
    }
}
