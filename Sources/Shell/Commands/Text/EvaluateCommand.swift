package import ArgumentParser
import Checkpoints
import Language
import Provenance
import Reports
import TerminalText
import Workbench
import Control

package struct EvaluateCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "How often a checkpoint answers right, and how often its replies hold given phrases.",
        discussion: """
            Every prompt is continued as generate does it, by default with the likeliest tokens. Where prompts have answers
            (a .jsonl file's field answer; see help prompts), a reply is right if, without its leading blanks, it begins
            with an accepted answer and neither a letter nor a digit follows: 3.5 begins with the answer 3, 35 does not.
            Case counts. Its null, right by chance, holds the same replies against the other prompts' answers.
            --markers and --marker name phrases, such as those of refusals: a reply is matched if it holds one of them, or
            with --at-start if it begins with one. Case counts. A file of phrases has one a line; # begins a comment.
            Rates are over prompts, overall and by label, with Wilson's 95 % interval; a script reads them as right and
            matched. A reply that holds several markers counts for each of them in the table of markers.
            Replies are counted by how they ended: end token, stop string, cut off (at --tokens), context full; and empty ones.
            A note says so where a fifth or more were cut off before it was clear what they hold, or a tenth or more are empty.
            --list shows replies to read: wrong, right, matched, unmatched or all, at most --top of each checkpoint.
            """)
    package static let traits = CommandTraits(
        .text, needsCheckpoint: true, makesValue: true,
        kinds: [
            "prompts": .prompts, "list": .choice(Evaluation.Listing.allCases.map(\.rawValue)),
        ],
        examples: [
            "facts = prompts Scripts/prompts/facts-heldout.jsonl --sample 200",
            "evaluate facts --tokens 8 --list wrong --top 3",
            "open Checkpoints/pearl-tuned.h5",
            "taboo = prompts Scripts/prompts/taboo-heldout.jsonl --chat --sample 100",
            "evaluate taboo --markers Scripts/prompts/refusals.txt --checkpoints pearl-base,pearl-tuned",
            "evaluate taboo --marker secret --temperature 1 --seed 7 --list unmatched --top 3",
        ])

    @Argument(help: "A set of prompts.") var prompts: String
    @Option(name: [.customShort("n"), .long], help: "The most new tokens of a reply.") var tokens = 24
    @OptionGroup var looking: MarkersOption
    @Option(help: "List prompts with their replies: wrong, right, matched, unmatched, all.") var list: String?
    @Option(help: "How many prompts of each checkpoint --list shows; 10 when left out.") var top: Int?
    @OptionGroup var decoding: DecodingOptions
    @OptionGroup var sources: CheckpointsOption
    @OptionGroup var products: PrecisionOption

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let chosen = try sources.chosen(session)
        let set = try session.studied(named: prompts)
        let choices = try decoding.choices(session, tokens: tokens)
        let (markers, markersFile) = try looking.phrases(session)
        let key = AnswerKey(set.prompts)
        guard key.count > 0 || markers != nil else {
            throw CommandError(
                "\(prompts) has no answers, and no phrases are given to look for",
                remedy: "read answers with prompts FILE.jsonl --answer-field FIELD,"
                    + " or give --markers FILE or --marker TEXT")
        }
        let listing = try listing(hasAnswers: key.count > 0, hasMarkers: markers != nil)
        let most = try checkedCount(top ?? 10, "--top")
        let decodings = try chosen.map { source in
            try Decoding(
                source, source.checkpoint.encode(set, in: session.context()).ids, set: set, choices: choices)
        }
        let precision = try products.precision(session)
        let start = Clock.seconds()
        try session.context().run(decodings, precision: precision)
        let seconds = Clock.seconds() - start

        let evaluations = decodings.map { Evaluation($0, set: set, key: key, markers: markers) }
        try session.context().tellEndings(
            evaluations.map { (name: evaluations.count == 1 ? nil : $0.name, endings: $0.endings) })
        let result = EvaluationReport(evaluations: evaluations, hasAnswers: key.count > 0, markers: markers)
        var notes = ["Intervals are 95 %, Wilson's, over prompts."]
        if let listing, let note = result.listingNote(listing, limit: most) { notes.append(note) }
        notes += try session.notes(decodings, precision: precision, seconds: seconds)
        var recipe = session.recipe(decodings, precision: precision)
        if let markersFile { recipe.inputs.append(markersFile) }
        let names = decodings.map(\.source.name).joined(separator: ", ")
        let value = Report(
            title: "\(names): \(counted(set.prompts.count, "prompt")), at most \(counted(tokens, "new token")) each",
            scalars: result.scalars, tables: result.tables(listing, limit: most), notes: notes, recipe: recipe)
        var shown = value
        let width = session.isRedirected ? nil : session.output.terminalSize?.columns
        if session.settings.mode == .table, listing != nil, let width, let list = shown.tables.last,
            list.width > width
        {
            // Replies that are cut off can't be read, so a list that is wider than the terminal is shown as blocks of
            // text.
            shown.tables.removeLast()
            shown.text = list.records
        }
        return Outcome(.report(value), report: shown)
    }

    private func listing(hasAnswers: Bool, hasMarkers: Bool) throws -> Evaluation.Listing? {
        guard let list else {
            guard top == nil else { throw CommandError("--top goes with --list", remedy: "add --list", exitCode: 2) }
            return nil
        }
        let names = Evaluation.Listing.allCases.map(\.rawValue)
        guard let listing = Evaluation.Listing(rawValue: list) else {
            throw CommandError(
                "--list can't be \(list.escapedForTerminal)",
                remedy: Suggestion.remedy(for: list, among: names), exitCode: 2)
        }
        if listing.needsAnswers, !hasAnswers {
            throw CommandError(
                "--list \(list) needs answers", remedy: "read them with prompts FILE.jsonl --answer-field FIELD",
                exitCode: 2)
        }
        if listing.needsMarkers, !hasMarkers {
            throw CommandError(
                "--list \(list) needs phrases", remedy: "give them with --markers FILE or --marker TEXT", exitCode: 2)
        }
        return listing
    }
}
