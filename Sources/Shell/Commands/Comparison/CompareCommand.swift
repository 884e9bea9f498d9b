package import ArgumentParser
import Comparison
import Language
import TerminalText
import Workbench

package struct CompareCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "compare", abstract: "How far apart two checkpoints are.",
        discussion: """
            A and B are names of open checkpoints. What is compared is said by the measure:
              summary      a line or two of each, with --prompts; also when left out
              logits       what both say of the next token, on prompts or a text
              activations  how alike their activations are on the same prompts
              geometry     the dimensions and directions of those activations
              weights      their tensors, one by one and by part
              text         what they reply, the likeliest token at each step: the same by token ids if they have one
                           tokenizer, else by text
            Each says in which settings of config.json that change numbers, in which chat template or tokenizer they differ.

            logits. The tokenizer must be the same; architectures and sizes may differ. In float64, from f32 logits, in nats:
              kl, kl reverse    KL(A||B) and KL(B||A)
              js                Jensen-Shannon divergence, at most ln 2
              top-1 agreement   share of positions at which both have the same likeliest token
              entropy A         of A's answers: the scale that KL is to be seen on
              loss A, loss B    cross-entropy of the token that follows, and loss difference, B's minus A's
              delta p           B's probability of the token that follows minus A's: mean and root of the mean square
            The null is a checkpoint beside itself, which gives exactly 0, 0, 0 and 1. Means are over all positions, and their
            intervals (95 %, normal) over prompts, as for loss. The percentiles are those of llama.cpp's perplexity
            --kl-divergence. Prompts with labels are also compared label by label. plot draws the percentiles of KL; for
            a text, its KL by position.

            --at all, the default, is every position that has a next token, that of a BOS token included, as for loss. --at
            last is the answer itself: for a set made with prompts --chat, the first token of the reply. Nothing follows it,
            so it has no loss and no delta p.

            A token id must mean the same to both, and every prompt must become the same ids, after the chat template too;
            otherwise the first difference is named. --each lists the prompts, those that differ most first. generate and
            evaluate --checkpoints A,B put what both say side by side.

            weights. Tensors of one name and shape are pairs, whatever their types; the others are listed. Beside a model with an
            output matrix of its own, the embedding of a tied one is its output matrix. Exact over all numbers, in float64:
              relative change     |B - A|_F / |A|_F
              relative gap        sum|A - B| / (sum|A| + sum|B|)
              cosine              of the two as vectors
              changed             share of the numbers that are others; largest change: max |B - A|
              rounding            the relative change that rounding gives: of A's numbers afresh, by errors of last place/√12,
                                  or where one side's fit in a coarser type, of the other's to it. A tensor whose numbers are
                                  all the other's, rounded, is called that; one with no more change is within rounding
            --tensors '*mlp*' chooses; --top 20 lists those that changed most. --plot draws layers by parts.

            --svd decomposes B - A of the matrices in the table, in float64:
              rank                singular values above what independent rounding errors of both sides give at most
              above noise         those that are also above Gaussian noise with the median of all of them
              stable rank, eff. rank of sigma, of lambda   as in help spectrum, beside those of a Gaussian of the shape
              left k, right k     |U_A'U_B|_F²/k of the first --top-k singular vectors of A and B, beside those of A and A
                                  plus a Gaussian matrix with the norm of B - A

            activations: how alike the rows of both are at each site, on the same prompts (--at last unless told otherwise):
              CKA               debiased linear centred kernel alignment; also without each side's three coordinates of
                                largest variance
              RSA               Spearman's correlation of both sides' correlation distances between rows
              SVCCA, PWCCA      canonical correlations of the coordinates that hold 99 % of the variance: their mean, and
                                weighted by what they account for; of five rows a dimension or more
              Procrustes        what the best rotation leaves, of centred rows with norm 1: 0 to 2
              relative distance |A - B| / |A| of the rows as they are, and the mean cosine of paired rows
            Each has a floor, rows paired at random. A checkpoint beside itself has 1 and 0 exactly. Models of different
            widths have CKA, RSA, SVCCA and PWCCA.

            geometry: their dimensions over the same distinct rows (PR, TwoNN, d90; help methods), whether the shape is
            unchanged (two one-sided tests), and the angles between their principal subspaces, beside the ceiling that
            two halves of one model reach. Both take at most 1,024 rows, drawn with the seed.
            """)
    package static let traits = CommandTraits(
        .text, needsCheckpoint: true, makesValue: true,
        kinds: [
            "a": .checkpoint, "b": .checkpoint, "measure": .choice(Measure.allCases.map(\.rawValue)),
            "prompts": .prompts, "sites": .site, "at": .position,
            "tensors": .tensor, "sort": .choice(CompareWeights.Order.allCases.map(\.rawValue)),
        ],
        examples: [
            "open Checkpoints/pearl-tuned.h5", "corpus = prompts Scripts/prompts/open.txt --limit 50",
            "compare pearl-base pearl-tuned --prompts corpus",
            "compare pearl-base pearl-tuned logits --prompts corpus --each --top 5",
            "compare pearl-base pearl-tuned logits \"The capital of France is\"",
            "kl = compare pearl-base pearl-tuned logits --prompts corpus --at last --plot kl.svg",
            "compare pearl-base pearl-tuned weights --tensors '*layers.1.*' --svd --top 5",
            "compare pearl-base pearl-tuned activations --prompts corpus",
            "compare pearl-base pearl-tuned geometry --prompts corpus --sites resid_post[2]",
        ])

    /// The measures of a comparison. Each is implemented in a file of its own, such as CompareLogits.swift.
    enum Measure: String, CaseIterable {
        case summary, logits, activations, geometry, weights, text
    }

    @Argument(help: "A checkpoint.") var a: String
    @Argument(help: "The checkpoint that is compared with it.") var b: String
    @Argument(help: "What is compared: logits, activations, geometry, weights or text.") var measure: String?
    @Argument(help: "A text instead of a set of prompts.") var text: [String] = []
    @OptionGroup var turn: TurnOptions
    @Option(help: "A set of prompts.") var prompts: String?
    @Option(help: "Positions: all, last, first, 5, -2, token:WORD, mean; all of logits, else last, when left out.")
    var at: String?
    @Option(
        help: "Sites of activations or geometry, as resid_post[0..3]; the residual stream after each layer if left out."
    )
    var sites: String?
    @Flag(help: "List the prompts too, those with the largest KL first.") var each = false
    @Option(
        name: [.customShort("n"), .long],
        help: "How many prompts --each lists, 10 when left out; how many tensors, or replies that differ.")
    var top: Int?
    @Option(help: "text: the most tokens of a reply; 24 when left out.") var tokens: Int?
    @Option(help: "weights: which tensors, by name; * and ? match any characters.") var tensors: String?
    @Flag(help: "weights: the change's ranks, and how far singular vectors turned.") var svd = false
    @Option(help: "weights: how many singular vectors --svd compares; 8 when left out.") var topK: Int?
    @Option(help: "weights: the table's order, name or change.") var sort: String?
    @OptionGroup var rows: FirstRowsOption
    @OptionGroup var options: RunOptions
    @OptionGroup var plotting: PlotOption

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let pair = try session.pair(a, b)
        let chosen = try chosenMeasure()
        try checkOptions(of: chosen)
        return switch chosen {
        case .logits: try CompareLogits(command: self, pair: pair, session: session).outcome()
        case .text: try CompareText(command: self, pair: pair, session: session).outcome()
        case .summary: try CompareSummary(command: self, pair: pair, session: session).outcome()
        case .weights: try CompareWeights(command: self, pair: pair, session: session).outcome()
        case .activations:
            try pair.outcome(of: self, in: session) {
                SimilarityReport(activations: $0, sites: try $0.similarities(in: session.context())).report
            }
        case .geometry:
            try pair.outcome(of: self, in: session) {
                ShapeReport(activations: $0, sites: try $0.shapes(in: session.context())).report
            }
        }
    }

    private func chosenMeasure() throws -> Measure {
        guard let measure else { return .summary }
        if let chosen = Measure(rawValue: measure) { return chosen }
        throw CommandError(
            "there is no measure \"\(measure.escapedForTerminal)\"",
            remedy: Suggestion.remedy(
                for: measure, among: Measure.allCases.map(\.rawValue),
                after: "; a text comes after it: compare A B logits TEXT"),
            exitCode: 2)
    }

    /// The options, whether each was given, and the measures that take it. Options that all measures take are not
    /// listed.
    private var given: [(option: String, isGiven: Bool, measures: [Measure])] {
        [
            ("a text", !text.isEmpty, [.logits, .text]),
            ("--chat, --system or --rendered", turn.areGiven, [.logits, .text]),
            ("--prompts", prompts != nil, [.summary, .logits, .activations, .geometry, .text]),
            ("--at", at != nil, [.logits, .activations, .geometry]),
            ("--sites", sites != nil, [.activations, .geometry]),
            ("--with-first", rows.withFirst, [.activations, .geometry]),
            ("--each", each, [.logits]),
            ("--top", top != nil, [.logits, .weights, .text]),
            ("--plot", plotting.plot != nil, [.logits, .activations, .geometry, .weights]),
            ("--tokens", tokens != nil, [.text]),
            ("--tensors", tensors != nil, [.weights]),
            ("--svd", svd, [.weights]),
            ("--top-k", topK != nil, [.weights]),
            ("--sort", sort != nil, [.weights]),
            ("--memory", options.memory != nil, [.summary, .logits, .activations, .geometry]),
            ("--precision", options.products.precision != nil, [.summary, .logits, .activations, .geometry, .text]),
        ]
    }

    private func checkOptions(of chosen: Measure) throws {
        for (option, isGiven, measures) in given where isGiven && !measures.contains(chosen) {
            throw CommandError(
                "compare A B \(chosen.rawValue) takes no \(option.hasPrefix("a ") ? "text" : option)",
                remedy: "that goes with: compare A B \(measures.map(\.rawValue).joined(separator: "|"))", exitCode: 2)
        }
    }

    /// Returns the prompts that are compared: a named set, or the text as a set of one prompt.
    ///
    /// - Throws: `CommandError` unless exactly one of the two is given.
    func promptSet(_ session: Session) throws -> PromptSet {
        try turn.set(text, or: prompts, "compare takes a text", in: session)
    }
}
