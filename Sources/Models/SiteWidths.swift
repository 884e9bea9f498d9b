package import Sites

extension ModelConfiguration {
    /// The number of heads in a row of a site; nil where it has none.
    package func heads(of kind: Site.Kind) -> Int? {
        switch kind.heads {
        case .query?: heads
        case .keyValue?: keyValueHeads
        case nil: nil
        }
    }

    /// The number of values a row of a site has; 0 for patterns, which have no rows.
    package func width(of site: Site) -> Int {
        if site.kind.isPattern { return 0 }
        if let heads = heads(of: site.kind) { return heads * headDimension }
        return switch site.kind {
        case .mlpPre, .mlpPreLinear, .mlpPost: intermediateSize
        case .logits: vocabularySize
        default: hiddenSize
        }
    }

    /// The number of values that a selection keeps of a row.
    package func width(of selection: SiteSelection) -> Int {
        selection.head == nil || selection.site.kind.isPattern ? width(of: selection.site) : headDimension
    }
}
