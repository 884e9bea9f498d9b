import Geometry
import LinearAlgebra
import Models
import Sites
import TerminalText

/// An ablation as the user requests it: of directions, or of sites (named places in the model), heads and columns.
package struct AblationRequest {
    /// What is to be ablated: the name of directions, or sites (named places in the model) in the user's words.
    package let target: String
    /// The command line that made the request.
    package let command: String
    /// The seed for drawing rows in a resample ablation.
    package let seed: UInt64
    /// The name of the form of ablation: `directional`, `affine`, `zero`, `mean` or `resample`; nil means directional
    /// for directions and zero for a site.
    package var form: String?
    /// The share of the activations' components along the directions that is taken out; 1 removes them completely.
    package var strength = 1.0
    /// The sites where directions are taken out, separated by commas. When it is nil, a directional ablation acts on
    /// everything that writes into the residual stream, and an affine one acts on the inputs of the layers from the
    /// directions' layer on and on the last layer's output.
    package var sites: String?
    /// The name of the capture (table of activations) whose mean or rows replace what is taken out, and a closure that
    /// returns it, which is called only when needed.
    package var from: (name: String, capture: () throws -> Capture)?
    /// The columns of the site to ablate, in the user's words, with a function that turns them into a range, given the
    /// number of the site's columns; nil means all.
    package var columns: (text: String, range: (Int) throws -> Range<Int>)?
    /// The context that is told if few rows make a mean; nil if nobody is.
    package var context: RunContext?
    /// The token positions at which to ablate: `all`, `prompt`, `first`, `last`, a position such as `5`, or `from:5`.
    package var positions = "all"

    package init(_ target: String, command: String, seed: UInt64) {
        self.target = target
        self.command = command
        self.seed = seed
    }

    /// Returns the form of ablation that the user chose, or the first of those allowed if the user chose none.
    ///
    /// - Throws: `EditError.otherForm` for a form that can't be used on the target.
    private func chosenForm(_ allowed: [AblationForm], for what: String) throws -> AblationForm {
        guard let form else { return allowed[0] }
        guard let chosen = AblationForm(rawValue: form), allowed.contains(chosen) else {
            throw EditError.otherForm(form, target: what, allowed: allowed)
        }
        return chosen
    }

    // MARK: Directions

    /// Makes the edit that takes directions out of the activations of a checkpoint's runs.
    ///
    /// - Throws: `EditError`, `SiteError`, and the capture's errors.
    package func entry(of subspace: Subspace, in checkpoint: LoadedCheckpoint) throws -> EditStack.Entry {
        let c = try checkpoint.facts()
        let form = try chosenForm([.directional, .affine], for: "directions")
        guard columns == nil else {
            throw EditError.columnsOfDirections
        }
        try c.check(subspace, target)
        try EditSites.checkStrength(strength)
        let places = try c.editPositions(positions)
        let chosen: [Site]
        if let sites {
            chosen = try c.editSites(sites, of: subspace)
        } else {
            try c.checkIsOfStream(subspace, target)
            chosen = form == .affine ? c.inputSites(from: subspace.site) : c.streamSites
        }
        var mean: [Float]?
        if form == .affine {
            mean = try negative(subspace)
        } else if from != nil {
            throw EditError.rowsOfDirections
        }
        let (strength, center) = (strength, mean)
        let edits: @Sendable (Subspace) -> [any Edit] = { other in
            [
                SubspaceEdit(
                    basis: other.basis, targets: center.map { other.coordinates(of: $0) }, strength: Float(strength),
                    sites: chosen, positions: places)
            ]
        }
        let factor = strength == 1 ? "" : NumberFormat.significant(strength)
        return EditStack.Entry(
            label: "-\(factor)\(target)\(form == .affine ? "*" : "")",
            summary: "\(form.rawValue) ablation of \(target) (\(counted(subspace.dimension, "direction"))) at"
                + " \(EditSites.text(chosen))\(EditSites.suffix(positions))"
                + (strength == 1 ? "" : ", strength \(NumberFormat.significant(strength))"),
            command: command, edits: edits(subspace),
            digest: EditSites.digest(
                subspace.basis.values + (mean ?? []) + [Float(strength)], chosen, positions),
            control: EditStack.Control(
                directions: subspace, site: subspace.site ?? chosen[0], edits: edits))
    }

    /// Returns the mean activation towards which an affine ablation moves, [width]: that of the given capture (table of
    /// activations) at the directions' site, or without a capture that of the negative class stored with the
    /// directions.
    ///
    /// - Throws: `EditError` if there is neither mean.
    private func negative(_ subspace: Subspace) throws -> [Float] {
        if let from {
            guard let site = subspace.site else {
                throw EditError.unplaced(target, isAdded: false)
            }
            let rows = try EditSites.rows(from.name, from.capture(), site: site.fullName)
            context?.weigh(rows, name: site.shortName)
            return rows.columnMeans.map { Float($0) }
        }
        guard let mean = subspace.negativeMean else {
            throw EditError.noNegativeMean(target)
        }
        return mean
    }

    // MARK: Sites

    /// Makes the edits that ablate whole sites (named places in the model), single heads (`attn.z[3].h1`) or columns.
    ///
    /// - Throws: `EditError`, `SiteError`, and the capture's errors.
    package func entryOfSites(in checkpoint: LoadedCheckpoint) throws -> EditStack.Entry {
        let c = try checkpoint.facts()
        let selections = try c.selections(target)
        let form = try chosenForm([.zero, .mean, .resample], for: "a site")
        guard sites == nil, strength == 1 else {
            throw EditError.directionsOptionsOfSite
        }
        for selection in selections { try EditSites.checkCanBeEdited(selection.site) }
        guard (form == .zero) == (from == nil) else {
            throw form == .zero ? EditError.rowsUnused : EditError.formNeedsRows(form)
        }
        let places = try c.editPositions(positions)
        var digested: [Float] = []
        var weighed = WeighedRows()
        let edits = try selections.map { selection -> any Edit in
            let width = c.width(of: selection.site)
            var range = selection.head.map { $0 * c.headWidth..<($0 + 1) * c.headWidth } ?? 0..<width
            if let columns {
                let part = try columns.range(range.count)
                range = range.lowerBound + part.lowerBound..<range.lowerBound + part.upperBound
            }
            var source = Replacement.Source.zero
            if let from {
                let rows = try EditSites.rows(from.name, from.capture(), site: selection.site.fullName)
                guard rows.columns == width else {
                    throw EditError.rowsOfOtherWidth(
                        capture: from.name, selection.site, rows.columns, model: width)
                }
                let part = rows.selecting(columns: range)
                if form == .mean { weighed.add(part, name: selection.shortName) }
                let means = part.columnMeans.map { Float($0) }
                digested += form == .mean ? means : part.values
                source = form == .mean ? .constant(means) : .resampled(part, seed: seed)
            }
            return Replacement(source, columns: range, sites: [selection.site], positions: places)
        }
        if let context { weighed.tell(in: context) }
        let shown = target + (columns.map { ":\($0.text)" } ?? "")
        return EditStack.Entry(
            label: "\(form.rawValue) \(shown)",
            summary: "\(form.rawValue) ablation of \(shown): \(counted(selections.count, "place"))"
                + EditSites.suffix(positions) + (form == .resample ? ", seed \(seed)" : ""),
            command: command, edits: edits,
            digest: EditSites.digest(digested, selections.map(\.site), "\(positions) \(columns?.text ?? "")"))
    }
}

/// The way in which directions or a site's activations are taken out of a model's run.
package enum AblationForm: String, CaseIterable {
    case directional, affine, zero, mean, resample
}
