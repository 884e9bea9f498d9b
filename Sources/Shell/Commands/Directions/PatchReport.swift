import Reports
import Sites
import TerminalText

/// The report on how much of the first text's answer each patched place brings back.
struct PatchReport {
    let selections: [SiteSelection]
    /// The share of the logit difference that each place brings back, [selection][position]. Heads are patched at all
    /// positions at once, so that their shares are [selection][0].
    let shares: [[Double]]
    /// The labels of the positions, such as `3 " France"/" Spain"`.
    let positions: [String]
    let answer: String
    let versus: String
    /// The logit difference of the first text. `corrupt` is that of the second.
    let clean: Double
    let corrupt: Double

    private var areHeads: Bool { selections[0].head != nil }

    func report(top: Int) -> Report {
        Report(
            title: "\(answer) against \(versus)",
            scalars: [
                Scalar("logit difference, first text", .number(clean), note: "share 1"),
                Scalar("logit difference, second text", .number(corrupt), note: "share 0: the null, nothing patched"),
                Scalar("largest share", .number(shares.joined().max() ?? 0)),
            ], tables: [table(top)], grids: grids,
            notes: ["\(counted(shares.reduce(0) { $0 + $1.count }, "place")), one patched at a time."])
    }

    private func table(_ top: Int) -> Table {
        var all: [(selection: Int, position: Int, share: Double)] = []
        for (selection, row) in shares.enumerated() {
            for (position, share) in row.enumerated() { all.append((selection, position, share)) }
        }
        all.sort { (-abs($0.share), $0.selection, $0.position) < (-abs($1.share), $1.selection, $1.position) }
        var table = Table("largest effects", columns: ["place"] + (areHeads ? [] : ["position"]) + ["share"])
        for entry in all.prefix(top) {
            table.append(
                [.text(selections[entry.selection].shortName)] + (areHeads ? [] : [.text(positions[entry.position])])
                    + [.number(entry.share)])
        }
        return table
    }

    /// One heat map for each kind of site: layer by position, or layer by head.
    private var grids: [Grid] {
        let kinds = selections.map(\.site.kind).reduce(into: [Site.Kind]()) { if !$0.contains($1) { $0.append($1) } }
        return kinds.map { kind in
            let chosen = selections.indices.filter { selections[$0].site.kind == kind }
            let layers = Set(chosen.map { selections[$0].site.layer }).sorted()
            let value = Series.Axis("share of the difference")
            guard areHeads else {
                return Grid(
                    kind.shortName, rows: .init("layer", labels: layers.map(String.init)),
                    columns: .init("position", labels: positions), value: value, values: chosen.flatMap { shares[$0] })
            }
            let heads = Set(chosen.compactMap { selections[$0].head }).sorted()
            return Grid(
                kind.shortName, rows: .init("layer", labels: layers.map(String.init)),
                columns: .init("head", labels: heads.map(String.init)), value: value,
                values: layers.flatMap { layer in
                    heads.map { head in
                        chosen.first { selections[$0].site.layer == layer && selections[$0].head == head }
                            .map { shares[$0][0] }
                    }
                })
        }
    }
}
