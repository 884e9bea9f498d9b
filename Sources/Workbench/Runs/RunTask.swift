package import Models
package import Sites

/// What a model is run over, and what for.
package struct RunTask {
    package var sequences: TokenSequences
    package var taps: [any Tap] = []
    package var patterns: [any PatternTap] = []
    /// Nil: those in force on the checkpoint.
    package var edits: [any Edit]?
    /// Where the run begins; nil: at the embedding.
    package var start: ResidualStart?
    package var logits: LogitsRequest?
    /// What is captured, for the memory that it takes.
    package var selections: [SiteSelection] = []
    /// Rows of logits that will be asked for; the request's own if there is one.
    package var logitRows = 0
    /// The last site that is asked for.
    package var last = Site(.embed)
    package var choices = RunChoices()
    /// Memory that the result takes.
    package var resultBytes = 0
    /// How the work is divided, where it has been planned for more than this run.
    package var shape: RunnerShape?

    package init(_ sequences: TokenSequences) { self.sequences = sequences }
}

/// What a command or the settings say of how a run is done.
package struct RunChoices {
    /// From the command; nil: the setting's.
    package var memory: MemoryLimit?
    package var precision = Precision.f32

    package init(memory: MemoryLimit? = nil, precision: Precision = .f32) {
        self.memory = memory
        self.precision = precision
    }
}

/// Memory that a run may take, and who said so.
package struct MemoryLimit: Equatable, Sendable {
    package let bytes: Int
    /// What a message calls it: "the setting memory".
    package let name: String

    package init(bytes: Int, name: String) {
        self.bytes = bytes
        self.name = name
    }
}
