import ArgumentParser
import Sites
import TerminalText
import Workbench

/// The options that are common to all commands that run a model over prompts.
struct RunOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Memory that the run may take beside what is open, such as 2GB; otherwise the setting memory decides.",
            valueName: "size"))
    var memory: String?
    @OptionGroup var products: PrecisionOption

    func choices(_ session: Session) throws -> RunChoices {
        RunChoices(
            memory: try memory.map { MemoryLimit(bytes: try ByteSize.parse($0, for: "--memory"), name: "--memory") },
            precision: try products.precision(session))
    }
}

/// The option of commands that read the activations of all tokens of prompts, or their mean.
struct FirstRowsOption: ParsableArguments {
    @Flag(help: "At all and mean, keep a text's first row even if it is an outlier among its rows (help methods).")
    var withFirst = false
}

struct PrecisionOption: SharedOptions {
    static let kinds: [String: CommandTraits.ArgumentKind] = [
        "precision": .choice(Precision.allCases.map(\.rawValue))
    ]

    @Option(
        help: ArgumentHelp(
            "What products are computed in, f32 or bf16; otherwise the setting precision decides.",
            valueName: "type"))
    var precision: String?

    func precision(_ session: Session) throws -> Precision {
        try precision.map { try Settings.precision($0, for: "--precision") } ?? session.settings.precision
    }
}
