package import ArgumentParser
package import Language
package import Reports

/// One verb of the shell. Its declaration determines how it is parsed, described in the help and completed, and which
/// checks are made before it runs.
package protocol Command: ParsableCommand {
    static var traits: CommandTraits { get }
    /// Runs the command.
    ///
    /// - Returns: The value that the command made and the report to print.
    /// - Throws: Any error whose description says what went wrong, where, and how to mend it.
    mutating func run(in session: Session) throws -> Outcome
}

extension Command {
    package static var verb: String { configuration.commandName ?? "\(self)".lowercased() }
    package static var summary: String { configuration.abstract }
}

/// The properties of a command, beside its arguments, that the interpreter, the help and the completion need to know.
package struct CommandTraits {
    /// The kind of thing that an argument stands for, which decides how it is completed.
    package enum ArgumentKind: Equatable {
        case file, checkpoint, checkpoints, prompts, capture, report, anyName, site, position, tensor, setting, topic
        case reportValue
        /// The name of a capture, or of points that were read from a file.
        case points
        case subspace
        /// The name of directions, or a site.
        case ablated
        case choice([String])
    }

    package var topic: Topic
    /// Whether a checkpoint must be open for the command to run.
    package var needsCheckpoint = false
    /// Whether the line is written to a recording even if it gives no name to a result.
    package var changesState = false
    /// Whether the command makes something that can be given a name.
    package var makesValue = false
    /// The kinds of the arguments, keyed by the name of the argument or option (`checkpoint`, `prompts`, `to`).
    package var kinds: [String: ArgumentKind] = [:]
    /// The options that may stand without a value, keyed by name. Each closure decides whether the next word is the
    /// option's value.
    package var optionalValues: [String: @Sendable (ParsedLine.Word) -> Bool] = [:]
    /// The value that such an option receives when no value follows it.
    package static let noValue = "-"
    /// The arguments whose possible words depend on the arguments before them, keyed by name. Each closure returns the
    /// possible words.
    package var choicesAfter: [String: @Sendable (_ earlier: [String]) -> [String]] = [:]
    /// Example lines for the help. They run as they stand, and each has a comment where it needs one.
    package var examples: [String] = []

    package init(
        _ topic: Topic, needsCheckpoint: Bool = false, changesState: Bool = false, makesValue: Bool = false,
        kinds: [String: ArgumentKind] = [:],
        optionalValues: [String: @Sendable (ParsedLine.Word) -> Bool] = [:],
        choicesAfter: [String: @Sendable (_ earlier: [String]) -> [String]] = [:], examples: [String] = []
    ) {
        self.topic = topic
        self.needsCheckpoint = needsCheckpoint
        self.changesState = changesState
        self.makesValue = makesValue
        self.kinds = kinds
        self.optionalValues = optionalValues
        self.choicesAfter = choicesAfter
        self.examples = examples
    }

    /// The groups into which `help` sorts the commands.
    package enum Topic: String, CaseIterable {
        case files = "Files and weights"
        case text = "Text through the model"
        case activations = "Activations"
        case directions = "Directions and edits"
        case session = "Session"
    }
}

/// The result of a command.
package struct Outcome {
    /// The value that a name, or `it`, then stands for. It is nil if the command makes nothing.
    package var value: Value?
    /// The report that is printed, or nil if there is nothing to print.
    package var report: Report?
    /// The reason why the command has failed although it has something to print.
    package var failure: CommandError?

    package init(_ report: Report) {
        value = .report(report)
        self.report = report
    }

    package init(_ value: Value, report: Report? = nil) {
        self.value = value
        self.report = report
    }

    private init() {}

    /// The outcome of a command that makes nothing and prints nothing.
    package static var none: Outcome { Outcome() }

    /// Adds notes to the report that is printed, and to the report that a name then stands for.
    mutating func add(notes: [String]) {
        guard !notes.isEmpty else { return }
        report?.notes += notes
        if case .report(var kept)? = value {
            kept.notes += notes
            value = .report(kept)
        }
    }

    /// Returns the outcome of a command that prints a report but makes no value.
    package static func message(_ report: Report) -> Outcome {
        var outcome = Outcome()
        outcome.report = report
        return outcome
    }
}
