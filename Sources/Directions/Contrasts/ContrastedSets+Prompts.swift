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
    ///   - keepsFirst: whether a mean over positions keeps first rows that are outliers.
    /// - Throws: `DirectionsError` for an empty set and for a base of another shape or with other tokens; `SiteError`;
    ///   `WorkbenchError`, also for pairs of which reading left out different lines; the runs' errors.
    package init(
        _ positives: (name: String, set: PromptSet), _ negatives: (name: String, set: PromptSet),
        isPaired: Bool = false, at place: String? = nil,
        of checkpoint: LoadedCheckpoint, base: LoadedCheckpoint? = nil, keepsFirst: Bool = false,
        choices: RunChoices, in context: RunContext
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
            try CheckpointPair(a: NamedCheckpoint(base.label, base), b: NamedCheckpoint(checkpoint.label, checkpoint))
                .tellDifferences(in: context)
        }
        for (name, set) in named where set.prompts.isEmpty {
            throw DirectionsError.noPrompts(name)
        }
        let encoded = try named.map { name, set in
            let encoded = try checkpoint.encode(set, in: context)
            if let base, try base.encode(set, in: context).ids != encoded.ids {
                throw DirectionsError.otherTokens(base: base.label, set: name)
            }
            return encoded
        }
        let whole = try zip(named, encoded).map { source, encoded in
            FirstRowSet(
                name: source.name, ids: encoded.ids,
                positions: try context.positions(place.position, checkpoint, encoded, includesLeading: false))
        }
        let positions =
            keepsFirst
            ? whole.map(\.positions)
            : try context.withoutOutlierFirstRows(
                whole, of: ([checkpoint] + (base.map { [$0] } ?? [])).map { NamedCheckpoint($0.label, $0) },
                at: place.position, sites: sites, choices: choices)
        let sides = try named.enumerated().map { index, source in
            let (name, set) = source
            func activations(_ checkpoint: LoadedCheckpoint) throws -> [Site: Matrix] {
                try context.rows(
                    checkpoint, encoded[index].ids, positions: positions[index], isMean: place.position == .mean,
                    sites: sites, choices: choices)
            }
            var matrices = try activations(checkpoint)
            if let base {
                let before = try activations(base)
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
}
