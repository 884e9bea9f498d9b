/// A stream of random numbers that one kind of draw takes from a seed, so that no draw depends on how many numbers
/// another has taken.
///
/// The numbers are part of the meaning of a seed, so changing one changes results. Some streams have the same number,
/// and give the same random numbers for the same seed and path.
package struct RandomStream: Hashable, Sendable {
    let number: Int

    private init(_ number: Int) { self.number = number }

    /// The Gaussian changes of weights, by draw, tensor and place.
    package static let perturbedWeights = RandomStream(0x7061)
    /// The rows in which directions are searched for.
    package static let contrastRows = RandomStream(0)
    /// The pairs of rows of each contrast, by draw.
    package static let contrasts = RandomStream(1)
    /// The rows on which a containment is measured.
    package static let containmentRows = RandomStream(0xC1)
    /// The labels that are shuffled among the rows of two classes.
    package static let shuffledLabels = RandomStream(1)
    /// The folds of a cross-validation.
    package static let folds = RandomStream(0)
    /// The contexts of words, by word and sense, and the seed of each word, by word.
    package static let senses = RandomStream(0x7365)
    /// The random splits of the contexts of one word.
    package static let senseSplits = RandomStream(2)
    /// The random halves of the contexts of one word.
    package static let senseHalves = RandomStream(3)
    /// The random directions beside a curve of ablation, by control.
    package static let curveControls = RandomStream(0x6375)
    /// The random directions beside the edits in force, by control.
    package static let effectControls = RandomStream(0x6566)
    /// The random directions beside an ablation along a path, by control.
    package static let pathControls = RandomStream(0x7064)
    /// The random subspaces whose angles are the null of tangents.
    package static let randomTangents = RandomStream(1)
    /// The pairs that trade their classes, by permutation.
    package static let tradedPairs = RandomStream(0)
    /// The random halves of the pairs, by draw.
    package static let halvedPairs = RandomStream(1)
    /// The parts of a containment: clusterings (0), noise (1) and halves (2), by task.
    package static let containment = RandomStream(0xC0)
    /// The halves (0) and permutations (1) of a similarity, by draw.
    package static let similarity = RandomStream(0x51)
    /// The random halves of the rows of two shapes, by draw.
    package static let shapeHalves = RandomStream(0x5A)
    /// The random halves of the prompts on which R is found, by half.
    package static let basinHalves = RandomStream(0x4868)
    /// The prompts that are taken from a set that is larger than a claim needs.
    package static let claimPrompts = RandomStream(0x636c)
    /// The random orders of a series of values.
    package static let orders = RandomStream(0x6f72)
    /// The random order of the prompts (0 and 1, by set and place), and the pairs that are kept (2).
    package static let lengthMatch = RandomStream(0x6c65)
    /// The rows on which activations are compared.
    package static let pairedRows = RandomStream(0xA1)
    /// The random halves of the rows of a series, by draw. They are the same for dimensions and for alignments.
    package static let seriesHalves = RandomStream(0x7365)
    /// The noise in the shape of the rows of a series.
    package static let seriesNoise = RandomStream(0x736E)
    /// The random orders of the rows of a series, by draw.
    package static let seriesOrders = RandomStream(0x736F)
}

extension SeededRandom {
    /// Makes the generator of one kind of draw. A path of numbers, such as (draw, tensor), distinguishes its draws
    /// further.
    package init(seed: UInt64, _ stream: RandomStream, _ path: Int...) {
        self.init(seed: seed, path: [stream.number] + path)
    }
}
