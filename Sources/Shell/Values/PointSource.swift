import Checkpoints
package import Geometry
import Language
package import LinearAlgebra
import Models
package import Provenance
import Reports
import Sites
import TerminalText

/// One set of points to measure: a site of a capture, or what was read from a file.
package struct PointSource {
    /// `blocks.3.hook_resid_post`, `acts.npy`.
    package let name: String
    package let count: Int
    package let width: Int
    private let origin: Origin

    private enum Origin {
        case site(Capture)
        case file(Points)
    }

    init(_ capture: Capture, site: String) {
        name = site
        count = capture.rows.count
        width = capture.width(of: site) ?? 0
        origin = .site(capture)
    }

    init(_ points: Points) {
        name = points.name
        count = points.matrix.rows
        width = points.matrix.columns
        origin = .file(points)
    }

    /// The points, [count, width]; a capture in a file is read anew each time. NaN and infinities are kept.
    package func matrix() throws -> Matrix {
        switch origin {
        case .site(let capture): try capture.matrix(name)
        case .file(let points): points.matrix
        }
    }

    /// The points, each coordinate a finite number.
    ///
    /// - Throws: `CommandError` that names the first NaN or infinity.
    package func finiteMatrix() throws -> Matrix {
        let matrix = try matrix()
        if let bad = matrix.firstNonFinite {
            throw CommandError(
                "\(name.escapedForTerminal): row \(bad.row), column \(bad.column) is"
                    + " \(NumberFormat.significant(Double(matrix[bad.row, bad.column])))",
                remedy: "leave that row out: read the points with --rows, or capture fewer prompts")
        }
        return matrix
    }

    /// The distinct points.
    ///
    /// - Throws: `CommandError` that names the first NaN or infinity, or says that all rows are the same.
    package func pointSet() throws -> PointSet {
        let matrix = try finiteMatrix()
        do {
            return try PointSet(matrix)
        } catch GeometryError.tooFewPoints(let found, _) {
            throw CommandError("\(name.escapedForTerminal) has \(counted(found, "row"))", remedy: "take more points")
        } catch GeometryError.allTheSame(let rows) {
            throw CommandError(
                "all \(rows) rows are the same", remedy: "take more points, or another position of the prompts")
        }
    }

    /// What a row was computed from.
    package struct Row: Equatable {
        /// Index of the prompt.
        package let prompt: Int
        package let text: String
        /// Empty if the prompt has none.
        package let label: String
        /// Token position in the prompt and token id; nil for a mean.
        package let position: Int?
        package let token: Int?
    }

    /// Whether rows come from prompts, and so have texts.
    package var hasTexts: Bool {
        if case .site = origin { true } else { false }
    }

    /// Where a row comes from; nil for points from a file.
    package func row(_ index: Int) -> Row? {
        guard case .site(let capture) = origin else { return nil }
        let row = capture.rows[index]
        let prompt = capture.prompts[Int(row.prompt)]
        return Row(
            prompt: Int(row.prompt), text: prompt.text, label: prompt.label,
            position: row.position < 0 ? nil : Int(row.position), token: row.token < 0 ? nil : Int(row.token))
    }

    /// What a recipe says of the points.
    package var inputs: [Recipe.Input] {
        if case .file(let points) = origin { [points.input] } else { [] }
    }
}

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

extension Capture {
    func checkHasSites() throws {
        guard sites.isEmpty else { return }
        throw CommandError(
            "the capture holds attention patterns and no rows", remedy: "read them in Python; see help capture")
    }

    /// The site that a user names, in full or in short form; the only one when none is named.
    func resolve(_ site: String?) throws -> String {
        try checkHasSites()
        guard let site else {
            guard sites.count == 1 else {
                throw CommandError(
                    "the capture has \(sites.count) sites",
                    remedy: "choose one with --site, such as \(sites.last ?? "")")
            }
            return sites[0]
        }
        let found = try sites(matching: site)
        guard found.count == 1 else {
            throw CommandError("\(site.escapedForTerminal) names several sites", remedy: offer)
        }
        return found[0]
    }

    /// The sites that a user names, in full or in short form: at least one.
    func sites(matching site: String) throws -> [String] {
        try checkHasSites()
        let list = sites
        if list.contains(site) { return [site] }
        let layers = list.compactMap { $0.split(separator: ".").dropFirst().first.flatMap { Int($0) } }
        let heads = list.compactMap { SiteSelection(fullName: $0)?.head }
        let names = try SiteExpression.parse(site, layers: (layers.max() ?? 0) + 1) {
            $0.heads == nil ? nil : (heads.max() ?? 0) + 1
        }.map(\.fullName)
        let found = list.filter(names.contains)
        guard !found.isEmpty else {
            throw CommandError("the capture does not hold \(site.escapedForTerminal)", remedy: offer)
        }
        return found
    }

    private var offer: String { "it has \(sites.prefix(4).joined(separator: ", "))\(sites.count > 4 ? ", ..." : "")" }
}
