package import ArgumentParser
import Checkpoints
import Language
import Reports
import TerminalText
import Workbench
import Terminal

package struct SetCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Change a setting.",
        discussion: Settings.Key.allCases.map { "\($0.rawValue): \($0.summary)." }.joined(separator: "\n"))
    package static let traits = CommandTraits(
        .session, changesState: true, kinds: ["setting": .setting],
        choicesAfter: ["value": { $0.first.flatMap(Settings.Key.init)?.choices ?? [] }], examples: ["set seed 7"])

    @Argument(help: "The setting.") var setting: String
    @Argument(help: "Its value.") var value: String

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        try session.settings.set(try settingKey(setting), to: value, origin: "set")
        session.progress.setEnabled(session.settings.progress)
        return .none
    }
}

private func settingKey(_ name: String) throws -> Settings.Key {
    if let key = Settings.Key(rawValue: name) { return key }
    let all = Settings.Key.allCases.map(\.rawValue)
    throw CommandError(
        "there is no setting \(name.escapedForTerminal)",
        remedy: Suggestion.remedy(for: name, among: all), exitCode: 2)
}

package struct ShowCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show settings, limits and variables, and where each was set.",
        discussion: """
            show settings, show limits, show variables, or the name of a setting; all of them when left out. show machine
            multiplies for some half a second to see how fast this machine is; help machine says what depends on it.
            """)
    package static let traits = CommandTraits(
        .session,
        kinds: [
            "what": .choice(["settings", "limits", "variables", "machine"] + Settings.Key.allCases.map(\.rawValue))
        ],
        examples: ["show settings", "show limits", "show machine"])

    @Argument(help: "settings, limits, variables, machine, or one setting.") var what: String?

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        switch what {
        case nil: return .message(Report(tables: [Self.settings(session), session.variableTable, Self.limits]))
        case "settings"?: return .message(Report(tables: [Self.settings(session)]))
        case "variables"?: return .message(Report(tables: [session.variableTable]))
        case "machine"?: return .message(try Machine.report(session))
        case "limits"?: return .message(Report(tables: [Self.limits]))
        case let name?:
            let key = try settingKey(name)
            let inForce = key == .kernel && session.settings.kernel == nil ? " (\(session.kernel.name))" : ""
            return .message(Report(text: "\(key.rawValue) = \(session.settings.text(of: key))\(inForce)"))
        }
    }

    private static func settings(_ session: Session) -> Table {
        var table = Table("settings", columns: ["setting", .init("value", alignment: .left), "set by", "meaning"])
        for key in Settings.Key.allCases {
            table.append([
                .text(key.rawValue), .text(session.settings.text(of: key)),
                .text(session.settings.origins[key] ?? "default"), .text(key.summary),
            ])
        }
        return table
    }

    /// The limits on what a file or a script from an unknown source may demand.
    private static var limits: Table {
        let limits = FileLimits()
        return Table(
            "limits", columns: ["limit", .init("value", alignment: .right), "of"],
            rows: [
                ["depth", .text(String(limits.depth)), "groups within groups in a file"],
                ["objects", .text(String(limits.objects)), "groups and datasets in a file"],
                ["nameBytes", .text(NumberFormat.bytes(limits.nameBytes)), "one object's name"],
                ["attributes", .text(String(limits.attributes)), "attributes of one object"],
                ["attributeBytes", .text(NumberFormat.bytes(limits.attributeBytes)), "one attribute"],
                ["chunkBytes", .text(NumberFormat.bytes(limits.chunkBytes)), "one decoded chunk"],
                ["ratio", .text(String(limits.ratio)), "decoded to stored bytes, beyond one chunk's size"],
                ["decodedBytes", .text(NumberFormat.bytes(limits.decodedBytes)), "tensors that can't be mapped"],
                ["textBytes", .text(NumberFormat.bytes(limits.textBytes)), "config.json, tokenizer.json"],
                ["command bytes", .text(NumberFormat.bytes(Parser.mostBytes)), "a command, its variables replaced"],
                ["command words", .text(String(CommandSyntax.mostWords)), "a command; a text counts as one"],
                ["variable bytes", .text(NumberFormat.bytes(Variables.mostBytes)), "all variables together"],
                ["script depth", .text(String(Session.deepestNesting)), "scripts that source scripts"],
            ])
    }
}

extension Session {
    fileprivate var variableTable: Table {
        Table(
            "variables", columns: ["variable", "text"], rows: variables.sorted.map { [.text($0.name), .text($0.text)] })
    }
}

package struct LetCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "let", abstract: "Give a text a name; $NAME stands for it.",
        discussion: "let NAME = TEXT. Without arguments it lists the variables.")
    package static let traits = CommandTraits(
        .session, changesState: true, examples: ["let word = apple", "tokens \"an $word a day\""])

    @Argument(help: "NAME = TEXT") var words: [String] = []

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        if words.isEmpty {
            return .message(Report(tables: [session.variableTable]))
        }
        var words = words
        if let cut = words[0].firstIndex(of: "="), cut != words[0].startIndex {
            let rest = String(words[0][words[0].index(after: cut)...])
            words.replaceSubrange(0..<1, with: [String(words[0][..<cut]), "="] + (rest.isEmpty ? [] : [rest]))
        }
        guard words.count >= 2, words[1] == "=" else {
            throw CommandError("let needs a name and a text", remedy: "write: let NAME = TEXT", exitCode: 2)
        }
        guard Name.isValid(words[0]) else {
            throw CommandError("\"\(words[0].escapedForTerminal)\" can't be a name", remedy: Name.rule, exitCode: 2)
        }
        guard session.variables.set(words[0], to: words.dropFirst(2).joined(separator: " ")) else {
            throw CommandError(
                "the texts of all variables may have \(NumberFormat.bytes(Variables.mostBytes)) together",
                remedy: "let NAME = with no text empties one")
        }
        return .none
    }
}

package struct ModeCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "mode", abstract: "Choose how reports are printed.",
        discussion: OutputMode.allCases.map(\.rawValue).joined(separator: ", ")
            + ". json and jsonl carry every number at full precision; csv has a report's tables, its scalars only if there are"
            + " none, and its notes go to standard error."
    )
    package static let traits = CommandTraits(
        .session, changesState: true, kinds: ["mode": .choice(OutputMode.allCases.map(\.rawValue))],
        examples: ["mode json", "mode table"])

    @Argument(help: "The mode; left out, the one in force is shown.") var mode: String?

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        guard let mode else { return .message(Report(text: session.settings.mode.rawValue)) }
        try session.settings.set(.mode, to: mode, origin: "mode")
        return .none
    }
}

package struct TimerCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "timer", abstract: "Print wall time, cpu time, memory and GFLOP/s after each command.")
    package static let traits = CommandTraits(
        .session, changesState: true, kinds: ["state": .choice(["on", "off"])], examples: ["timer on", "timer off"])

    @Argument(help: "on or off; left out, which one it is.") var state: String?

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        guard let state else { return .message(Report(text: session.settings.text(of: .timer))) }
        try session.settings.set(.timer, to: state, origin: "timer")
        return .none
    }
}

extension OutputMode {
    /// Whether the output is meant for programs, so that nothing may be left out of it.
    var isForPrograms: Bool { self == .json || self == .jsonl }
}
