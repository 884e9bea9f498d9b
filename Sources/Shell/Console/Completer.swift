import Checkpoints
import Language
package import LineEditor
import Reports
import Sites
import Workbench

/// The completion of a line by TAB, which depends on what the command expects at the cursor.
package struct Completer {
    private let session: Session

    package init(_ session: Session) { self.session = session }

    package func complete(_ line: String, cursor: Int) -> Completion? {
        let context = Parser.completionContext(line, cursor: cursor)
        switch context.place {
        case .elsewhere: return nil
        case .file: return files(context)
        case .command: break
        }
        guard let verb = context.words.first else {
            // A line can't begin with `it` or a name, so that its first word is always a verb.
            return matching(Registry.verbs.sorted(), context)
        }
        guard let command = command(verb) else { return nil }
        let syntax = CommandSyntax.of(command)
        if let previous = context.words.dropFirst().last, let option = syntax.option(previous), option.takesValue {
            return complete(option.kind, context)
        }
        if context.partial.hasPrefix("-") {
            return matching(syntax.options.flatMap(\.names).filter { $0.hasPrefix("--") && $0 != "--help" }, context)
        }
        let positionals = syntax.positionals
        guard !positionals.isEmpty else { return nil }
        var given = 0
        var index = 1
        while index < context.words.count {
            let word = context.words[index]
            if word.hasPrefix("-"), let option = syntax.option(word) {
                let next = index + 1 < context.words.count ? ParsedLine.Word(context.words[index + 1]) : nil
                let hasValue = option.takesValue && next.map { option.takes?($0) ?? true } ?? true
                index += hasValue ? 2 : 1
            } else {
                given += 1
                index += 1
            }
        }
        let parameter = positionals[min(given, positionals.count - 1)]
        if given >= positionals.count, !parameter.isRepeating { return nil }
        if let choices = command.traits.choicesAfter[parameter.key] {
            return matching(choices(Array(context.words.dropFirst())), context)
        }
        return complete(parameter.kind, context)
    }

    private func command(_ verb: String) -> (any Command.Type)? {
        if let exact = Registry.find(verb) { return exact }
        if case .unique(let name) = PrefixMatch.resolve(verb, among: Registry.verbs) { return Registry.find(name) }
        return nil
    }

    private func complete(_ kind: CommandTraits.ArgumentKind?, _ context: CompletionContext) -> Completion? {
        switch kind {
        case nil: return nil
        case .file?: return files(context)
        case .checkpoint?: return matching(names(of: .checkpoint), context)
        case .checkpoints?: return matching(list: names(of: .checkpoint), context)
        case .prompts?: return matching(names(of: .prompts), context)
        case .capture?: return matching(names(of: .capture), context)
        case .points?: return matching(names(of: .capture) + names(of: .points), context)
        case .subspace?: return matching(names(of: .subspace), context)
        case .ablated?: return matching(names(of: .subspace) + sites(context.partial), context)
        case .report?: return matching(names(of: .report) + (session.it == nil ? [] : ["it"]), context)
        case .reportValue?: return matching(reportValues, context)
        case .anyName?: return matching(session.names.map(\.name) + (session.it == nil ? [] : ["it"]), context)
        case .site?: return matching(sites(context.partial), context)
        case .position?: return matching(["last", "first", "all", "mean", "token:"], context)
        case .tensor?: return matching(checkpoint?.file.tensors.map(\.name) ?? [], context)
        case .setting?: return matching(Settings.Key.allCases.map(\.rawValue), context)
        case .topic?: return matching(Registry.verbs + Help.topics.keys.sorted(), context)
        case .choice(let choices)?: return matching(choices, context)
        }
    }

    /// Returns the sites that may be meant: short names at first, full names after `blocks.`, `[*]` and the layers once
    /// a bracket is open, and the heads after `.h`.
    private func sites(_ partial: String) -> [String] {
        let facts = try? checkpoint?.facts()
        let layers = facts?.layers ?? 0
        if let facts, let dot = partial.lastIndex(of: "."), partial[dot...].hasPrefix(".h"),
            case let site = partial[..<dot], site.hasSuffix("]") || site.hasPrefix("blocks."),
            let kind = (try? SiteExpression.parse(String(site), layers: layers))?.first?.kind,
            let heads = facts.heads(of: kind)
        {
            return ["\(site).h*"] + (0..<heads).map { "\(site).h\($0)" }
        }
        if partial.hasPrefix("blocks.") { return Site.all(layers: layers).map(\.fullName) }
        if let open = partial.firstIndex(of: "[") {
            let name = partial[..<open]
            return ["\(name)[*]"] + (0..<layers).map { "\(name)[\($0)]" }
        }
        return Site.Kind.allCases.map { $0.isLayered ? "\($0.shortName)[" : $0.shortName }
    }

    private var checkpoint: LoadedCheckpoint? { session.current.flatMap { try? session.openCheckpoint(named: $0) } }

    private func names(of kind: Value.Kind) -> [String] {
        session.names.filter { $0.value.kind == kind }.map(\.name)
    }

    /// The values of all reports that a path may name, such as `it.entropy` and `it[`.
    private var reportValues: [String] {
        let last = session.it.map { [(name: "it", value: $0)] } ?? []
        return (session.names + last).flatMap { name, value -> [String] in
            if case .report(let report) = value { ReportPath(report, name: name).candidates } else { [] }
        }
    }

    private func files(_ context: CompletionContext) -> Completion {
        Completion(
            replaceStart: context.replaceStart, candidates: FileCompletion.candidates(prefix: context.partial))
    }

    private func matching(_ words: [String], _ context: CompletionContext) -> Completion {
        let found = words.filter { $0.hasPrefix(context.partial) }
        return Completion(
            replaceStart: context.replaceStart,
            candidates: found.map { .init($0, isPartial: $0.hasSuffix("[") || $0.hasSuffix(":")) })
    }

    /// Completes the last of several names with commas between them. A name that is already in the list is not offered
    /// again.
    private func matching(list names: [String], _ context: CompletionContext) -> Completion {
        let parts = context.partial.split(separator: ",", omittingEmptySubsequences: false)
        let before = parts.dropLast()
        let prefix = before.map { $0 + "," }.joined()
        let found = names.filter { name in
            name.hasPrefix(parts.last ?? "") && !before.contains { $0 == name }
        }
        // A comma may follow as long as another name is left.
        let isPartial = before.count + 1 < names.count
        return Completion(
            replaceStart: context.replaceStart,
            candidates: found.map { .init(prefix + $0, label: $0, isPartial: isPartial) })
    }
}
