import ArgumentParser

/// Options of every command that runs a model over prompts.
struct RunOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Memory that the run may take beside what is open, such as 2GB; otherwise the setting memory decides.",
            valueName: "size"))
    var memory: String?

    /// Bytes; nil if the option is not given.
    func limit() throws -> MemoryLimit? {
        try memory.map { MemoryLimit(bytes: try ByteSize.parse($0, for: "--memory"), name: "--memory") }
    }
}

/// Memory that a run may take, and who said so.
struct MemoryLimit: Equatable {
    let bytes: Int
    /// "--memory", "the setting memory".
    let name: String
}
