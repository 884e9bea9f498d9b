/// A site (a named place in the model), or one head's columns of it, as a capture keeps it.
package struct SiteSelection: Hashable, Sendable, Comparable {
    package let site: Site
    /// The head, from 0; nil means the whole row, with all heads side by side.
    package let head: Int?

    package init(_ site: Site, head: Int? = nil) {
        self.site = site
        self.head = head
    }

    /// The name in files, such as `blocks.12.attn.hook_z.h3`.
    package var fullName: String { site.fullName + suffix }

    /// The short name, such as `attn.z[12].h3`.
    package var shortName: String { site.shortName + suffix }

    private var suffix: String { head.map { ".h\($0)" } ?? "" }

    /// Finds the selection with a full name, whatever the number of layers and heads; nil if it is not a site's.
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

    /// Selections are in the order of computation, a whole site before its heads.
    package static func < (a: SiteSelection, b: SiteSelection) -> Bool {
        a.site == b.site ? (a.head ?? -1) < (b.head ?? -1) : a.site < b.site
    }

    /// Returns whether one full name comes before another in the order of computation; names that are not a site's come
    /// last.
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
    /// The kind of heads to which the columns of a site belong.
    package enum Heads: Sendable {
        case query, keyValue
    }

    /// The heads of which a row's values, [head, d], or a pattern, [head, query, key], are made; nil if there are none.
    package var heads: Heads? {
        switch self {
        case .q, .rotQ, .z, .attnScores, .pattern: .query
        case .k, .rotK, .v: .keyValue
        default: nil
        }
    }
}
