/// A site, or one head's columns of it: what a capture keeps.
package struct SiteSelection: Hashable, Sendable, Comparable {
    package let site: Site
    /// Counted from 0; nil: the whole row, all heads side by side.
    package let head: Int?

    package init(_ site: Site, head: Int? = nil) {
        self.site = site
        self.head = head
    }

    /// `blocks.12.attn.hook_z.h3`: what it is called in files.
    package var fullName: String { site.fullName + suffix }

    /// `attn.z[12].h3`
    package var shortName: String { site.shortName + suffix }

    private var suffix: String { head.map { ".h\($0)" } ?? "" }

    /// What that full name stands for; nil if it is no site's, whatever the number of layers and heads.
    package init?(fullName: String) {
        if let site = Site(fullName: fullName) {
            self.init(site)
            return
        }
        guard let dot = fullName.lastIndex(of: "."), fullName[dot...].hasPrefix(".h"),
            let head = Int(fullName[dot...].dropFirst(2)), head >= 0,
            let site = Site(fullName: String(fullName[..<dot])), site.kind.heads != nil
        else { return nil }
        self.init(site, head: head)
    }

    /// The order of computation; a whole site before its heads.
    package static func < (a: SiteSelection, b: SiteSelection) -> Bool {
        a.site == b.site ? (a.head ?? -1) < (b.head ?? -1) : a.site < b.site
    }

    /// Whether one full name comes before another in the order of computation; names of no site come last.
    package static func precedes(_ a: String, _ b: String) -> Bool {
        switch (SiteSelection(fullName: a), SiteSelection(fullName: b)) {
        case (let a?, let b?): a < b
        case (.some, nil): true
        case (nil, .some): false
        case (nil, nil): a < b
        }
    }
}

extension Site.Kind {
    /// Which heads the columns of a site belong to.
    package enum Heads: Sendable {
        case query, keyValue
    }

    /// The heads that a row's values, [head, d], or a pattern, [head, query, key], are made of; nil where there are none.
    package var heads: Heads? {
        switch self {
        case .q, .rotQ, .z, .attnScores, .pattern: .query
        case .k, .rotK, .v: .keyValue
        default: nil
        }
    }
}
