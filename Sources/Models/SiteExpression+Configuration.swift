package import Sites

extension SiteExpression {
    /// The sites of a model that an expression names.
    ///
    /// - Throws: `SiteError.badSite`, also for a site that this model's architecture does not have.
    package static func parse(_ text: String, in configuration: ModelConfiguration) throws -> [Site] {
        let named = try parse(text, layers: configuration.layers)
        let found = named.filter { configuration.siteKinds.contains($0.kind) }
        guard !found.isEmpty else {
            throw SiteError.badSite(
                text: text, problem: "\(configuration.modelType) has no such site (help sites says which has what)")
        }
        return found
    }

    /// The sites and heads of a model that an expression names, in the order of computation.
    ///
    /// - Throws: `SiteError.badSite`, also for a site that this model's architecture does not have.
    package static func selections(_ text: String, in configuration: ModelConfiguration) throws -> [SiteSelection] {
        let named = try parse(text, layers: configuration.layers) { configuration.heads(of: $0) }
        let found = named.filter { configuration.siteKinds.contains($0.site.kind) }
        guard !found.isEmpty else {
            throw SiteError.badSite(
                text: text, problem: "\(configuration.modelType) has no such site (help sites says which has what)")
        }
        return found
    }
}
