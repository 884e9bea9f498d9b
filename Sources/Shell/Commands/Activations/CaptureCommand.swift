package import ArgumentParser
import Checkpoints
import Language
import Reports
import Workbench

package struct CaptureCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "capture", abstract: "Keep activations at some sites and positions of a set of prompts.",
        discussion: """
            Sites: resid_post[12], resid_post[0..5], attn.z[*], blocks.*.hook_resid_mid, logits; see help sites. One head's
            columns: attn.z[12].h3, .h0..3, .h*. The run ends at the last site that is asked for. all and mean leave out the
            BOS token that the tokenizer adds, unless --with-bos, and first rows that are outliers (help methods), unless
            --with-first.

            With --to the rows go to an HDF5 file as they are computed and need no memory; h5py opens it. About every 30 s,
            or every so many prompts with --section, what is done is made safe in FILE.partial, a folder beside FILE. After
            Ctrl-C, a kill or a power cut the same command goes on from there, and the file becomes the same bytes as if
            nothing had happened. Another command refuses to touch it; --restart discards it. FILE itself appears only when
            all is done.

            attn.pattern[L] and attn.attn_scores[L] hold [heads, tokens, tokens] for each prompt; they go to a file, at all
            positions. In Python, prompt p is f["patterns/NAME"][:, o[p]:o[p + 1]].reshape(-1, n[p], n[p]) with
            o = f["patterns/offsets"][:] and n = f["patterns/tokens"][:].

            --estimate says what the command would take, and runs nothing; it counts all first rows.
            """)
    package static let traits = CommandTraits(
        .activations, needsCheckpoint: true, changesState: true, makesValue: true,
        kinds: ["sites": .site, "prompts": .prompts, "at": .position, "to": .file],
        examples: [
            "corpus = prompts Scripts/prompts/open.txt --limit 50",
            "acts = capture resid_post[*] --prompts corpus --at last",
            "heads = capture attn.z[0].h0..1 --prompts corpus --to heads.h5",
            "capture resid_post[*] --prompts corpus --at all --to all.h5 --estimate",
        ])

    @Argument(help: "Sites.") var sites: [String]
    @Option(help: "A set of prompts.") var prompts: String?
    @Option(help: "One text instead of a set of prompts.") var text: String?
    @OptionGroup var turn: TurnOptions
    @Option(help: "Positions: last, first, all, mean, 5, -2, token:WORD.") var at = "last"
    @Option(help: "Write to an HDF5 file instead of keeping the rows in memory.") var to: String?
    @Flag(help: "Replace an existing file.") var overwrite = false
    @Flag(help: "Include the BOS token in all and mean.") var withBos = false
    @OptionGroup var rows: FirstRowsOption
    @Option(help: "Prompts after which what is done is made safe; otherwise about every 30 s.") var section: Int?
    @Flag(help: "Discard what an interrupted command left for this file, and begin anew.") var restart = false
    @Flag(help: "Say what it would take: size, memory, time.") var estimate = false
    @OptionGroup var options: RunOptions

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let path = try checkedPath(session)
        let checkpoint = try session.checkpoint()
        let choices = try options.choices(session)
        let set = try turn.set(
            text.map { [$0] } ?? [], or: prompts, "capture takes --text", isStudied: false, in: session)
        var request = CaptureRequest(
            sites, of: set, recipe: session.recipe(checkpoint, precision: choices.precision))
        // An estimate runs nothing, and so does not know which first rows are outliers.
        (request.position, request.includesLeading, request.keepsFirst) = (at, withBos, rows.withFirst || estimate)
        (request.choices, request.path) = (choices, path)
        let job = try CaptureJob(request, checkpoint, session.context())
        if estimate { return try .message(job.report(path, recipe: session.recipe(checkpoint))) }
        guard let path else {
            let capture = try job.inMemory()
            return Outcome(
                .capture(capture), report: Report(text: capture.summary, notes: try job.roundingNotes()))
        }
        let run = try job.toFile(path, overwrite: overwrite, restart: restart, sectionPrompts: section)
        var report = Report(text: run.capture.summary)
        report.notes = try run.notes + job.roundingNotes() + Leftovers(beside: path).notes
        return Outcome(.capture(run.capture), report: report)
    }

    /// Returns the path of the file to write, or nil if the rows stay in memory.
    ///
    /// - Throws: `CommandError` if the file may not be replaced, or if an option needs a file and none is given.
    private func checkedPath(_ session: Session) throws -> String? {
        guard let to else {
            for (name, isGiven) in [("--overwrite", overwrite), ("--restart", restart), ("--section", section != nil)]
            where isGiven {
                throw CommandError("\(name) is about a file", remedy: "give one with --to FILE", exitCode: 2)
            }
            return nil
        }
        let path = expandTilde(to)
        guard !path.isEmpty else {
            throw CommandError("the name of a file is empty", remedy: "give one after --to", exitCode: 2)
        }
        guard !overwrite || session.rights.overwrite else {
            throw CommandError("a script overwrites nothing", remedy: "start nacre with --overwrite", exitCode: 2)
        }
        if let section { _ = try checkedCount(section, "--section") }
        return path
    }
}
