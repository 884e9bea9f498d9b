package import Checkpoints
package import Control
package import LinearAlgebra
import Models
import Sites
import TerminalText

/// A table of activations at some sites (named places in the model) and some positions of a set of prompts. It is in
/// memory, or in a file that is read as needed.
package final class Capture {
    package let rows: [CaptureRow]
    package let prompts: [CapturePrompt]
    /// The JSON of the recipe, the record of how the capture was made.
    package let recipe: String
    private let storage: Storage

    private enum Storage {
        case memory([(site: String, matrix: Matrix)])
        case file(CaptureFile)
    }

    /// Makes a capture in memory.
    ///
    /// - Parameter sites: the full name and the activations, [rows, width], of each site, in the order of computation.
    package init(sites: [(site: String, matrix: Matrix)], rows: [CaptureRow], prompts: [CapturePrompt], recipe: String)
    {
        storage = .memory(sites)
        self.rows = rows
        self.prompts = prompts
        self.recipe = recipe
    }

    package init(_ file: CaptureFile) {
        storage = .file(file)
        rows = file.rows
        prompts = file.prompts
        recipe = file.recipeJSON.map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }

    /// The full names of the sites (named places in the model) for which the capture has rows of activations, in the
    /// order of computation.
    package var sites: [String] {
        switch storage {
        case .memory(let sites): sites.map(\.site)
        case .file(let file): file.sites.sorted { SiteSelection.precedes($0, $1) }
        }
    }

    /// The full names of the attention patterns and scores that the capture holds, each with its number of heads.
    package var patterns: [(name: String, heads: Int)] {
        guard case .file(let file) = storage else { return [] }
        return file.patterns.sorted { SiteSelection.precedes($0, $1) }.map { ($0, file.heads(of: $0) ?? 0) }
    }

    package func width(of site: String) -> Int? {
        switch storage {
        case .memory(let sites): sites.first { $0.site == site }?.matrix.columns
        case .file(let file): file.width(of: site)
        }
    }

    /// Returns the captured activations at a site (a named place in the model), [rows, width].
    package func matrix(_ site: String) throws -> Matrix {
        switch storage {
        case .memory(let sites):
            guard let found = sites.first(where: { $0.site == site }) else {
                throw WorkbenchError.noSite(site, known: sites.map(\.site))
            }
            return found.matrix
        case .file(let file):
            let values = try file.values(of: site)
            return Matrix(rows: rows.count, columns: file.width(of: site) ?? 0, values: values)
        }
    }

    /// Throws if another program wrote to the capture's file since it was opened.
    package func checkUnchanged() throws {
        if case .file(let file) = storage { try file.checkUnchanged() }
    }

    package var summary: String {
        let place =
            switch storage {
            case .memory: ""
            case .file(let file): ", in \(file.path.escapedForTerminal)"
            }
        var parts: [String] = []
        if !sites.isEmpty { parts = [counted(sites.count, "site"), counted(rows.count, "row")] }
        if !patterns.isEmpty { parts.append(counted(patterns.count, "pattern")) }
        return "\(parts.joined(separator: ", ")) of \(counted(prompts.count, "prompt"))\(place)"
    }
}

extension Capture {
    /// Writes the activations of every site of the capture to a file, site by site.
    package func write(to writer: CaptureWriter, control: RunControl) throws {
        for (index, site) in sites.enumerated() {
            try control.checkCancellation()
            control.report(done: index, total: sites.count, unit: "sites")
            try matrix(site).values.withUnsafeBufferPointer { try writer.write(site: site, firstRow: 0, values: $0) }
        }
    }
}
