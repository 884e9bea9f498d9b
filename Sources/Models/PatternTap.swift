package import Sites

/// Attention of some queries of one prompt and head to all keys before them.
package struct PatternBlock {
    /// The prompt's index among the run's prompts.
    package let prompt: Int
    /// The query head.
    package let head: Int
    /// The position of the first query within its prompt.
    package let firstQuery: Int
    package let queries: Int
    /// Keys from the prompt's start up to the last query: `firstQuery + queries`.
    package let keys: Int
    /// [queries, keys]; masked entries are 0 in a pattern and -inf among scores. Valid during the call only.
    package let values: UnsafePointer<Float>
}

/// Reads attention patterns or scores (after scale and soft cap) as they are computed.
///
/// Blocks of one site come in no particular order and from several threads at once.
package protocol PatternTap: AnyObject {
    func wants(_ site: Site) -> Bool
    func receive(_ site: Site, _ block: PatternBlock) throws
}
