package import ArgumentParser
package import Language
package import Reports

/// One verb of the shell: its declaration gives parsing, help, completion and the checks before it runs.
package protocol Command: ParsableCommand {
    static var traits: CommandTraits { get }
    /// - Throws: any error whose description says what, where and how to mend it.
    mutating func run(in session: Session) throws -> Outcome
}

extension Command {
    package static var verb: String { configuration.commandName ?? "\(self)".lowercased() }
    package static var summary: String { configuration.abstract }
}

/// What the interpreter, the help and the completion need to know of a command beside its arguments.
package struct CommandTraits {
    /// What an argument stands for, for completion.
    package enum ArgumentKind: Equatable {
        case file, checkpoint, checkpoints, prompts, capture, report, anyName, site, position, tensor, setting, topic
        case reportValue
        /// A capture, or points from a file.
        case points
        case subspace
        /// Directions, or a site.
        case ablated
        case choice([String])
    }

    package var topic: Topic
    /// Whether a checkpoint must be open.
    package var needsCheckpoint = false
    /// Whether the line belongs into a recording even if it names no result.
    package var changesState = false
    /// Whether the command makes something that can be named.
    package var makesValue = false
    /// By the name of the argument or option (`checkpoint`, `prompts`, `to`).
    package var kinds: [String: ArgumentKind] = [:]
    /// Options that may stand without a value, by key; whether the next word is one.
    package var optionalValues: [String: @Sendable (ParsedLine.Word) -> Bool] = [:]
    /// What such an option is given when no value follows.
    package static let noValue = "-"
    /// Arguments whose words depend on the arguments before them: the words that may come, by the argument's key.
    package var choicesAfter: [String: @Sendable (_ earlier: [String]) -> [String]] = [:]
    /// Lines that run as they stand, each with a comment where it needs one.
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

    /// How `help` groups commands.
    package enum Topic: String, CaseIterable {
        case files = "Files and weights"
        case text = "Text through the model"
        case activations = "Activations"
        case directions = "Directions and edits"
        case session = "Session"
    }
}

/// What a command made.
package struct Outcome {
    /// What a name, or `it`, then stands for; nil if the command makes nothing.
    package var value: Value?
    /// What is printed.
    package var report: Report?
    /// Why the command has failed although it has something to print.
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

    /// Nothing to name and nothing to print.
    package static var none: Outcome { Outcome() }

    /// Something to print that is no result.
    package static func message(_ report: Report) -> Outcome {
        var outcome = Outcome()
        outcome.report = report
        return outcome
    }
}
