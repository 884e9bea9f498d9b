package import LinearAlgebra
package import Models
package import Sites

/// Activations that a run is to keep in memory: the tap for the run, and the rows that it has collected. Whatever collects
/// activations does it here.
package final class CollectedRows {
    package let sites: [Site]
    package let selection: RowSelection
    /// The tap to give to the run.
    package let tap: any Tap
    private let sink: MatrixSink

    /// - Parameters:
    ///   - sites: whole sites, no patterns and no logits.
    ///   - pool: the threads of the run, which copy large blocks together; nil copies on the thread that writes.
    package init(_ sites: [Site], _ selection: RowSelection, pool: ThreadPool? = nil) {
        self.sites = sites
        self.selection = selection
        sink = MatrixSink(rows: selection.outputCount, pool: pool)
        tap = SiteCollector(sites: sites, selection: selection, sink: sink)
    }

    /// The rows of each site after the run, [rows of the selection, width].
    package var matrices: [Site: Matrix] { sink.matrices }

    /// The tap that shows rows of sites and heads to a sink of another kind, such as a file.
    static func tap(
        _ selections: [SiteSelection], headDimension: Int, _ selection: RowSelection, into sink: any RowSink
    ) -> SiteCollector {
        SiteCollector(selections, headDimension: headDimension, selection: selection, sink: sink)
    }
}
