import Language
import Sites
package import Workbench

extension Session {
    /// The points that a name stands for: the sites of a capture, in the order of computation, or those of a file.
    ///
    /// - Parameters:
    ///   - name: of a capture or of points.
    ///   - site: which of a capture's sites, in full or in short form, one or several; all when nil.
    /// - Returns: at least one.
    package func pointSources(named name: String, site: String? = nil) throws -> [PointSource] {
        switch value(named: name) {
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

    /// The one set of points that a name and a site stand for.
    package func pointSource(named name: String, site: String? = nil) throws -> PointSource {
        if case .capture(let capture)? = value(named: name) {
            return PointSource(capture, site: try capture.resolve(site))
        }
        return try pointSources(named: name, site: site)[0]
    }
}

extension Session {
    /// The activations of the checkpoint in use at some sites over prompts, in memory; at the last position where nothing else
    /// is said.
    func captured(_ sites: [String], of set: PromptSet, at position: String?) throws -> Capture {
        let checkpoint = try checkpoint()
        var request = CaptureRequest(
            sites, of: set, recipe: recipe(checkpoint, precision: settings.precision))
        if let position { request.position = position }
        request.choices.precision = settings.precision
        return try CaptureJob(request, checkpoint, context()).inMemory()
    }
}
