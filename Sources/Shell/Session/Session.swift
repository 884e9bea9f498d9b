package import Control
package import Language
package import Provenance
import Reports
package import Sites
import TerminalText
package import Checkpoints
package import Workbench
package import Terminal

/// The state of a session: everything that a user has made and set, such as names, settings, variables and the
/// checkpoint in use.
package final class Session {
    /// The largest depth to which scripts may source other scripts.
    package static let deepestNesting = 25
    package static let version = "0.5.0"

    package var settings: Settings
    package let control: RunControl
    package let progress: ProgressLine
    package let output: Output
    /// The texts that the user named with `let`, keyed by variable name.
    package var variables = Variables()
    package private(set) var names: [(name: String, value: Value)] = []
    /// The last result.
    package private(set) var it: Value?
    /// The name of the checkpoint that commands use when none is given.
    package private(set) var current: String?
    package var recorder: Recorder?
    package var history: () -> [String] = { [] }

    /// What the running line may do.
    package var rights: Rights
    /// What scripts may do, as the command line said.
    package let scriptRights: Rights
    /// What the lines of a file may do that the running line starts, unless it says more.
    var fileRights: Rights { rights.areOwn ? scriptRights : rights }
    package let isInteractive: Bool
    /// The files that the session has made.
    private let own: OwnFiles

    /// The exit code that `exit` has set, or nil while the session goes on.
    package var exitCode: Int32?
    /// The line that is being run, which recipes record.
    package var commandLine = ""
    /// Whether the line sends its output to a file or a shell command.
    package var isRedirected = false
    /// The name that the line gives to its result.
    package var target: String?
    /// The record of what earlier runs of this session have shown. Its `operations` count those of the command that runs.
    let runs = RunHistory()

    /// What the numbers of the running command rest on, in the order in which studies told it.
    private var premises: [Premise] = []

    private let engine = Engine()
    private let calibrations = CalibrationCache(
        folder: (Environment.value("XDG_CACHE_HOME") ?? Environment.value("HOME").map { "\($0)/.cache" })
            .map { "\($0)/nacre" })

    package init(
        settings: Settings, isInteractive: Bool = false, scriptRights: Rights = Rights()
    ) {
        (self.settings, self.isInteractive, self.scriptRights) = (settings, isInteractive, scriptRights)
        rights = isInteractive ? .all : scriptRights
        own = OwnFiles { Diagnostics.write(CommandError.words($0)) }
        let progress = ProgressLine()
        self.progress = progress
        output = Output(endsWithReader: !isInteractive)
        control = RunControl { done, total, unit in progress.update(done: done, total: total, unit: unit) }
    }

    /// Makes a fresh session that prints to a tape and has no permission that the outer session lacks. It has no names,
    /// and of the outer session's settings only threads, memory, kernel and progress. It shares the outer session's
    /// progress line and its cancellation by Ctrl-C.
    init(within outer: Session, tape: Tape) {
        settings = Settings(threads: outer.settings.threads)
        settings.memory = outer.settings.memory
        settings.kernel = outer.settings.kernel
        settings.progress = outer.settings.progress
        isInteractive = false
        scriptRights = outer.fileRights
        rights = scriptRights
        own = outer.own
        progress = outer.progress
        output = Output(tape: tape)
        control = outer.control
    }

    /// Finishes the files that the session writes, at its end.
    func close() {
        recorder = nil
        do { try output.finish() } catch { diagnose("nacre: \(CommandError.words(error).escapedForTerminal)") }
    }

    /// Ends the threads of a session that is over.
    func stop() {
        engine.stop()
    }

    /// Prints a line outside the output: on standard error, or to the tape of a replay.
    func diagnose(_ line: String) {
        if let tape = output.tape { tape.write(Tape.Line(line)) } else { Diagnostics.write(line) }
    }

    /// The kernel that computes matrix products.
    var kernel: Kernel { settings.kernel ?? .fastest }

    /// Measures how fast this machine computes each kind of matrix product.
    func rates() throws -> [Engine.Rate] {
        try engine.rates(threads: settings.threads, kernel: kernel, control: control)
    }

    // MARK: Names

    package func value(named name: String) -> Value? {
        if name == "it" { return it }
        return names.first { $0.name == name }?.value
    }

    /// Returns what a name stands for, of which something is to be read.
    ///
    /// - Throws: An error if another program wrote to its files since they were opened.
    package func usable(_ name: String) throws -> Value? {
        let value = value(named: name)
        switch value {
        case .checkpoint(let checkpoint)?: try checkpoint.file.checkUnchanged(control: control)
        case .capture(let capture)?: try capture.checkUnchanged()
        case .prompts?, .points?, .subspace?, .report?, nil: break
        }
        return value
    }

    package func define(_ name: String, _ value: Value) {
        if let index = names.firstIndex(where: { $0.name == name }) {
            names[index].value = value
        } else {
            names.append((name, value))
        }
    }

    package func setLast(_ value: Value) { it = value }

    package func use(_ name: String) throws {
        _ = try checkpoint(named: name)
        current = name
    }

    package func remove(_ name: String) throws {
        guard let index = names.firstIndex(where: { $0.name == name }) else { throw unknown(name) }
        if case .checkpoint(let removed) = names[index].value, case .checkpoint(let last)? = it, last === removed {
            // Otherwise `it` would keep the file open.
            it = nil
        }
        names.remove(at: index)
        if current == name {
            current = names.last { if case .checkpoint = $0.value { true } else { false } }?.name
        }
    }

    package func rename(_ old: String, to new: String) throws {
        guard let index = names.firstIndex(where: { $0.name == old }) else { throw unknown(old) }
        try checkIsFree(new)
        names[index].name = new
        if current == old { current = new }
    }

    package func checkIsFree(_ name: String) throws {
        guard Name.isValid(name) else {
            throw CommandError("\"\(name.escapedForTerminal)\" can't be a name", remedy: Name.rule)
        }
        if name == "it" { throw CommandError("it is the last result", remedy: "choose another name") }
        if value(named: name) != nil {
            throw CommandError(
                "\(name) already stands for something", remedy: "delete it first, or choose another name")
        }
    }

    /// Returns the checkpoint of that name, or the one in use if the name is nil.
    ///
    /// - Throws: `CommandError` if there is no such checkpoint. An error if another program wrote to its files since they
    ///   were opened.
    package func checkpoint(named name: String? = nil) throws -> LoadedCheckpoint {
        guard let name = name ?? current else { throw Session.noCheckpoint }
        _ = try usable(name)
        return try openCheckpoint(named: name)
    }

    /// Returns the checkpoint of that name, even if its files have changed since they were opened.
    func openCheckpoint(named name: String) throws -> LoadedCheckpoint {
        switch value(named: name) {
        case .checkpoint(let checkpoint)?: return checkpoint
        case let other?: throw wrongKind(name, other, wanted: .checkpoint)
        case nil: throw unknown(name)
        }
    }

    package static let noCheckpoint = CommandError("no checkpoint is open", remedy: "try: open FILE")

    package func prompts(named name: String) throws -> PromptSet {
        switch value(named: name) {
        case .prompts(let set)?: return set.called(name)
        case let other?: throw wrongKind(name, other, wanted: .prompts)
        case nil: throw unknown(name, hint: "make one with: \(Self.example(name)) = prompts FILE")
        }
    }

    /// Returns a set of prompts for a study that splits prompts or counts them in an interval: each distinct prompt once.
    /// The command's report says how many there are.
    package func studied(named name: String) throws -> PromptSet {
        try context().distinct(prompts(named: name), name: name)
    }

    package func capture(named name: String) throws -> Capture {
        switch try usable(name) {
        case .capture(let capture)?: return capture
        case let other?: throw wrongKind(name, other, wanted: .capture)
        case nil: throw unknown(name, hint: "make one with: \(Self.example(name)) = capture SITE --prompts P")
        }
    }

    /// Returns the value that a name or `it` stands for.
    ///
    /// - Throws: `CommandError` if it stands for nothing.
    package func value(existing name: String) throws -> Value {
        if let value = value(named: name) { return value }
        if name == "it" {
            throw CommandError("there is no result yet", remedy: "run a command first, such as next TEXT")
        }
        throw unknown(name)
    }

    package func unknown(_ name: String, hint: String? = nil) -> CommandError {
        let shown = name.escapedForTerminal
        if let close = Suggestion.closest(to: name, among: names.map(\.name)) {
            return CommandError("nothing is called \(shown)", remedy: "did you mean \(close)?")
        }
        let all = names.map(\.name)
        return CommandError(
            "nothing is called \(shown)",
            remedy: hint ?? (all.isEmpty ? "nothing has been named yet" : "there is \(all.joined(separator: ", "))"))
    }

    /// Returns the name itself if it is a valid name, and otherwise the placeholder `NAME`.
    private static func example(_ name: String) -> String { Name.isValid(name) ? name : "NAME" }

    func wrongKind(_ name: String, _ value: Value, wanted: Value.Kind...) -> CommandError {
        let candidates = names.filter { wanted.contains($0.value.kind) }.map(\.name)
        return CommandError(
            "\(name) is \(value.kind.phrase), not \(wanted.map(\.phrase).joined(separator: " or "))",
            remedy: candidates.isEmpty ? "see list" : "there is \(candidates.joined(separator: ", "))")
    }

    // MARK: Running models

    /// Returns the context in which a study of the running command computes.
    package func context() throws -> RunContext {
        RunContext(
            pool: try engine.pool(threads: settings.threads, kernel: kernel), control: control, seed: settings.seed,
            memory: settings.memory.map { MemoryLimit(bytes: $0, name: "the setting memory") },
            precision: settings.precision, history: runs, calibrations: calibrations,
            wantsEstimates: progress.isShown, tell: show)
    }

    private func show(_ event: RunContext.Event) {
        switch event {
        case .scope(let done, let total): progress.setScope(done: done, total: total)
        case .scopeEnded: progress.clear()
        case .premise(let premise): add(premise)
        case .resumed(let path, let done, let count):
            diagnose(
                "resuming \(path.escapedForTerminal): \(done) of \(counted(count, "prompt")) \(agreeing(done)) done")
        case .estimate(let low, let high, let prompts, let tokens, let runs):
            // An estimate is one line for a user in front of a terminal.
            Diagnostics.write(
                "about \(RunEstimate.range(low, high)): \(counted(prompts, "prompt")),"
                    + " \(NumberFormat.count(tokens)) \(agreeing(tokens, "token", "tokens"))"
                    + (runs > 1 ? ", two checkpoints" : "")
                    + "; Ctrl-C stops it")
        }
    }

    /// Keeps something that the numbers of the running command rest on, once, for its report.
    func add(_ premise: Premise) {
        if !premises.contains(where: { $0.covers(premise) }) { premises.append(premise) }
    }

    /// Returns what the numbers of the running command rest on, as notes for its report, and forgets it.
    func takePremises() -> [String] {
        defer { premises = [] }
        return premises.map(\.note)
    }

    /// Returns the recipe of the result of the running command.
    package func recipe(_ checkpoint: LoadedCheckpoint, precision: Precision = .f32) -> Recipe {
        recipe([checkpoint], precision: precision)
    }

    /// Returns the recipe of a result that was made from a checkpoint's weights, which its edits do not change.
    func recipe(ofWeights checkpoint: LoadedCheckpoint) -> Recipe {
        var recipe = recipe(checkpoint)
        recipe.inputs.removeLast(checkpoint.edits.inputs.count)
        recipe.edits = []
        return recipe
    }

    package func recipe(_ checkpoints: [LoadedCheckpoint] = [], precision: Precision = .f32) -> Recipe {
        let inputs = checkpoints.compactMap { checkpoint in
            checkpoint.digest.map { Recipe.Input(name: checkpoint.label, sha256: $0) }
        }
        var recipe = Recipe(commandLine: commandLine, inputs: inputs, seed: settings.seed, version: Session.version)
        if precision != .f32 {
            recipe.precision = precision.arithmetic(on: kernel)
        }
        recipe.inputs += checkpoints.flatMap { $0.edits.inputs }
        recipe.edits = checkpoints.flatMap { checkpoint in
            checkpoint.edits.commands.map { checkpoints.count > 1 ? "\(checkpoint.label): \($0)" : $0 }
        }
        return recipe
    }

    /// Opens a file for output. An existing file is replaced at the prompt, and in a script only if the user said so.
    package func outputFile(
        _ path: String, append: Bool = false, naming: OutputFile.Naming = .atCommit
    ) throws -> OutputFile {
        try OutputFile(path, append: append, overwrite: rights.overwrite, own: own, naming: naming)
    }

    /// The prompt of the line editor: `name> ` with the checkpoint in use, or `name[-r]> ` with the edits in force on
    /// it.
    package var prompt: String {
        let edits = (try? current.map { try openCheckpoint(named: $0).edits.label }) ?? ""
        return "\(current ?? "nacre")\(edits)> "
    }
}
