import Directions
import Reports
import Sites
import Statistics

extension DirectionCandidates {
    func report() -> Report {
        let direction = found[chosen]
        let heldOut = direction?.heldOut
        var scalars = [
            Scalar("site", .text(site.shortName)),
            Scalar("norm", Cell(direction?.norm), note: normNote),
            Scalar(
                "signal to noise", Cell(direction?.signalToNoise),
                note: "squared difference of the means over that of random splits", null: 1),
        ]
        if let heldOut {
            scalars += [
                Scalar(
                    "accuracy", Cell(heldOut.accuracy),
                    note: "of held-out rows, \(heldOut.folds) folds; shuffled labels"
                        + " \(Self.shuffled(heldOut).formatted())",
                    null: heldOut.shuffledAccuracy?.value),
                Scalar("AUC", Cell(heldOut.auc), note: "of held-out rows", null: 0.5),
            ]
        }
        scalars += [
            Scalar("positives", .integer(counts.positives)), Scalar("negatives", .integer(counts.negatives)),
        ]
        return Report(
            title: "direction \(sets.positives.name) - \(sets.negatives.name), \(methodName), N = \(counts.positives) +"
                + " \(counts.negatives), D = \(direction?.vector.count ?? 0)",
            scalars: scalars, tables: found.count > 1 ? [table] : [], series: found.count > 1 ? series : [],
            notes: notes)
    }

    private var methodName: String {
        switch method {
        case .means: "difference in means"
        case .pca: "first principal direction of the pairs"
        case .probe: "logistic probe"
        }
    }

    private var normNote: String {
        switch method {
        case .means: "of the difference of the means"
        case .pca: "root mean square of the pairs' projections"
        case .probe: "of the probe's weights, logits a unit"
        }
    }

    private static func shuffled(_ heldOut: HeldOutSeparation) -> Cell {
        heldOut.shuffledAccuracy.map { Cell($0) } ?? .missing
    }

    private var table: Table {
        var table = Table(
            "candidates",
            columns: ["site", "norm", "cosine to next", "signal to noise", "accuracy", "AUC", "shuffled", "chosen"])
        for (index, site) in sets.sites.enumerated() {
            guard let direction = found[index] else {
                table.append([.text(site.shortName)] + Array(repeating: .missing, count: 6) + [.text("no difference")])
                continue
            }
            let next = index + 1 < found.count ? found[index + 1] : nil
            table.append([
                .text(site.shortName), .number(direction.norm), Cell(next.flatMap { direction.cosine(to: $0) }),
                Cell(direction.signalToNoise), Cell(direction.heldOut.accuracy), Cell(direction.heldOut.auc),
                Self.shuffled(direction.heldOut),
                .text(index == chosen ? "yes" : sets.isEligible(site) ? "" : "too late"),
            ])
        }
        return table
    }

    /// Curves of the held-out accuracy by layer: of the labels, and of shuffled labels.
    private var series: [Series] {
        let axis = Series.Axis("held-out accuracy", range: 0...1)
        func curve(_ name: String, _ share: (HeldOutSeparation) -> Proportion?) -> Series {
            let points = zip(sets.sites, found).compactMap { site, direction -> Series.Point? in
                direction.flatMap { share($0.heldOut) }.flatMap { Series.Point(x: Double(site.layer), Cell($0)) }
            }
            return Series(name, x: .init("layer"), y: axis, points: points)
        }
        return [curve("labels", { $0.accuracy }), curve("shuffled labels", { $0.shuffledAccuracy })]
    }

    private var notes: [String] {
        var notes = ["Intervals are 95 %: Wilson's for accuracy, Newcombe's (2006) for AUC."]
        if found.count > 1 {
            let late = sets.sites.contains { !sets.isEligible($0) } ? "; the last fifth of the layers is left out" : ""
            notes.append(
                "Chosen: the best held-out accuracy, then AUC, then signal to noise\(late). It is the best of"
                    + " \(found.count), so its accuracy flatters it a little.")
        }
        return notes + sets.notes
    }
}

extension Cell {
    /// Makes a cell of an area under the curve with its 95 % interval.
    init(_ auc: AreaUnderCurve) {
        self = .interval(value: auc.value, low: auc.interval.lowerBound, high: auc.interval.upperBound)
    }
}
