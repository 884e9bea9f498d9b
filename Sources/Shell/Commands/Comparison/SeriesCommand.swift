package import ArgumentParser
import Checkpoints
import Comparison
import Language
import Reports
import TerminalText

package struct SeriesCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "series", abstract: "Checkpoints along training: how each differs, in steps or in phases.",
        discussion: """
            Takes files, patterns of files ("Checkpoints/pearl-step-*.h5", in natural order: 16 before 256) and names of open
            checkpoints, in the order given, or with --sort steps by the steps of training that the recipe in the file or the
            name says. Files are opened one at a time, so that a series of large ones needs no more memory than one.

            --measure, with commas between; all that can be measured when left out:
              loss       cross-entropy of the prompts
              dimension  debiased participation ratio, TwoNN, and the components that hold 90 % of the variance, of --site (the
                         middle layer's output) at each prompt's last position
              cka        debiased linear CKA of the same rows
              weights    |dW|_F / |W|_F over all tensors

            Each beside the first, the one before and the last. Then, by measure: rank correlation with the order and the
            variance that a monotone sequence explains, with their p over orders; the step with the largest share of all
            change, with Fisher's p (phases: supported where it is below 0.05 and the step beyond its interval); whether
            the measure goes one way at each step; and whether the distance from the last falls at each step before the last
            (converges). A verdict names the steps that are against it. plot draws the measures.
            """)
    package static let traits = CommandTraits(
        .text, changesState: false, makesValue: true,
        kinds: [
            "files": .file, "prompts": .prompts, "site": .site,
            "measure": .choice(SeriesMeasure.allCases.map(\.rawValue)),
            "sort": .choice(Sort.allCases.map(\.rawValue)),
        ],
        examples: [
            "corpus = prompts Scripts/prompts/open.txt --limit 40",
            "series Checkpoints/pearl-step-*.h5 Checkpoints/pearl-base.h5 --measure loss,cka --prompts corpus",
            "series Checkpoints/pearl-base.h5 Checkpoints/pearl-step-0.h5 Checkpoints/pearl-step-64.h5 --measure weights"
                + " --sort steps",
        ])

    enum Sort: String, CaseIterable {
        case given, steps
    }

    @Argument(help: "Files, patterns of files, or open checkpoints.") var files: [String] = []
    @Option(help: "loss, dimension, cka, weights, with commas between.") var measure: String?
    @Option(help: "A set of prompts, for all measures but weights.") var prompts: String?
    @Option(help: "Where rows are taken: a site such as resid_post[2].") var site: String?
    @Option(help: "The order: given, or steps.") var sort = "given"
    @OptionGroup var products: PrecisionOption
    @OptionGroup var plotting: PlotOption

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        guard let order = Sort(rawValue: sort) else {
            throw CommandError(
                "--sort can't be \"\(sort.escapedForTerminal)\"",
                remedy: Suggestion.remedy(for: sort, among: Sort.allCases.map(\.rawValue)), exitCode: 2)
        }
        let measures = try chosenMeasures()
        let needsPrompts = measures.contains { $0 != .weights }
        guard site == nil || measures.contains(.dimension) || measures.contains(.cka) else {
            throw CommandError("--site goes with dimension and cka", remedy: "leave it out", exitCode: 2)
        }
        guard prompts == nil || needsPrompts else {
            throw CommandError("weights need no prompts", remedy: "leave out --prompts", exitCode: 2)
        }
        let set = try prompts.map { try session.studied(named: $0) }
        let picture = try plotting.prepare(session)
        var members = try members(session)
        if order == .steps {
            if let without = members.first(where: { $0.steps == nil }) {
                throw CommandError(
                    "neither the recipe nor the name of \(without.name) says how many steps it was trained for",
                    remedy: "leave out --sort and give the files in their order")
            }
            members = members.enumerated().sorted {
                ($0.element.steps ?? 0, $0.offset) < ($1.element.steps ?? 0, $1.offset)
            }.map(\.element)
        }
        let precision = try products.precision(session)
        let result = try SeriesRun(
            context: session.context(), members: members, measures: measures, prompts: set, site: site,
            precision: precision
        ).run()
        var report = SeriesReport(result: result, members: members, seed: session.settings.seed).report
        report.title =
            counted(members.count, "checkpoint") + ", \(members[0].name) to \(members[members.count - 1].name)"
        if set != nil {
            report.title +=
                "; \(counted(result.prompts, "prompt"))"
                + (measures.contains(.loss) ? ", \(counted(result.tokens, "token"))" : "")
        }
        report.recipe = session.recipe(try members.map { try $0.load() }, precision: precision)
        return try plotting.outcome(report, picture, session)
    }

    private func chosenMeasures() throws -> [SeriesMeasure] {
        guard let measure else { return prompts == nil ? [.weights] : SeriesMeasure.allCases }
        var chosen: [SeriesMeasure] = []
        for part in measure.split(separator: ",", omittingEmptySubsequences: false) {
            let word = String(part.withoutOuterBlanks)
            guard let found = SeriesMeasure(rawValue: word) else {
                throw CommandError(
                    "there is no measure \"\(word.escapedForTerminal)\"",
                    remedy: Suggestion.remedy(for: word, among: SeriesMeasure.allCases.map(\.rawValue)), exitCode: 2)
            }
            guard !chosen.contains(found) else {
                throw CommandError("--measure names \(word) twice", remedy: "name it once", exitCode: 2)
            }
            chosen.append(found)
        }
        guard prompts != nil || chosen == [.weights] else {
            throw CommandError(
                "\(chosen.first { $0 != .weights }?.rawValue ?? "this") is measured over prompts",
                remedy: "give --prompts SET; make a set with: NAME = prompts FILE", exitCode: 2)
        }
        return chosen
    }

    private func members(_ session: Session) throws -> [SeriesMember] {
        let members = try SeriesMember.list(files, in: session)
        guard members.count >= 2 else {
            throw CommandError(
                "a series has two checkpoints or more, and "
                    + (members.first.map { "\($0.name) is one" } ?? "none is given"),
                remedy: "give files or a pattern, such as Checkpoints/pearl-step-*.h5", exitCode: 2)
        }
        return members
    }
}
