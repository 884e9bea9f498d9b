/// A stream of random numbers that one kind of draw takes from a seed, so that no draw depends on how many numbers
/// another has taken.
///
/// A stream's number is part of the meaning of a seed, so changing one changes results. Some streams have the same
/// number, and give the same random numbers for the same seed and path.
package struct RandomStream: Hashable, Sendable {
    let number: Int

    private init(_ number: Int) { self.number = number }

    /// The stream for Gaussian changes of a checkpoint's weights; its path is the draw, the tensor and the place.
    package static let perturbedWeights = RandomStream(0x7061)
    /// The stream for the sample of rows (activations) in which directions are searched for.
    package static let contrastRows = RandomStream(0)
    /// The stream for the pairs of rows whose differences are contrasts within a class; one number further chooses the draw.
    package static let contrasts = RandomStream(1)
    /// The stream for the sample of rows on which it is measured whether directions lie in a subspace (a containment).
    package static let containmentRows = RandomStream(0xC1)
    /// The stream for shuffling class labels among the rows of two classes, before a rule is cross-validated.
    package static let shuffledLabels = RandomStream(1)
    /// The stream for dividing rows into the folds of a cross-validation.
    package static let folds = RandomStream(0)
    /// The stream for the sampled contexts of words, by word and sense, and for the seed of each word, by word.
    package static let senses = RandomStream(0x7365)
    /// The stream for random splits of one word's contexts, with which its senses are compared.
    package static let senseSplits = RandomStream(2)
    /// The stream for random halves of one word's contexts, from which an interval is made.
    package static let senseHalves = RandomStream(3)
    /// The stream for the random directions with which a curve of behaviour under edits is compared; its path is the
    /// control.
    package static let curveControls = RandomStream(0x6375)
    /// The stream for the random directions with which the effects of the edits in force are compared, by control.
    package static let effectControls = RandomStream(0x6566)
    /// The stream for the random directions with which an ablation along a path between checkpoints is compared, by
    /// control.
    package static let pathControls = RandomStream(0x7064)
    /// The stream for random subspaces, whose angles are the null of the angles between tangent spaces.
    package static let randomTangents = RandomStream(1)
    /// The stream for choosing the pairs of rows that trade their classes in a permutation test, by permutation.
    package static let tradedPairs = RandomStream(0)
    /// The stream for random halves of the pairs of rows of two classes; its path is the draw.
    package static let halvedPairs = RandomStream(1)
    /// The stream for the parts of measuring whether directions lie in a subspace: clusterings (0), noise (1), halves
    /// (2), by task.
    package static let containment = RandomStream(0xC0)
    /// The stream for the halves (0) and permutations (1) of rows with which a similarity of activations is tested, by
    /// draw.
    package static let similarity = RandomStream(0x51)
    /// The stream for random halves of the rows of two sets whose shapes are compared; its path is the draw.
    package static let shapeHalves = RandomStream(0x5A)
    /// The stream for random halves of the prompts on which R, the few directions that tuning added, is found, by half.
    package static let basinHalves = RandomStream(0x4868)
    /// The stream for the prompts that are taken from a set that is larger than the test of a claim needs.
    package static let claimPrompts = RandomStream(0x636c)
    /// The stream for the random orders of a sequence of values with which its own order is compared.
    package static let orders = RandomStream(0x6f72)
    /// The stream for matching two sets of prompts by length: their random order (0 and 1, by set and place), and the
    /// pairs that are kept (2).
    package static let lengthMatch = RandomStream(0x6c65)
    /// The stream for the sample of rows on which two checkpoints' activations are compared.
    package static let pairedRows = RandomStream(0xA1)
    /// The stream for random halves of the rows (activations) of a series of checkpoints, by draw. They are the same
    /// for dimensions and for alignments.
    package static let seriesHalves = RandomStream(0x7365)
    /// The stream for noise of the same shape as the rows (activations) of a series of checkpoints.
    package static let seriesNoise = RandomStream(0x736E)
    /// The stream for random orders of the rows (activations) of a series of checkpoints; its path is the draw.
    package static let seriesOrders = RandomStream(0x736F)
}

extension SeededRandom {
    /// Makes the random number generator of one kind of draw from a seed. A path of numbers, such as (draw, tensor),
    /// tells its draws apart.
    package init(seed: UInt64, _ stream: RandomStream, _ path: Int...) {
        self.init(seed: seed, path: [stream.number] + path)
    }
}
