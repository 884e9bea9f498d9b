/// A stream of random numbers that one kind of draw takes of a seed, so that no draw depends on another.
///
/// The numbers are a part of what a seed means: to change one changes results. Some are shared by draws of studies that
/// never use one seed for both.
package struct RandomStream: Hashable, Sendable {
    let number: Int

    private init(_ number: Int) { self.number = number }

    /// Gaussian changes of weights, by draw, tensor and place.
    package static let perturbedWeights = RandomStream(0x7061)
    /// The rows that directions are looked for in.
    package static let contrastRows = RandomStream(0)
    /// The pairs of rows of each contrast, by draw.
    package static let contrasts = RandomStream(1)
    /// The rows that a containment is measured on.
    package static let containmentRows = RandomStream(0xC1)
    /// Labels shuffled among the rows of two classes.
    package static let shuffledLabels = RandomStream(1)
    /// The folds of a cross-validation.
    package static let folds = RandomStream(0)
    /// Contexts of words, by word and sense; and the seed of each word, by word.
    package static let senses = RandomStream(0x7365)
    /// Random splits of the contexts of one word.
    package static let senseSplits = RandomStream(2)
    /// Halves of the contexts of one word.
    package static let senseHalves = RandomStream(3)
    /// Random directions beside a curve of ablation, by control.
    package static let curveControls = RandomStream(0x6375)
    /// Random directions beside the edits in force, by control.
    package static let effectControls = RandomStream(0x6566)
    /// Random directions beside an ablation along a path, by control.
    package static let pathControls = RandomStream(0x7064)
    /// Random subspaces whose angles are the null of tangents.
    package static let randomTangents = RandomStream(1)
    /// Pairs that trade their classes, by permutation.
    package static let tradedPairs = RandomStream(0)
    /// Halves of the pairs, by draw.
    package static let halvedPairs = RandomStream(1)
    /// Parts of a containment: clusterings (0), noise (1) and halves (2), by task.
    package static let containment = RandomStream(0xC0)
    /// Halves (0) and permutations (1) of a similarity, by draw.
    package static let similarity = RandomStream(0x51)
    /// Halves of the rows of two shapes, by draw.
    package static let shapeHalves = RandomStream(0x5A)
    /// Halves of the prompts that R is found on, by half.
    package static let basinHalves = RandomStream(0x4868)
    /// Prompts of a set that is larger than a claim needs.
    package static let claimPrompts = RandomStream(0x636c)
    /// Orders of a series of values.
    package static let orders = RandomStream(0x6f72)
    /// Prompts in a random order (0, 1: by set and place), and the pairs that are kept (2).
    package static let lengthMatch = RandomStream(0x6c65)
    /// The rows that activations are compared on.
    package static let pairedRows = RandomStream(0xA1)
    /// Halves of the rows of a series, by draw: the same for dimensions and for alignments.
    package static let seriesHalves = RandomStream(0x7365)
    /// Noise in the shape of the rows of a series.
    package static let seriesNoise = RandomStream(0x736E)
    /// Rows of a series in a random order, by draw.
    package static let seriesOrders = RandomStream(0x736F)
}

extension SeededRandom {
    /// The numbers of one kind of draw, chosen further by a path of numbers such as (draw, tensor).
    package init(seed: UInt64, _ stream: RandomStream, _ path: Int...) {
        self.init(seed: seed, path: [stream.number] + path)
    }
}
