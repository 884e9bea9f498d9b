import Reports
import Sites

/// The horizontal axis of a curve over sites.
enum LayerAxis {
    /// Returns the place of a site on the axis. It is the number of layers before the site if all sites are `embed`,
    /// `resid_pre` or `resid_post` and differ in that number, and otherwise the site's index in the list.
    static func place(_ sites: [Site], _ index: Int) -> Double {
        let layers = sites.map { site -> Int? in
            switch site.kind {
            case .embed: 0
            case .residPre: site.layer
            case .residPost: site.layer + 1
            default: nil
            }
        }
        guard !layers.contains(nil), Set(layers).count == sites.count else { return Double(index) }
        return Double(layers[index] ?? index)
    }

    static func axis(_ sites: [Site]) -> Series.Axis {
        let isStream = sites.allSatisfy { [.embed, .residPre, .residPost].contains($0.kind) }
        return .init(isStream ? "layers passed" : "site, in the order of computation")
    }
}
