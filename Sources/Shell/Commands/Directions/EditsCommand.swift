package import ArgumentParser
import Language
import Reports
import TerminalText
import Workbench

package struct EditsCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "edits", abstract: "List the edits of a checkpoint; take them away, switch them off or on.",
        discussion: """
            edits lists what ablate and steer have made, in the order in which it is applied. edits remove, edits off and edits
            on take numbers from that list, or all. With all edits off or removed a checkpoint gives the bits that it gave before.
            """)
    package static let traits = CommandTraits(
        .directions, needsCheckpoint: true, changesState: true,
        kinds: ["action": .choice(Action.allCases.map(\.rawValue)), "checkpoint": .checkpoint],
        examples: ["ablate mlp_out[3]", "edits", "edits off all", "edits on 1", "edits remove all"])

    enum Action: String, CaseIterable { case list, off, on, remove }

    @Argument(help: "list, off, on or remove.") var action: String?
    @Argument(help: "Numbers of the list, or all.") var numbers: [String] = []
    @Option(help: "An open checkpoint; the one in use when left out.") var checkpoint: String?

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let checkpoint = try session.checkpoint(named: checkpoint)
        guard let action = Action(rawValue: action ?? "list") else {
            throw CommandError(
                "edits can't \((action ?? "").escapedForTerminal)",
                remedy: Suggestion.remedy(for: action ?? "", among: Action.allCases.map(\.rawValue)), exitCode: 2)
        }
        if action == .list {
            guard numbers.isEmpty else {
                throw CommandError("edits list takes no numbers", remedy: "leave them out", exitCode: 2)
            }
            return .message(Self.list(checkpoint.edits))
        }
        guard !numbers.isEmpty else {
            throw CommandError(
                "edits \(action.rawValue) needs numbers of the list", remedy: "give some, or all", exitCode: 2)
        }
        let places = try places(checkpoint.edits.entries.count)
        switch action {
        case .list: break
        case .off: checkpoint.edits.set(places, on: false)
        case .on: checkpoint.edits.set(places, on: true)
        case .remove: checkpoint.edits.remove(places)
        }
        return .message(Self.list(checkpoint.edits))
    }

    private func places(_ count: Int) throws -> Set<Int> {
        guard count > 0 else { throw CommandError("there are no edits", remedy: "make one with ablate or steer") }
        return try Set(
            numbers.flatMap { text -> [Int] in
                if text == "all" { return Array(0..<count) }
                guard let number = Int(text), (1...count).contains(number) else {
                    throw CommandError(
                        "there is no edit \(text.escapedForTerminal)", remedy: "there are 1 to \(count); or say all",
                        exitCode: 2)
                }
                return [number - 1]
            })
    }

    private static func list(_ edits: EditStack) -> Report {
        guard !edits.isEmpty else { return Report(text: "no edits") }
        var table = Table("edits", columns: [.init("number"), "label", "in force", "what"])
        for (index, entry) in edits.entries.enumerated() {
            table.append([
                .integer(index + 1), .text(entry.label), .text(entry.isOn ? "yes" : "off"), .text(entry.summary),
            ])
        }
        return Report(tables: [table])
    }
}
