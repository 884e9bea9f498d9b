package import LinearAlgebra
package import Models
package import Sites

/// Activations that a run keeps in memory: the tap for the run, and the rows that it has collected. All code that
/// collects activations does so here.
package final class CollectedRows {
    package let sites: [Site]
    package let selection: RowSelection
    /// The tap (observer of activations) that the model's run must be given in order to collect the rows.
    package let tap: any Tap
    private let sink: MatrixSink

    /// Prepares the collection of activations.
    ///
    /// - Parameters:
    ///   - sites: Whole sites (named places in the model), but no attention patterns and no logits.
    ///   - selection: The token positions of the run whose activations are kept, or averaged.
    ///   - pool: The threads of the run, which copy large blocks together. When it is nil, the thread that writes
    ///     copies them.
    package init(_ sites: [Site], _ selection: RowSelection, pool: ThreadPool? = nil) {
        self.sites = sites
        self.selection = selection
        sink = MatrixSink(rows: selection.outputCount, pool: pool)
        tap = SiteCollector(sites: sites, selection: selection, sink: sink)
    }

    /// The activations of each site (a named place in the model) after the run, [rows of the selection, width].
    package var matrices: [Site: Matrix] { sink.matrices }

    /// Returns a tap (observer of activations) that passes the activations of sites and heads to a sink of another
    /// kind, such as a file.
    static func tap(
        _ selections: [SiteSelection], headDimension: Int, _ selection: RowSelection, into sink: any RowSink
    ) -> SiteCollector {
        SiteCollector(selections, headDimension: headDimension, selection: selection, sink: sink)
    }
}
