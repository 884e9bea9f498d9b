package import Models
package import Sites

/// The tokens that a model is run on, and what is to be read from the run.
package struct RunTask {
    package var sequences: TokenSequences
    package var taps: [any Tap] = []
    package var patterns: [any PatternTap] = []
    /// The edits (changes to activations) of the run; nil means those in force on the checkpoint.
    package var edits: [any Edit]?
    /// The number of tokens of each prompt itself where a reply follows it, which edits of a prompt's positions leave
    /// alone; empty if all tokens are the prompts'.
    package var promptTokens: [Int] = []
    /// The residual stream from which the run begins; nil begins at the embedding.
    package var start: ResidualStart?
    package var logits: LogitsRequest?
    /// The sites (named places in the model) and heads whose activations are read, which count for the run's memory.
    package var selections: [SiteSelection] = []
    /// The number of positions whose logits will be asked for, which counts for the run's cost; that of `logits`, if
    /// set.
    package var logitRows = 0
    /// The last site (a named place in the model) that is read, up to which the run's cost is counted.
    package var last = Site(.embed)
    package var choices = RunChoices()
    /// The bytes of memory that the run's result takes.
    package var resultBytes = 0
    /// The way in which the run divides its work, if that has been planned already; nil plans it for this run.
    package var shape: RunnerShape?

    package init(_ sequences: TokenSequences) { self.sequences = sequences }
}

/// The choices that a command or the settings make about how a run is done.
package struct RunChoices {
    /// The limit on the run's memory that the command sets; nil means that of the settings.
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
    /// The name of the memory limit in messages, such as "the setting memory".
    package let name: String

    package init(bytes: Int, name: String) {
        self.bytes = bytes
        self.name = name
    }
}
