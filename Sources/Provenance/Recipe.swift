/// How a value was made, enough to make it again.
package struct Recipe: Sendable, Equatable {
    package struct Input: Sendable, Equatable {
        package var name: String
        /// Lower-case hexadecimal digest of the input's bytes.
        package var sha256: String

        package init(name: String, sha256: String) {
            self.name = name
            self.sha256 = sha256
        }
    }

    package var commandLine: String
    package var inputs: [Input]
    package var seed: UInt64?
    /// What products were computed in, where it is not f32, and by which unit where their bits depend on it.
    package var precision: String?
    /// Commands whose edits were in force.
    package var edits: [String] = []
    package var version: String

    package init(commandLine: String, inputs: [Input] = [], seed: UInt64? = nil, version: String) {
        self.commandLine = commandLine
        self.inputs = inputs
        self.seed = seed
        self.version = version
    }
}
