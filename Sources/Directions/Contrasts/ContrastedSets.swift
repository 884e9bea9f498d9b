import Checkpoints
import Geometry
package import LinearAlgebra
import Models
package import Sites
import TerminalText
package import Workbench

/// Activations of two sets at the same sites (named places in the model), from prompts that are run or from existing
/// captures.
package struct ContrastedSets {
    /// One of the two sets that are contrasted, with its activations.
    package struct Side {
        package let name: String
        /// The label of each row of activations in the set; "" if the row has none.
        package let labels: [String]
        /// The text of each row's prompt. Rows of one prompt are not independent, and neither are those of prompts with
        /// one text.
        package let texts: [String]
        /// Whether some prompt has several rows of activations.
        package var hasSeveralRowsAPrompt = false
        /// Returns the set's activations at a site (a named place in the model), [rows, width].
        package let matrix: (Site) throws -> Matrix
    }

    /// What makes rows of a contrasted set depend on one another.
    package enum Dependence: Equatable {
        /// Some prompts have several rows.
        case rowsOfPrompts
        /// So many texts of these sets stand in several pairs.
        case sharedTexts(count: Int, sets: [String])
    }

    package let positives: Side
    package let negatives: Side
    /// The sites (named places in the model) at which both sets have activations, in the order of computation.
    package let sites: [Site]
    /// Whether the user named the sites (places in the model) of the contrast.
    package let areNamed: Bool
    /// The token position at which activations were taken, such as `last` or `-2`; nil for captures, which don't record
    /// it.
    package let position: String?
    /// The number of layers of the model that the activations are from; nil if they come from captures.
    package let layers: Int?

    /// Returns the activations of both contrasted sets at a site (a named place in the model).
    package func rows(at site: Site) throws -> LabelledRows {
        var rows = try LabelledRows(positives: positives.matrix(site), negatives: negatives.matrix(site))
        rows.groups = groups
        return rows
    }

    /// The number of each row's prompt, the same for rows of one text in either set; nil if all are of other prompts.
    private var groups: [Int]? {
        var numbers: [String: Int] = [:]
        let groups = (positives.texts + negatives.texts).map { text in
            let number = numbers[text] ?? numbers.count
            numbers[text] = number
            return number
        }
        return numbers.count == groups.count ? nil : groups
    }

    /// What makes rows of one of the contrasted sets depend on one another; nil if they are independent.
    package var dependence: Dependence? {
        let sides = [positives, negatives]
        if sides.contains(where: \.hasSeveralRowsAPrompt) { return .rowsOfPrompts }
        let counts = sides.map { side in
            Dictionary(grouping: side.texts) { $0 }.values.count { $0.count > 1 }
        }
        let sets = zip(sides, counts).filter { $1 > 0 }.map(\.0.name)
        return sets.isEmpty ? nil : .sharedTexts(count: counts.reduce(0, +), sets: sets)
    }

    /// Returns whether a site (a named place in the model) may be chosen for a direction. The last fifth of the layers
    /// is excluded, as in Arditi et al. 2024, unless the user named the sites.
    package func isEligible(_ site: Site) -> Bool {
        guard !areNamed, let layers, layers >= 5 else { return true }
        return site.layer < layers * 4 / 5
    }
}

extension ContrastedSets {
    /// Makes contrasted sets of two captures (files of activations), at the sites (places in the model) that both hold.
    ///
    /// - Parameters:
    ///   - isPaired: whether row i of one capture belongs to row i of the other; then each distinct pair of prompts
    ///     counts once, otherwise each distinct prompt.
    ///   - site: the sites that are taken, in the user's words; nil takes all.
    /// - Throws: `WorkbenchError` for a site that a capture does not hold, and for pairs of which reading left out
    ///   different lines; `DirectionsError.noSharedSites` for no site in common.
    package init(
        _ positives: (name: String, capture: Capture), _ negatives: (name: String, capture: Capture),
        isPaired: Bool = false, site: String?, in context: RunContext
    ) throws {
        let named = [positives, negatives]
        let kept = try context.distinctRows(positives, negatives, isPaired: isPaired)
        let found = try named.map { name, capture in
            try capture.checkHasSites()
            let chosen = try site.map { try capture.sites(matching: $0) } ?? capture.sites
            return chosen.compactMap { Site(fullName: $0) }
        }
        let shared = found[0].filter(found[1].contains)
        guard !shared.isEmpty else {
            throw DirectionsError.noSharedSites(named[0].name, named[1].name)
        }
        let sides = zip(named, [kept.0, kept.1]).map { source, kept in
            let capture = source.capture
            let rows = (kept ?? Array(capture.rows.indices)).map { Int(capture.rows[$0].prompt) }
            let prompts = rows.map { capture.prompts[$0] }
            return Side(
                name: source.name, labels: prompts.map(\.label), texts: prompts.map(\.text),
                hasSeveralRowsAPrompt: Set(rows).count < rows.count
            ) { site in
                let matrix = try capture.matrix(site.fullName)
                return kept.map { matrix.selecting($0.map(Int32.init)) } ?? matrix
            }
        }
        self.init(
            positives: sides[0], negatives: sides[1], sites: shared, areNamed: site != nil, position: nil, layers: nil)
    }
}

extension ContrastedSets {
    /// Returns the same two contrasted sets, but with only some rows (by number) of the positive set.
    package func selecting(_ rows: [Int]) -> ContrastedSets {
        let whole = positives
        let part = Side(
            name: whole.name, labels: rows.map { whole.labels[$0] }, texts: rows.map { whole.texts[$0] },
            hasSeveralRowsAPrompt: whole.hasSeveralRowsAPrompt
        ) { try whole.matrix($0).selecting(rows.map(Int32.init)) }
        return ContrastedSets(
            positives: part, negatives: negatives, sites: sites, areNamed: areNamed, position: position, layers: layers)
    }
}
