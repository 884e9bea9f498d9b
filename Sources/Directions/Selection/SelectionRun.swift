import Control
import LinearAlgebra
import Models
import Sites
import Statistics
import TerminalText
import Tokenizers
package import Workbench

/// The selection of a direction on one checkpoint: prompts are encoded and divided, score tokens found, and candidates
/// measured.
package struct SelectionRun {
    package let context: RunContext
    package let checkpoint: LoadedCheckpoint
    package let positives: CandidateSelection.Prompts
    package let negatives: CandidateSelection.Prompts
    package let options: CandidateSelection.Options
    package let choices: RunChoices

    /// The way in which a set of prompts is divided into training and validation prompts.
    package struct Division {
        /// The number of training prompts; nil means 128, or all that validation leaves if they are fewer.
        package var train: Int?
        /// The number of prompts that candidates are measured on.
        package var validation = 32
        package var seed: UInt64

        package static let defaultTrain = 128

        package init(train: Int?, validation: Int = 32, seed: UInt64) {
            self.train = train
            self.validation = validation
            self.seed = seed
        }
    }

    /// The outcome of selecting a direction, with the tokens that its score is made of.
    package struct Result {
        package let tokens: ScoreTokens
        package let selected: SelectedDirection
        /// The work of the search for score tokens in tokens times layers.
        package let contrastTokenLayers: Int
    }

    /// Encodes two sets of prompts and divides each into training and validation prompts.
    ///
    /// - Throws: `DirectionsError` if a set has too few prompts or edits are in force; `WorkbenchError`.
    package init(
        _ context: RunContext, _ checkpoint: LoadedCheckpoint, positives: PromptSet, negatives: PromptSet,
        division: Division, options: CandidateSelection.Options, choices: RunChoices
    ) throws {
        guard checkpoint.edits.active.isEmpty else {
            throw DirectionsError.editsInForce
        }
        self.context = context
        self.checkpoint = checkpoint
        self.options = options
        self.choices = choices
        let earliest = options.positions.min() ?? -1
        func divided(_ set: PromptSet) throws -> CandidateSelection.Prompts {
            try Self.divide(try checkpoint.encode(set, in: context).ids, set, division, earliest: earliest)
        }
        self.positives = try divided(positives)
        self.negatives = try divided(negatives)
    }

    /// Divides a set of prompts: the first places of a shuffled order are for validation, the next ones for training.
    ///
    /// - Parameter earliest: the earliest position, counted from the end, that each of the prompts must have.
    private static func divide(
        _ ids: [[Int32]], _ set: PromptSet, _ division: Division, earliest: Int
    ) throws -> CandidateSelection.Prompts {
        let train = division.train ?? min(Division.defaultTrain, ids.count - division.validation)
        guard train > 0, train + division.validation <= ids.count else {
            let needed = max(division.train ?? 1, 1) + division.validation
            throw DirectionsError.fewPrompts(
                set: set.name, count: ids.count, needed: needed, validation: division.validation,
                training: max(division.train ?? 1, 1))
        }
        // The order follows a key of each place's own, which any other program can compute too.
        let keys = ids.indices.map { place -> UInt64 in
            var random = SeededRandom(seed: division.seed, stream: place)
            return random.next()
        }
        let order = ids.indices.sorted { (keys[$0], $0) < (keys[$1], $1) }
        for place in order.prefix(division.validation + train) where ids[place].count < -earliest {
            throw DirectionsError.shortPrompt(set.subject(place), tokens: ids[place].count, position: earliest)
        }
        return CandidateSelection.Prompts(
            train: order[division.validation..<division.validation + train].map { ids[$0] },
            validation: order[..<division.validation].map { ids[$0] })
    }

    /// Selects a direction on the checkpoint, with a score that counts the given or found first tokens of replies.
    ///
    /// - Parameter texts: the texts of the score's tokens; nil finds the tokens by contrast.
    package func run(tokens texts: [String]?) throws -> Result {
        let runner = try runner()
        return try checkpoint.namingBadTensors(context) {
            let (tokens, contrastTokenLayers) = try scoreTokens(texts, runner)
            let score = try TokenScore(
                tokens: tokens.rows.map(\.id), vocabulary: runner.model.configuration.vocabularySize)
            let selected = try CandidateSelection(
                runner: runner, positives: positives, negatives: negatives, score: score, options: options
            ).run(control: context.control)
            context.history.operations += selected.operations
            return Result(tokens: tokens, selected: selected, contrastTokenLayers: contrastTokenLayers)
        }
    }

    /// Returns a runner of the model within the memory that the command or the settings allow, planned for the largest
    /// run of the selection.
    private func runner() throws -> Runner {
        let sets = [positives, negatives]
        var task = RunTask(TokenSequences(sets.flatMap { $0.train + $0.validation }))
        task.last = Site(.logits)
        task.logitRows = sets.reduce(0) { $0 + $1.validation.count }
        task.choices = choices
        let c = try checkpoint.configuration()
        // The result holds the base's answers in float64, and two copies of the negatives' stream.
        let negative = negatives.validation.reduce(0) { $0 + $1.count }
        task.resultBytes =
            8 * negatives.validation.count * c.vocabularySize
            + 8 * c.hiddenSize * max(negative, Runner.packTokens)
        let runner = try checkpoint.runner(pool: context.pool, shape: context.plan(task, checkpoint).shape)
        runner.precision = choices.precision
        return runner
    }

    /// Returns the first tokens of replies that the score counts, and the work of the search for them in tokens times
    /// layers.
    private func scoreTokens(_ texts: [String]?, _ runner: Runner) throws -> (ScoreTokens, Int) {
        let tokenizer = try checkpoint.tokenizer()
        guard let texts else {
            let found = try ContrastTokens(
                runner: runner, positives: positives.train, negatives: negatives.train, control: context.control.silent)
            let rows = found.tokens.map {
                ScoreTokens.Row(
                    id: $0.id, text: tokenizer.decode([Int32($0.id)]), positive: $0.positive, negative: $0.negative)
            }
            return (ScoreTokens(rows: rows, longer: []), found.tokenLayers)
        }
        var rows: [ScoreTokens.Row] = []
        var longer: [String] = []
        for text in texts {
            let ids = tokenizer.encode(text, addSpecialTokens: false)
            guard let first = ids.first else {
                throw DirectionsError.emptyToken
            }
            if ids.count > 1 { longer.append(text) }
            guard !rows.contains(where: { $0.id == Int(first) }) else { continue }
            rows.append(.init(id: Int(first), text: tokenizer.decode([first]), positive: nil, negative: nil))
        }
        return (ScoreTokens(rows: rows, longer: longer), 0)
    }
}

/// The first tokens of replies that a score of behaviour counts.
package struct ScoreTokens {
    package struct Row {
        package let id: Int
        package let text: String
        /// The token's mean probability after the positive prompts; nil if the user named the tokens.
        package let positive: Double?
        /// The token's mean probability after the negative prompts; nil if the user named the tokens.
        package let negative: Double?
    }

    package let rows: [Row]
    /// The texts named by the user that have more than one token, of which only the first counts.
    package let longer: [String]
}
