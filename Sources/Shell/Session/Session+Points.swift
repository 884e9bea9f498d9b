import Language
import Sites
package import Workbench

extension Session {
    /// Returns the sets of points that a name stands for: one for each site of a capture, in the order of computation,
    /// or the points of a file.
    ///
    /// - Parameters:
    ///   - name: The name of a capture or of points.
    ///   - site: The sites of a capture to choose, one or several, in full or in short form. All sites are chosen when
    ///     it is nil.
    /// - Returns: At least one set of points.
    /// - Throws: `CommandError` if the name stands for neither, or if a site is given for points from a file. An error
    ///   if the capture holds no such site.
    package func pointSources(named name: String, site: String? = nil) throws -> [PointSource] {
        switch try usable(name) {
        case .capture(let capture)?:
            guard let site else {
                try capture.checkHasSites()
                return capture.sites.map { PointSource(capture, site: $0) }
            }
            return try capture.sites(matching: site).map { PointSource(capture, site: $0) }
        case .points(let points)?:
            guard site == nil else {
                throw CommandError(
                    "\(name) comes from a file and has no sites", remedy: "leave out --site", exitCode: 2)
            }
            return [PointSource(points)]
        case let other?: throw wrongKind(name, other, wanted: .capture, .points)
        case nil:
            let shown = Name.isValid(name) ? name : "NAME"
            throw unknown(
                name, hint: "make one with: \(shown) = capture SITE --prompts P, or \(shown) = points FILE")
        }
    }

    /// Returns the one set of points that a name and a site stand for.
    package func pointSource(named name: String, site: String? = nil) throws -> PointSource {
        if case .capture(let capture)? = try usable(name) {
            return PointSource(capture, site: try capture.resolve(site))
        }
        return try pointSources(named: name, site: site)[0]
    }

    /// Returns the one set of points that a name and a site stand for, for a study that counts prompts: of a capture,
    /// each distinct prompt's rows once. The command's report says how many there are.
    ///
    /// - Parameter directions: The directions that the points are held against. A capture of several sites is read at
    ///   theirs when no site is given.
    package func studiedSource(named name: String, site: String?, against directions: Subspace) throws -> PointSource {
        guard case .capture(let capture)? = try usable(name) else { return try pointSource(named: name, site: site) }
        let place = directions.site?.fullName
        let resolved =
            if site == nil, let place, capture.sites.contains(place) { place } else { try capture.resolve(site) }
        return PointSource(capture, site: resolved, rows: try context().distinctRows(capture, name: name))
    }
}

extension Session {
    /// Runs the checkpoint in use over prompts and returns the activations at some sites, in memory.
    ///
    /// - Parameters:
    ///   - sites: The sites to capture.
    ///   - set: The prompts.
    ///   - position: The position of each prompt. The request's own default, the last position, holds when it is nil.
    ///   - includesLeading: Whether BOS is captured too, where positions leave it out.
    ///   - keepsFirst: Whether first rows that are outliers are captured too, where positions leave them out.
    func captured(
        _ sites: [String], of set: PromptSet, at position: String?, includesLeading: Bool = false,
        keepsFirst: Bool
    ) throws -> Capture {
        let checkpoint = try checkpoint()
        var request = CaptureRequest(
            sites, of: set, recipe: recipe(checkpoint, precision: settings.precision))
        if let position { request.position = position }
        (request.includesLeading, request.keepsFirst) = (includesLeading, keepsFirst)
        request.choices.precision = settings.precision
        return try CaptureJob(request, checkpoint, context()).inMemory()
    }
}
