extension SiteExpression {
    /// Returns the sites (named places in the model) and heads that an expression names, in the order of computation.
    ///
    /// The expression is as for `parse(_:layers:)`; after a site whose rows are made of heads, one of `.h3`, `.h0..3`,
    /// `.h-1` (the last) and `.h*` may follow.
    /// - Parameter heads: returns the number of heads in a row of such a site; nil for a site without heads.
    /// - Throws: `SiteError.badSite`, naming what is wrong and what would be right.
    package static func parse(
        _ text: String, layers: Int, heads: (Site.Kind) -> Int?
    ) throws -> [SiteSelection] {
        guard let (name, list) = splitHeads(text), let sites = try wholeSites(name, layers: layers, text: text) else {
            return try parse(text, layers: layers).map { SiteSelection($0) }
        }
        return try sites.flatMap { site in
            guard let count = heads(site.kind) else {
                let known = Site.Kind.allCases.filter { heads($0) != nil }.map(\.shortName)
                throw SiteError.badSite(
                    text: text,
                    problem: "\(site.kind.shortName) is not made of heads; \(known.joined(separator: ", ")) are")
            }
            return try parseHeads(list, count: count, text: text).map { SiteSelection(site, head: $0) }
        }
    }

    /// Splits `attn.z[12].h0..3` into the site `attn.z[12]` and the heads `0..3`. In `blocks.0.hook_embed` and in
    /// `blocks.0.attn.hook_z` the text after `.h` is not a number; these return nil.
    private static func splitHeads(_ text: String) -> (name: String, heads: String)? {
        var start = text.startIndex
        while let dot = text[start...].firstIndex(of: ".") {
            let rest = text[text.index(after: dot)...]
            if rest.hasPrefix("h"), let first = rest.dropFirst().first, first.isNumber || first == "*" || first == "-" {
                return (String(text[..<dot]), String(rest.dropFirst()))
            }
            // A bracket ends a site's name, so what follows can only be meant as heads.
            if rest.hasPrefix("h"), dot > text.startIndex, text[text.index(before: dot)] == "]" {
                return (String(text[..<dot]), String(rest.dropFirst()))
            }
            start = text.index(after: dot)
        }
        return nil
    }

    /// Returns the sites before the heads; nil if the text was not heads after all but a glob such as `blocks.0.h*`.
    private static func wholeSites(_ name: String, layers: Int, text: String) throws -> [Site]? {
        do {
            return try parse(name, layers: layers)
        } catch SiteError.badSite(_, let problem) {
            if text.contains("*"), let found = try? parse(text, layers: layers), !found.isEmpty { return nil }
            throw SiteError.badSite(text: text, problem: problem)
        }
    }

    private static func parseHeads(_ list: String, count: Int, text: String) throws -> Range<Int> {
        func head(_ item: some StringProtocol) throws -> Int {
            guard let number = Int(item) else {
                throw SiteError.badSite(
                    text: text, problem: "\".h\(list)\" names no heads; write .h3, .h0..3 or .h*")
            }
            guard (-count..<count).contains(number) else {
                throw SiteError.badSite(text: text, problem: "this site has heads 0 to \(count - 1)")
            }
            return number < 0 ? count + number : number
        }
        if list == "*" { return 0..<count }
        guard let dots = list.firstRange(of: "..") else {
            let only = try head(list)
            return only..<only + 1
        }
        let first = try head(list[..<dots.lowerBound])
        let last = try head(list[dots.upperBound...])
        guard first <= last else {
            throw SiteError.badSite(text: text, problem: "the range \(list) runs backwards")
        }
        return first..<last + 1
    }
}
