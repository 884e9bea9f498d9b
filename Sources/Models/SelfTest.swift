import LinearAlgebra

/// Checks on a model's first run that its parts add up: resid_pre + attn_out = resid_mid, resid_mid + mlp_out =
/// resid_post, all of it finite.
///
/// It looks at the first few rows of the first pack, so it costs nothing that can be measured.
final class SelfTest: Tap {
    private static let kinds: Set<Site.Kind> = [.residPre, .attnOut, .residMid, .mlpOut, .residPost]
    private static let rows = 4

    /// [site: first rows, flat]
    private var seen: [Site: [Float]] = [:]

    var hasRun: Bool { !seen.isEmpty }

    func wants(_ site: Site) -> Bool { Self.kinds.contains(site.kind) && seen[site] == nil }

    func receive(_ site: Site, _ block: ActivationBlock) {
        let count = min(Self.rows, block.rows) * block.width
        seen[site] = Array(UnsafeBufferPointer(start: block.values, count: count))
    }

    func check() throws {
        for (site, values) in seen.sorted(by: { $0.key < $1.key }) {
            guard values.allSatisfy(\.isFinite) else { throw ModelError.notFinite(site: site.fullName) }
        }
        for (before, part, after) in [
            (Site.Kind.residPre, Site.Kind.attnOut, Site.Kind.residMid), (.residMid, .mlpOut, .residPost),
        ] {
            for site in seen.keys.filter({ $0.kind == after }).sorted() {
                guard let a = seen[Site(before, layer: site.layer)], let b = seen[Site(part, layer: site.layer)],
                    let sum = seen[site]
                else { continue }
                for index in sum.indices where abs(a[index] + b[index] - sum[index]) > 1e-5 * (1 + abs(sum[index])) {
                    throw ModelError.selfTest(
                        problem: "\(site.fullName) is not the sum of \(before.fullName) and \(part.fullName)")
                }
            }
        }
    }
}
