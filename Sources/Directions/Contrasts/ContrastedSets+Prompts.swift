import LinearAlgebra
import Models
import Sites
package import Workbench

extension ContrastedSets {
    /// Runs two sets of prompts through a checkpoint with its edits in force and keeps one row of activations per
    /// prompt; each distinct prompt counts once.
    ///
    /// - Parameters:
    ///   - isPaired: whether row i of one set belongs to row i of the other; then each distinct pair counts once.
    ///   - place: sites (named places in the model) and a token position, as `ContrastPlace` reads them; nil means the
    ///     last position at every layer's input.
    ///   - base: a checkpoint whose activations on the same tokens are subtracted.
    /// - Throws: `DirectionsError` for an empty set and for a base of another shape or with other tokens; `SiteError`;
    ///   `WorkbenchError`, also for pairs of which reading left out different lines; the runs' errors.
    package init(
        _ positives: (name: String, set: PromptSet), _ negatives: (name: String, set: PromptSet),
        isPaired: Bool = false, at place: String? = nil,
        of checkpoint: LoadedCheckpoint, base: LoadedCheckpoint? = nil, choices: RunChoices, in context: RunContext
    ) throws {
        context.checkApart(positives, negatives)
        let distinct =
            isPaired
            ? try context.distinctPairs(positives, negatives)
            : (
                context.distinct(positives.set, name: positives.name),
                context.distinct(negatives.set, name: negatives.name)
            )
        let named = [(name: positives.name, set: distinct.0), (name: negatives.name, set: distinct.1)]
        let c = try checkpoint.model().configuration
        let place = try ContrastPlace(place, checkpoint.facts())
        let areNamed = !place.sites.isEmpty
        let sites = areNamed ? place.sites : (0..<c.layers).map { Site(.residPre, layer: $0) }
        if let base {
            let other = try base.configuration()
            guard other.layers == c.layers, sites.allSatisfy({ other.width(of: $0) == c.width(of: $0) }) else {
                throw DirectionsError.otherBase(base.label, of: checkpoint.label)
            }
            CheckpointPair(a: NamedCheckpoint(base.label, base), b: NamedCheckpoint(checkpoint.label, checkpoint))
                .tellDifferences(in: context)
        }
        for (name, set) in named where set.prompts.isEmpty {
            throw DirectionsError.noPrompts(name)
        }
        let sides = try named.map { name, set in
            let encoded = try checkpoint.encode(set, control: context.control)
            var matrices = try Self.activations(checkpoint, encoded, set, sites, place.position, choices, context)
            if let base {
                guard try base.encode(set, control: context.control).ids == encoded.ids else {
                    throw DirectionsError.otherTokens(base: base.label, set: name)
                }
                let before = try Self.activations(base, encoded, set, sites, place.position, choices, context)
                for (site, matrix) in before {
                    guard let tuned = matrices[site] else { continue }
                    matrices[site] = Matrix(
                        rows: tuned.rows, columns: tuned.columns,
                        values: zip(tuned.values, matrix.values).map { $0 - $1 })
                }
            }
            return Side(name: name, labels: set.prompts.map(\.label), texts: set.prompts.map(\.text)) { site in
                guard let matrix = matrices[site] else {
                    throw WorkbenchError.modelHasNoSite(site)
                }
                return matrix
            }
        }
        self.init(
            positives: sides[0], negatives: sides[1], sites: sites, areNamed: areNamed,
            position: place.position.description, layers: c.layers)
    }

    /// Returns the activations of a set of prompts at one position of each, by site, [prompts, width].
    private static func activations(
        _ checkpoint: LoadedCheckpoint, _ encoded: EncodedPrompts, _ set: PromptSet, _ sites: [Site],
        _ position: Position, _ choices: RunChoices, _ context: RunContext
    ) throws -> [Site: Matrix] {
        let places = try context.positions(
            position, checkpoint, ids: encoded.ids, texts: encoded.texts, isRendered: !set.addsSpecialTokens,
            includesLeading: false
        )
        return try context.rows(
            checkpoint, encoded.ids, positions: places, isMean: position == .mean, sites: sites, choices: choices)
    }
}
