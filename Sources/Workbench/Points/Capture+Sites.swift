import Sites

extension Capture {
    package func checkHasSites() throws {
        guard sites.isEmpty else { return }
        throw WorkbenchError.noRows
    }

    /// Returns the full name of the one site (a named place in the model) of the capture that a user names in full or
    /// in short form; nil stands for the capture's only site.
    ///
    /// - Throws: `WorkbenchError` if the capture has no such site or the name fits several; `SiteError`.
    package func resolve(_ site: String?) throws -> String {
        try checkHasSites()
        guard let site else {
            guard sites.count == 1 else {
                throw WorkbenchError.severalSites(sites)
            }
            return sites[0]
        }
        let found = try sites(matching: site)
        guard found.count == 1 else {
            throw WorkbenchError.namesSeveral(site, known: sites)
        }
        return found[0]
    }

    /// Returns the full names of the capture's sites (named places in the model), at least one, that a user names in
    /// full or in short form.
    ///
    /// - Throws: `WorkbenchError` if the capture holds none of them; `SiteError`.
    package func sites(matching site: String) throws -> [String] {
        try checkHasSites()
        let list = sites
        if list.contains(site) { return [site] }
        let layers = list.compactMap { $0.split(separator: ".").dropFirst().first.flatMap { Int($0) } }
        let heads = list.compactMap { SiteSelection(fullName: $0)?.head }
        func names(layers: Int) throws -> [String] {
            try SiteExpression.parse(site, layers: layers) { $0.heads == nil ? nil : (heads.max() ?? 0) + 1 }
                .map(\.fullName)
        }
        let wanted: [String]
        do {
            wanted = try names(layers: (layers.max() ?? 0) + 1)
        } catch let error as SiteError {
            // The model may have more layers than the capture holds: what it lacks is then a site, not a layer.
            guard (try? names(layers: 10_000)) != nil else { throw error }
            throw WorkbenchError.notHeld(site, known: sites)
        }
        let found = list.filter(wanted.contains)
        guard !found.isEmpty else {
            throw WorkbenchError.notHeld(site, known: sites)
        }
        return found
    }
}
