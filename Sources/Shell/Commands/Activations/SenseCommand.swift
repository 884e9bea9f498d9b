package import ArgumentParser
import Directions
import Language
import Reports
import Sites
import TerminalText
import Workbench

package struct SenseCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "sense", abstract: "At which layer the senses of a word come apart.",
        discussion: """
            The file has one JSON object a line with the fields text, word and sense; a sense may be a number, true or false,
            and a line with an empty field is left out. A row is the activation at the word's last token, of the first place
            where the word stands in the text. Without a word, or with the word all, every word of the file is measured, one
            row a word, and the medians by layer.

              separation    mean distance of rows of different senses over that of rows of one sense, minus 1; 0: no difference.
                            null is what random splits of the same rows give, p the share of splits at least as far apart
              Fisher        scatter of the senses' means over scatter of the rows about their mean, tr(Sb)/tr(Sw)
              silhouette    (b - a)/max(a, b), a the mean distance to rows of the same sense, b to those of the other
              cosine        of the senses' means, the mean of all words of the file taken off; 1: the same direction
              probe         share of held-out rows that a logistic probe tells right, beside shuffled labels
              nearer mean   share of held-out rows that lie nearer their own sense's mean
              splits at     the first site at which separation is above the null's 95th percentile, there and at all later sites

            A word has the same row at hook_embed wherever it stands, so there the separation is exactly 0. In models with
            learned positions (gpt2) this holds for hook_embed, but not for resid_pre[0], which has the positions in it.

            A decoder sees only what stands before the word. Lines that are the same up to the word count once; those that stand
            under both senses are counted in a note: what tells them apart comes too late. What comes after the word is not run.

            --sample rows of each sense are drawn with the session's seed, as are splits, halves and folds.
            """)
    package static let traits = CommandTraits(
        .activations, needsCheckpoint: true, makesValue: true,
        kinds: ["words": .file, "checkpoint": .checkpoint, "sites": .site],
        examples: [
            "sense bank Scripts/prompts/senses.jsonl", "s = sense all Scripts/prompts/senses.jsonl --sample 20",
            "sense apple Scripts/prompts/senses.jsonl --sites hook_embed,resid_mid[*] --plot",
        ])

    @Argument(help: "A word, or all, or neither; then a .jsonl file of senses.") var words: [String]
    @Option(help: "An open checkpoint; otherwise the one in use.") var checkpoint: String?
    @Option(help: "Sites with commas between; hook_embed and resid_post[*] when left out.") var sites: String?
    @Option(help: "Rows of a sense at most.") var sample = 100
    @Option(help: "Random splits of the null.") var splits = 200
    @Option(help: "The field that holds the text.") var field = "text"
    @Option(help: "The field that holds the word.") var wordField = "word"
    @Option(help: "The field that holds the sense.") var senseField = "sense"
    @OptionGroup var options: RunOptions
    @OptionGroup var plotting: PlotOption

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        guard words.count <= 2, let path = words.last else {
            throw CommandError(
                "sense takes a word and a file, not \(words.count) words", remedy: "as in: sense bank FILE.jsonl",
                exitCode: 2)
        }
        let word = words.count == 2 && words[0] != "all" ? words[0] : nil
        guard let name = checkpoint ?? session.current else { throw Session.noCheckpoint }
        let source = NamedCheckpoint(name, try session.checkpoint(named: name))
        let c = try source.checkpoint.facts()
        let sites =
            try self.sites.map { try c.rowSites($0) }
            ?? [Site(.embed)] + (0..<c.layers).map { Site(.residPost, layer: $0) }
        let most = try checkedCount(sample, "--sample", limit: 1000)
        guard most >= SenseRun.fewest else {
            throw CommandError("--sample must be at least \(SenseRun.fewest)", remedy: "give more", exitCode: 2)
        }
        let splits = try checkedCount(splits, "--splits", limit: 100_000)
        guard splits >= 20 else {
            throw CommandError("--splits must be at least 20", remedy: "give more", exitCode: 2)
        }
        let choices = try options.choices(session)
        let picture = try plotting.prepare(session)
        let file = try SenseFile(expandTilde(path), name: path, .init(text: field, word: wordField, sense: senseField))
        if !file.losses.isEmpty { session.add(.linesLeftOut(file: path, file.losses)) }
        let run = try SenseRun(
            context: session.context(), source: source, file: file, word: word, sites: sites, most: most,
            splits: splits,
            seed: session.settings.seed, choices: choices)
        let result = try run.run()
        var report = SenseReport(
            result: result, sites: sites, splits: splits, hasLearnedPositions: c.hasLearnedPositions
        ).report
        let rows = result.measured.reduce(0) { $0 + $1.rows }
        let what =
            result.measured.count == 1
            ? "\(result.measured[0].contexts.word) as \(result.measured[0].contexts.senses.joined(separator: " or "))"
            : counted(result.measured.count, "word")
        report.title = "\(source.name): \(what), \(counted(rows, "row")) of \(path)"
        report.notes.append("seed \(session.settings.seed)")
        report.recipe = session.recipe(source.checkpoint, precision: choices.precision)
        return try plotting.outcome(report, picture, session)
    }
}
