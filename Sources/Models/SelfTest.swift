import LinearAlgebra
import Sites

/// Checks on a model's first run that its parts add up: resid_pre + attn_out = resid_mid, resid_mid + mlp_out =
/// resid_post (resid_pre + attn_out + mlp_out = resid_post where the two are side by side), all of it finite.
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
        let isParallel = !seen.keys.contains { $0.kind == .residMid }
        let sums: [(parts: [Site.Kind], sum: Site.Kind)] =
            isParallel
            ? [([.residPre, .attnOut, .mlpOut], .residPost)]
            : [([.residPre, .attnOut], .residMid), ([.residMid, .mlpOut], .residPost)]
        for (parts, after) in sums {
            for (site, sum) in seen where site.kind == after {
                let terms = parts.compactMap { seen[Site($0, layer: site.layer)] }
                guard terms.count == parts.count else { continue }
                for index in sum.indices {
                    let total = terms.reduce(0) { $0 + $1[index] }
                    let size = terms.reduce(1) { $0 + abs($1[index]) }
                    guard abs(total - sum[index]) <= 1e-5 * size else {
                        throw ModelError.selfTest(
                            problem: "\(site.fullName) is not the sum of "
                                + parts.map(\.fullName).joined(separator: " and "))
                    }
                }
            }
        }
    }
}
