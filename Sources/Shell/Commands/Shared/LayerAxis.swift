import Reports
import Sites

/// The axis of a curve over sites.
enum LayerAxis {
    /// Layers that a row of the residual stream has passed, where all sites are of it; else the place in the list.
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
