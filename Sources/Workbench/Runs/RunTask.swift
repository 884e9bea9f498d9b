package import Models
package import Sites

/// The tokens that a model is run on, and what is to be read from the run.
package struct RunTask {
    package var sequences: TokenSequences
    package var taps: [any Tap] = []
    package var patterns: [any PatternTap] = []
    /// The edits of the run; nil means those in force on the checkpoint.
    package var edits: [any Edit]?
    /// The residual stream from which the run begins; nil begins at the embedding.
    package var start: ResidualStart?
    package var logits: LogitsRequest?
    /// The selections that are captured, which count for the run's memory.
    package var selections: [SiteSelection] = []
    /// The number of rows of logits that will be asked for: the request's own number if there is a request.
    package var logitRows = 0
    /// The last site that is asked for, up to which the run's cost is counted.
    package var last = Site(.embed)
    package var choices = RunChoices()
    /// The bytes that the result takes.
    package var resultBytes = 0
    /// The division of the work, if it has been planned for more than this run.
    package var shape: RunnerShape?

    package init(_ sequences: TokenSequences) { self.sequences = sequences }
}

/// The choices that a command or the settings make about how a run is done.
package struct RunChoices {
    /// The limit that the command sets; nil means the setting's.
    package var memory: MemoryLimit?
    package var precision = Precision.f32

    package init(memory: MemoryLimit? = nil, precision: Precision = .f32) {
        self.memory = memory
        self.precision = precision
    }
}

/// The memory that a run may take, with the name of whoever set it.
package struct MemoryLimit: Equatable, Sendable {
    package let bytes: Int
    /// The limit's name in messages, such as "the setting memory".
    package let name: String

    package init(bytes: Int, name: String) {
        self.bytes = bytes
        self.name = name
    }
}
