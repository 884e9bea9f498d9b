package import Workbench

/// A checkpoint in which the rows of some tokens are outliers at every site of the residual stream: their rows of the
/// embedding are so many times as long.
package func withLongTokens(
    _ original: LoadedCheckpoint, _ ids: Set<Int32>, times factor: Double = 1000
) throws -> LoadedCheckpoint {
    let width = try original.facts().width
    return try changed(original) { name, values in
        guard name == "model.embed_tokens.weight" else { return nil }
        return values.enumerated().map { ids.contains(Int32($0.offset / width)) ? factor * $0.element : $0.element }
    }
}

extension Told {
    /// What a context has been told of first rows that were left out, and of rows that weigh much.
    package var firstRows: [FirstRowsLeftOut] {
        events.compactMap { if case .premise(.firstRowsLeftOut(let rows)) = $0 { rows } else { nil } }
    }
    package var heavyRows: [HeavyRows] {
        events.compactMap { if case .premise(.heavyRows(let rows)) = $0 { rows } else { nil } }
    }
}
